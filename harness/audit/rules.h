/*
 * The rules that the auditor holds: one row each, named after the entry of the catalogue. A rule cannot be reported
 * without standing here, and audit_rules() gives exactly this list.
 */
#ifndef HARNESS_AUDIT_RULES_H
#define HARNESS_AUDIT_RULES_H

/* X(enum suffix, catalogue id, subject = file of harness/audit/) */
#define AUDIT_RULES(X)                                                                                                 \
    /* header.c: fields of one Login Response */                                                                       \
    X(RSP_001, "L-RSP-001", "header")                                                                                  \
    X(PDU_012, "L-PDU-012", "header")                                                                                  \
    X(PDU_014, "L-PDU-014", "header")                                                                                  \
    X(STG_017, "L-STG-017", "header")                                                                                  \
    X(RSP_002, "L-RSP-002", "header")                                                                                  \
    X(RSP_005, "L-RSP-005", "header")                                                                                  \
    X(RSP_006, "L-RSP-006", "header")                                                                                  \
    X(RSP_007, "L-RSP-007", "header")                                                                                  \
    X(RSP_008, "L-RSP-008", "header")                                                                                  \
    X(RSP_016, "L-RSP-016", "header")                                                                                  \
    X(RSP_017, "L-RSP-017", "header")                                                                                  \
    X(STAT_004, "L-STAT-004", "header")                                                                                \
    X(ITT_001, "L-ITT-001", "header")                                                                                  \
    X(ISID_010, "L-ISID-010", "header")                                                                                \
    X(VER_001, "L-VER-001", "header")                                                                                  \
    X(VER_003, "L-VER-003", "header")                                                                                  \
    X(VER_004, "L-VER-004", "header")                                                                                  \
    X(VER_007, "L-VER-007", "header")                                                                                  \
    /* stage.c */                                                                                                      \
    X(STG_004, "L-STG-004", "stage")                                                                                   \
    X(STG_005, "L-STG-005", "stage")                                                                                   \
    X(STG_006, "L-STG-006", "stage")                                                                                   \
    X(STG_024, "L-STG-024", "stage")                                                                                   \
    X(RSP_003, "L-RSP-003", "stage")                                                                                   \
    X(RSP_004, "L-RSP-004", "stage")                                                                                   \
    X(CBIT_001, "L-CBIT-001", "stage")                                                                                 \
    X(CBIT_002, "L-CBIT-002", "stage")                                                                                 \
    X(CBIT_016, "L-CBIT-016", "stage")                                                                                 \
    X(STG_008, "L-STG-008", "stage")                                                                                   \
    X(STG_009, "L-STG-009", "stage")                                                                                   \
    X(STG_010, "L-STG-010", "stage")                                                                                   \
    X(STG_011, "L-STG-011", "stage")                                                                                   \
    X(STG_012, "L-STG-012", "stage")                                                                                   \
    X(STG_013, "L-STG-013", "stage")                                                                                   \
    X(STG_014, "L-STG-014", "stage")                                                                                   \
    X(STG_015, "L-STG-015", "stage")                                                                                   \
    /* serial.c: sequence numbers */                                                                                   \
    X(SN_001, "L-SN-001", "serial")                                                                                    \
    X(SN_004, "L-SN-004", "serial")                                                                                    \
    X(SN_006, "L-SN-006", "serial")                                                                                    \
    X(SN_015, "L-SN-015", "serial")                                                                                    \
    X(CBIT_021, "L-CBIT-021", "serial")                                                                                \
    /* tsih.c */                                                                                                       \
    X(TSIH_002, "L-TSIH-002", "tsih")                                                                                  \
    X(TSIH_003, "L-TSIH-003", "tsih")                                                                                  \
    X(TSIH_004, "L-TSIH-004", "tsih")                                                                                  \
    X(TSIH_013, "L-TSIH-013", "tsih")                                                                                  \
    X(TSIH_014, "L-TSIH-014", "tsih")                                                                                  \
    X(DISC_012, "L-DISC-012", "tsih")                                                                                  \
    /* textform.c: text of Login Responses, whatever it says */                                                        \
    X(RSP_009, "L-RSP-009", "textform")                                                                                \
    X(RSP_013, "L-RSP-013", "textform")                                                                                \
    X(RSP_014, "L-RSP-014", "textform")                                                                                \
    X(RSP_018, "L-RSP-018", "textform")                                                                                \
    X(RSP_015, "L-RSP-015", "textform")                                                                                \
    X(KST_011, "L-KST-011", "textform")                                                                                \
    X(KST_005, "L-KST-005", "textform")                                                                                \
    X(NUM_012, "L-NUM-012", "textform")                                                                                \
    /* answers.c: each negotiated key against its offer */                                                             \
    X(RSP_010, "L-RSP-010", "answers")                                                                                 \
    X(RSP_011, "L-RSP-011", "answers")                                                                                 \
    X(KST_001, "L-KST-001", "answers")                                                                                 \
    X(NEG_004, "L-NEG-004", "answers")                                                                                 \
    X(NEG_005, "L-NEG-005", "answers")                                                                                 \
    X(NEG_009, "L-NEG-009", "answers")                                                                                 \
    X(NEG_011, "L-NEG-011", "answers")                                                                                 \
    X(NEG_012, "L-NEG-012", "answers")                                                                                 \
    X(NEG_013, "L-NEG-013", "answers")                                                                                 \
    X(NEG_014, "L-NEG-014", "answers")                                                                                 \
    X(NEG_015, "L-NEG-015", "answers")                                                                                 \
    X(NEG_016, "L-NEG-016", "answers")                                                                                 \
    X(NEG_017, "L-NEG-017", "answers")                                                                                 \
    X(NEG_032, "L-NEG-032", "answers")                                                                                 \
    X(AUTH_001, "L-AUTH-001", "answers")                                                                               \
    X(AUTH_006, "L-AUTH-006", "answers")                                                                               \
    X(AUTH_007, "L-AUTH-007", "answers")                                                                               \
    X(OBS_001, "L-OBS-001", "answers")                                                                                 \
    X(OBS_002, "L-OBS-002", "answers")                                                                                 \
    X(KEY_MC_01, "L-KEY-MC-01", "answers")                                                                             \
    X(KEY_MBL_01, "L-KEY-MBL-01", "answers")                                                                           \
    X(KEY_FBL_01, "L-KEY-FBL-01", "answers")                                                                           \
    X(KEY_T2W_01, "L-KEY-T2W-01", "answers")                                                                           \
    X(KEY_T2R_01, "L-KEY-T2R-01", "answers")                                                                           \
    X(KEY_R2T_01, "L-KEY-R2T-01", "answers")                                                                           \
    X(KEY_ERL_01, "L-KEY-ERL-01", "answers")                                                                           \
    X(KEY_IR2T_01, "L-KEY-IR2T-01", "answers")                                                                         \
    X(KEY_IMM_01, "L-KEY-IMM-01", "answers")                                                                           \
    X(KEY_DPO_01, "L-KEY-DPO-01", "answers")                                                                           \
    X(KEY_DSO_01, "L-KEY-DSO-01", "answers")                                                                           \
    X(KEY_MRD_01, "L-KEY-MRD-01", "answers")                                                                           \
    X(KEY_TR_01, "L-KEY-TR-01", "answers")                                                                             \
    X(KEY_PL_02, "L-KEY-PL-02", "answers")                                                                             \
    /* together.c: rules across keys */                                                                                \
    X(KEY_FBL_05, "L-KEY-FBL-05", "together")                                                                          \
    X(KEY_FBL_07, "L-KEY-FBL-07", "together")                                                                          \
    X(NEG_022, "L-NEG-022", "together")                                                                                \
    X(KEY_R2T_05, "L-KEY-R2T-05", "together")                                                                          \
    X(KEY_ERL_05, "L-KEY-ERL-05", "together")                                                                          \
    /* declare.c: what the target says of its own */                                                                   \
    X(TPGT_001, "L-TPGT-001", "declare")                                                                               \
    X(TPGT_003, "L-TPGT-003", "declare")                                                                               \
    X(TPGT_004, "L-TPGT-004", "declare")                                                                               \
    X(TPGT_005, "L-TPGT-005", "declare")                                                                               \
    X(TPGT_007, "L-TPGT-007", "declare")                                                                               \
    X(CBIT_011, "L-CBIT-011", "declare")                                                                               \
    X(NEG_020, "L-NEG-020", "declare")                                                                                 \
    X(NEG_029, "L-NEG-029", "declare")                                                                                 \
    X(STG_019, "L-STG-019", "declare")                                                                                 \
    X(RED_001, "L-RED-001", "declare")                                                                                 \
    X(RED_002, "L-RED-002", "declare")                                                                                 \
    X(RED_003, "L-RED-003", "declare")                                                                                 \
    X(RED_004, "L-RED-004", "declare")                                                                                 \
    X(RED_010, "L-RED-010", "declare")                                                                                 \
    /* chap.c */                                                                                                       \
    X(CHAP_001, "L-CHAP-001", "chap")                                                                                  \
    X(CHAP_002, "L-CHAP-002", "chap")                                                                                  \
    X(CHAP_003, "L-CHAP-003", "chap")                                                                                  \
    X(CHAP_004, "L-CHAP-004", "chap")                                                                                  \
    X(CHAP_005, "L-CHAP-005", "chap")                                                                                  \
    X(CHAP_009, "L-CHAP-009", "chap")                                                                                  \
    X(CHAP_013, "L-CHAP-013", "chap")                                                                                  \
    X(CHAP_015, "L-CHAP-015", "chap")                                                                                  \
    X(CHAP_025, "L-CHAP-025", "chap")                                                                                  \
    X(CHAP_028, "L-CHAP-028", "chap")                                                                                  \
    X(CHAP_032, "L-CHAP-032", "chap")                                                                                  \
    X(MCHAP_001, "L-MCHAP-001", "chap")                                                                                \
    X(MCHAP_003, "L-MCHAP-003", "chap")                                                                                \
    X(MCHAP_006, "L-MCHAP-006", "chap")                                                                                \
    X(AUTH_003, "L-AUTH-003", "chap")                                                                                  \
    X(AUTH_004, "L-AUTH-004", "chap")                                                                                  \
    X(AUTH_010, "L-AUTH-010", "chap")                                                                                  \
    X(AUTH_011, "L-AUTH-011", "chap")                                                                                  \
    X(AUTH_012, "L-AUTH-012", "chap")                                                                                  \
    X(AUTH_016, "L-AUTH-016", "chap")                                                                                  \
    X(AUTH_019, "L-AUTH-019", "chap")                                                                                  \
    /* ending.c */                                                                                                     \
    X(STAT_001, "L-STAT-001", "ending")                                                                                \
    X(STAT_002, "L-STAT-002", "ending")                                                                                \
    X(RED_006, "L-RED-006", "ending")                                                                                  \
    /* request.c: faults of the initiator that may not be taken for a valid request */                                 \
    X(VER_002, "L-VER-002", "request")                                                                                 \
    X(VER_005, "L-VER-005", "request")                                                                                 \
    X(NAME_001, "L-NAME-001", "request")                                                                               \
    X(NAME_002, "L-NAME-002", "request")                                                                               \
    X(NAME_003, "L-NAME-003", "request")                                                                               \
    X(NAME_004, "L-NAME-004", "request")                                                                               \
    X(NAME_015, "L-NAME-015", "request")                                                                               \
    X(NAME_016, "L-NAME-016", "request")                                                                               \
    X(NAME_025, "L-NAME-025", "request")                                                                               \
    X(DUP_001, "L-DUP-001", "request")                                                                                 \
    X(DUP_002, "L-DUP-002", "request")                                                                                 \
    X(DUP_003, "L-DUP-003", "request")                                                                                 \
    X(PDU_001, "L-PDU-001", "request")                                                                                 \
    X(PDU_002, "L-PDU-002", "request")                                                                                 \
    X(PDU_003, "L-PDU-003", "request")                                                                                 \
    X(PDU_004, "L-PDU-004", "request")                                                                                 \
    X(PDU_005, "L-PDU-005", "request")                                                                                 \
    X(PDU_006, "L-PDU-006", "request")                                                                                 \
    X(PDU_007, "L-PDU-007", "request")                                                                                 \
    X(PDU_008, "L-PDU-008", "request")                                                                                 \
    X(PDU_009, "L-PDU-009", "request")                                                                                 \
    X(PDU_010, "L-PDU-010", "request")                                                                                 \
    X(PDU_011, "L-PDU-011", "request")                                                                                 \
    /* fullfeature.c: the first steps after the login */                                                               \
    X(SN_007, "L-SN-007", "fullfeature")                                                                               \
    X(KEY_DIG_03, "L-KEY-DIG-03", "fullfeature")                                                                       \
    X(NEG_028, "L-NEG-028", "fullfeature")                                                                             \
    X(KEY_DIG_04, "L-KEY-DIG-04", "fullfeature")                                                                       \
    X(KEY_MRD_02, "L-KEY-MRD-02", "fullfeature")                                                                       \
    X(KEY_IMM_04, "L-KEY-IMM-04", "fullfeature")                                                                       \
    X(KEY_MRD_06, "L-KEY-MRD-06", "fullfeature")                                                                       \
    X(KEY_MRD_05, "L-KEY-MRD-05", "fullfeature")                                                                       \
    X(DISC_005, "L-DISC-005", "fullfeature")                                                                           \
    X(DISC_006, "L-DISC-006", "fullfeature")                                                                           \
    X(DISC_015, "L-DISC-015", "fullfeature")                                                                           \
    /* ffheader.c: header, task tags and command window of full feature phase */                                       \
    X(FFP_006, "L-FFP-006", "ffheader")                                                                                \
    X(FFP_007, "L-FFP-007", "ffheader")                                                                                \
    X(FFP_008, "L-FFP-008", "ffheader")                                                                                \
    X(SN_017, "L-SN-017", "ffheader")                                                                                  \
    X(SN_018, "L-SN-018", "ffheader")                                                                                  \
    X(SN_019, "L-SN-019", "ffheader")                                                                                  \
    X(FFP_001, "L-FFP-001", "ffheader")                                                                                \
    X(FFP_010, "L-FFP-010", "ffheader")                                                                                \
    X(FFP_020, "L-FFP-020", "ffheader")                                                                                \
    /* ping.c: NOP-In */                                                                                               \
    X(FFP_002, "L-FFP-002", "ping")                                                                                    \
    X(FFP_003, "L-FFP-003", "ping")                                                                                    \
    X(FFP_004, "L-FFP-004", "ping")                                                                                    \
    X(FFP_005, "L-FFP-005", "ping")                                                                                    \
    /* textanswer.c: Text Responses */                                                                                 \
    X(FFP_011, "L-FFP-011", "textanswer")                                                                              \
    X(FFP_012, "L-FFP-012", "textanswer")                                                                              \
    X(FFP_013, "L-FFP-013", "textanswer")                                                                              \
    X(FFP_014, "L-FFP-014", "textanswer")                                                                              \
    X(FFP_015, "L-FFP-015", "textanswer")                                                                              \
    X(FFP_016, "L-FFP-016", "textanswer")                                                                              \
    X(FFP_017, "L-FFP-017", "textanswer")                                                                              \
    X(FFP_019, "L-FFP-019", "textanswer")                                                                              \
    X(FFP_025, "L-FFP-025", "textanswer")                                                                              \
    /* logout.c */                                                                                                     \
    X(FFP_021, "L-FFP-021", "logout")                                                                                  \
    X(FFP_022, "L-FFP-022", "logout")                                                                                  \
    X(FFP_023, "L-FFP-023", "logout")                                                                                  \
    X(FFP_024, "L-FFP-024", "logout")                                                                                  \
    X(FFP_052, "L-FFP-052", "logout")                                                                                  \
    X(FFP_053, "L-FFP-053", "logout")                                                                                  \
    /* reject.c */                                                                                                     \
    X(FFP_030, "L-FFP-030", "reject")                                                                                  \
    X(FFP_031, "L-FFP-031", "reject")                                                                                  \
    X(FFP_032, "L-FFP-032", "reject")                                                                                  \
    X(FFP_033, "L-FFP-033", "reject")                                                                                  \
    /* sendtargets.c */                                                                                                \
    X(SND_001, "L-SND-001", "sendtargets")                                                                             \
    X(SND_002, "L-SND-002", "sendtargets")                                                                             \
    X(SND_003, "L-SND-003", "sendtargets")                                                                             \
    X(SND_004, "L-SND-004", "sendtargets")                                                                             \
    X(SND_006, "L-SND-006", "sendtargets")                                                                             \
    X(SND_009, "L-SND-009", "sendtargets")                                                                             \
    X(SND_010, "L-SND-010", "sendtargets")                                                                             \
    X(SND_011, "L-SND-011", "sendtargets")                                                                             \
    /* order.c: the commands of a session */                                                                           \
    X(SN_020, "L-SN-020", "order")                                                                                     \
    X(SN_021, "L-SN-021", "order")                                                                                     \
    /* session.c: several connections together */                                                                      \
    X(TPGT_006, "L-TPGT-006", "session")                                                                               \
    X(TPGT_008, "L-TPGT-008", "session")                                                                               \
    X(SN_013, "L-SN-013", "session")                                                                                   \
    X(SN_016, "L-SN-016", "session")

#define AUDIT_RULE_ENUM(suffix, id, subject) AUDIT_##suffix,
enum audit_rule_id { AUDIT_RULES(AUDIT_RULE_ENUM) AUDIT_RULE_COUNT };
#undef AUDIT_RULE_ENUM

#endif
