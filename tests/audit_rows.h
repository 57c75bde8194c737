/* The rows of test_audit.c: which change to which base wakes which rule, and what wakes none. */

/* Indices of messages: a target's answers have the odd numbers (but in bases with several connections). */
static const struct row broken[] = {
    /* header */
    {"L-RSP-001", PLAIN, {{BYTE, 1, NULL, 0x0063}}, false},
    {"L-RSP-001", PLAIN, {{BYTE, 1, NULL, 0x00a3}}, false},
    {"L-RSP-001", PLAIN, {{BYTE, 1, NULL, 0x0024}, {CUT, 2, NULL, 0}}, false},
    {"L-PDU-012", PLAIN, {{BYTE, 1, NULL, 0x0020}, {CUT, 2, NULL, 0}}, false},
    {"L-PDU-012", PLAIN, {{BYTE, 1, NULL, 0x003f}, {CUT, 2, NULL, 0}}, false},
    {"L-STG-017", PLAIN, {{BYTE, 1, NULL, 0x0021}, {CUT, 2, NULL, 0}}, false},
    {"L-RSP-002", PLAIN, {{BYTE, 1, NULL, 0x01b7}}, false},
    {"L-RSP-002", PLAIN, {{BYTE, 1, NULL, 0x1401}}, false},
    {"L-RSP-002", PLAIN, {{BYTE, 1, NULL, 0x2601}}, false},
    {"L-RSP-002", REFUSED, {{BYTE, 1, NULL, 0x2f01}}, false},
    {"L-RSP-006", LONG_ANSWER, {{SET, 1, "TargetPortalGroupTag=1", 0}, {NOTHING, 0, NULL, 0}}, false},
    {"L-RSP-007", PLAIN, {{FIELD, 1, "Status", 1}, {CUT, 2, NULL, 0}}, false},
};

static const struct row innocent[] = {
    {NULL, PLAIN, {{NOTHING, 0, NULL, 0}}, false},
};
