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
      "writes immediate data although ImmediateData=No was agreed on")

#endif
