/*
 * More rows of the defect table (defects.h): faults in what one step makes of another - a refusal, an unfinished login, a
 * connection that is added, a default that nobody spoke of. Same columns.
 */
#ifndef ISCSISPEC_DEFECTS_COURSE_H
#define ISCSISPEC_DEFECTS_COURSE_H

#define DEFECTS_COURSE_TABLE(X) \
    /* headers of requests */ \
    X(CHANGED_HEADER_AS_TARGET_ERROR, "changed-header-as-target-error", 0x0200, "11.12", \
      "answers 0x0300 when TSIH, CID, CmdSN or the version change within a login") \
    X(AHS_IGNORED, "ahs-ignored", 0x0200, "11.12", \
      "takes what stands behind the header of a Login Request for its text, whatever TotalAHSLength says") \
    X(NOT_IMMEDIATE_REJECTED, "not-immediate-rejected", 0x0200, "11.12", \
      "answers a Login Request without the I bit with a Reject") \
    /* other logins */ \
    X(ONE_LOGIN_AT_A_TIME, "one-login-at-a-time", 0x0302, "8.1.2", \
      "answers 0x0300 while another login on the same portal is not finished") \
    X(UNFINISHED_LOGINS_PILE_UP, "unfinished-logins-pile-up", 0x0302, "7.14", \
      "answers 0x0302 for ever once three logins were left unfinished") \
    X(ISID_KEPT_AFTER_REFUSAL, "isid-kept-after-refusal", 0x0300, "11.13.5", \
      "answers 0x0300 to the ISID of a login that was refused before") \
    X(LOST_JOIN_ENDS_SESSION, "lost-join-ends-session", DEFECTS_NO_CODE, "6.3.1", \
      "ends the session when a connection is lost before it was added") \
    X(JOIN_WITHOUT_AUTHENTICATION, "join-without-authentication", 0x0201, "9.2", \
      "does not ask for authentication on an added connection") \
    X(JOIN_BY_OTHER_USER, "join-by-other-user", 0x0201, "9.2", \
      "adds a connection that authenticated as another user than the session") \
    X(COMMAND_IN_LOGIN_EXECUTED, "command-in-login-executed", 0x020b, "4.2.4", \
      "answers a SCSI Command in login, or behind a refusal, with a SCSI Response") \
    X(GIVES_UP_AT_SIXTH_EXCHANGE, "gives-up-at-sixth-exchange", DEFECTS_NO_CODE, "6.2", \
      "answers 0x0300 to the sixth request of a login") \
    /* values */ \
    X(LONG_NAME_AS_TARGET_ERROR, "long-name-as-target-error", 0x0200, "4.2.7.1", \
      "answers 0x0300 to an InitiatorName that is too long") \
    X(EQUALS_SIGN_REFUSED, "equals-sign-refused", 0x0200, "6.1", \
      "answers 0x0200 to an InitiatorAlias that holds an equals sign") \
    X(NOT_UTF8_AS_TARGET_ERROR, "not-utf8-as-target-error", 0x0200, "6.1", \
      "answers 0x0300 to an InitiatorAlias that is not UTF-8") \
    X(NEWLINE_SEPARATES, "newline-separates", 0x0200, "6.1", \
      "takes a line feed for the end of a pair") \
    X(REFUSE_RECV_LENGTH_ENDS, "refuse-recv-length-ends", 0x0200, "13.12", \
      "answers 0x0200 to MaxRecvDataSegmentLength 512 and 16777215") \
    X(RECV_LENGTH_DEFAULT_UNKNOWN, "recv-length-default-unknown", DEFECTS_NO_CODE, "13.12", \
      "takes an initiator that declares no MaxRecvDataSegmentLength for one without limit") \
    X(DECLARES_RECV_LENGTH_TOO_SMALL, "declares-recv-length-too-small", DEFECTS_NO_CODE, "13.12", \
      "declares a MaxRecvDataSegmentLength of 256") \
    X(DIGEST_AFTER_REJECT, "digest-after-reject", DEFECTS_NO_CODE, "6.2", \
      "sends header digests although it rejected all that was offered") \
    X(PRIVATE_KEY_INSISTED, "private-key-insisted", 0x0200, "6.2", \
      "offers a private key and answers 0x0200 to NotUnderstood") \
    X(ANSWERS_UNASKED_KEY, "answers-unasked-key", DEFECTS_NO_CODE, "6.2", \
      "answers Irrelevant to a key that nobody has brought up") \
    X(OBSOLETE_NOT_UNDERSTOOD, "obsolete-not-understood", DEFECTS_NO_CODE, "13.25", \
      "answers NotUnderstood to IFMarkInt and OFMarkInt") \
    X(CHAP_MD5_ALONE, "chap-md5-alone", 0x0201, "12.1.3", \
      "knows MD5 alone, and answers 0x0300 where it is not offered") \
    /* long answers, and after login */ \
    X(LONG_ANSWER_CUT, "long-answer-cut", DEFECTS_NO_CODE, "6.2", \
      "drops what does not fit into one Login Response") \
    X(SEND_TARGETS_CUT, "send-targets-cut", DEFECTS_NO_CODE, "11.11.1", \
      "sends only the end of an answer that does not fit into one Text Response") \
    X(TEXT_REST_UNANSWERED, "text-rest-unanswered", DEFECTS_NO_CODE, "11.11.1", \
      "does not answer a request for the rest of a Text Response") \
    X(TEXT_UNKNOWN_KEY_IGNORED, "text-unknown-key-ignored", DEFECTS_NO_CODE, "6.2", \
      "does not answer keys of a Text Request that it does not know") \
    X(TEXT_LOGIN_KEY_TAKEN, "text-login-key-taken", DEFECTS_NO_CODE, "13", \
      "agrees to keys of the login in full feature phase") \
    X(TEXT_MALFORMED_IGNORED, "text-malformed-ignored", DEFECTS_NO_CODE, "7.7", \
      "says nothing to a Text Request that is malformed") \
    X(TEXT_RECV_LENGTH_IGNORED, "text-recv-length-ignored", DEFECTS_NO_CODE, "13.12", \
      "goes by the MaxRecvDataSegmentLength of the login after another one was declared") \
    X(UNSOLICITED_DATA_TAKEN, "unsolicited-data-taken", DEFECTS_NO_CODE, "13.11", \
      "writes immediate data although ImmediateData=No was agreed on") \
    /* what is asked for behind the login, and in which turn */ \
    X(COMMANDS_BEYOND_WINDOW, "commands-beyond-window", DEFECTS_NO_CODE, "4.2.2.1", \
      "serves commands whose CmdSN lies above MaxCmdSN") \
    X(COMMANDS_TWICE, "commands-twice", DEFECTS_NO_CODE, "4.2.2.1", \
      "serves commands whose CmdSN lies below ExpCmdSN") \
    X(COMMANDS_OUT_OF_TURN, "commands-out-of-turn", DEFECTS_NO_CODE, "4.2.2.1", \
      "serves commands at once, whichever are still to come before them") \
    X(IMMEDIATE_IN_WINDOW_ONLY, "immediate-in-window-only", DEFECTS_NO_CODE, "4.2.2.1", \
      "ignores requests for immediate delivery whose CmdSN lies outside the window") \
    X(MAXCMDSN_DROPS_AFTER_LOGIN, "maxcmdsn-drops-after-login", DEFECTS_NO_CODE, "4.2.2.1", \
      "sends a lower MaxCmdSN in full feature phase than in the login") \
    X(LUN_WITHOUT_TAG, "lun-without-tag", DEFECTS_NO_CODE, "11.11.4", \
      "sends a LUN in NOP-In and Text Response PDUs that have no Target Transfer Tag") \
    X(REJECT_FOR_DIGEST, "reject-for-digest", DEFECTS_NO_CODE, "11.17.1", \
      "rejects with reason 0x02, data digest error, whatever is wrong") \
    X(REJECT_WITH_DATA_SN, "reject-with-data-sn", DEFECTS_NO_CODE, "11.17.2", \
      "sends a DataSN in every Reject") \
    X(LOGOUT_OF_UNKNOWN_CID_DONE, "logout-of-unknown-cid-done", DEFECTS_NO_CODE, "11.15.1", \
      "answers a logout of a connection that is not there with response 0") \
    X(LOGOUT_FOR_RECOVERY_DONE, "logout-for-recovery-done", DEFECTS_NO_CODE, "11.15.1", \
      "answers a logout for recovery with response 0 at ErrorRecoveryLevel 0") \
    X(LOGOUT_ANY_REASON, "logout-any-reason", DEFECTS_NO_CODE, "11.14.1", \
      "answers a logout for a reserved reason with response 0") \
    X(CHAP_STEP_IGNORED, "chap-step-ignored", 0x0200, "12.1.3", \
      "passes over keys of a later CHAP step") \
    X(UNKNOWN_KEY_TWICE, "unknown-key-twice", 0x0200, "6.3", \
      "does not notice that a key which it does not know stands twice in a text") \
    X(LONG_TARGET_NAME_CUT, "long-target-name-cut", 0x0203, "4.2.7.1", \
      "serves a TargetName that is too long when it begins with the name of a target") \
    X(TEXT_C_BIT_REJECTED, "text-c-bit-rejected", DEFECTS_NO_CODE, "11.10.2", \
      "rejects Text Requests with C=1") \
    X(TEXT_PART_FORGOTTEN, "text-part-forgotten", DEFECTS_NO_CODE, "11.10.2", \
      "forgets the part of a text that came with C=1") \
    X(TEXT_FINAL_AND_MORE_TAKEN, "text-final-and-more-taken", DEFECTS_NO_CODE, "11.10.2", \
      "takes a Text Request with C=1 and F=1 for a whole one") \
    X(LONG_NAME_ACCEPTED, "long-name-accepted", 0x0200, "4.2.7.1", \
      "cuts an InitiatorName that is too long") \
    X(JOIN_TAKES_CMDSN, "join-takes-cmdsn", DEFECTS_NO_CODE, "11.12.8", \
      "answers the login of an added connection with its own CmdSN for the ExpCmdSN of the session") \
    /* lists of targets */ \
    X(SEND_TARGETS_WITHOUT_PORT, "send-targets-without-port", DEFECTS_NO_CODE, "13.8", \
      "leaves the port out of SendTargets answers, though it is not 3260") \
    X(SEND_TARGETS_ONE_PATH, "send-targets-one-path", DEFECTS_NO_CODE, "App.C", \
      "lists the address of one portal for each target") \
    X(SEND_TARGETS_ONE_TARGET, "send-targets-one-target", DEFECTS_NO_CODE, "App.C", \
      "lists the first target alone") \
    X(SEND_TARGETS_LIST_REJECTED, "send-targets-list-rejected", DEFECTS_NO_CODE, "App.C", \
      "sends SendTargets=Reject behind a list") \
    X(TEXT_KNOWN_KEY_NOT_UNDERSTOOD, "text-known-key-not-understood", DEFECTS_NO_CODE, "6.2", \
      "does not understand keys of the login in full feature phase") \
    X(TEXT_LOGIN_KEY_UNANSWERED, "text-login-key-unanswered", DEFECTS_NO_CODE, "6.2", \
      "does not answer keys of the login in full feature phase") \
    /* refusals */ \
    X(ISID_OTHER_IN_REFUSAL, "isid-other-in-refusal", DEFECTS_NO_CODE, "11.13", \
      "sends another ISID in a refusal than that of the request") \
    X(TSIH_OTHER_IN_REFUSED_JOIN, "tsih-other-in-refused-join", DEFECTS_NO_CODE, "11.13.3", \
      "sends another TSIH than that of the request when it refuses to add a connection")

#endif
