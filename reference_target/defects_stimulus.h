/*
 * More rows of the defect table (defects.h): faults that only a stimulus of a case shows, as the bytes that come back are
 * well-formed in themselves. Same columns.
 */
#ifndef ISCSISPEC_DEFECTS_STIMULUS_H
#define ISCSISPEC_DEFECTS_STIMULUS_H

#define DEFECTS_STIMULUS_TABLE(X) \
    /* digests and addresses */ \
    X(HEADER_DIGEST_UNCHECKED, "header-digest-unchecked", DEFECTS_NO_CODE, "7.8", \
      "serves PDUs whose header digest does not fit") \
    X(DATA_DIGEST_UNCHECKED, "data-digest-unchecked", DEFECTS_NO_CODE, "7.8", \
      "serves PDUs whose data digest does not fit") \
    X(DATA_DIGEST_WRONG_REASON, "data-digest-wrong-reason", DEFECTS_NO_CODE, "7.8", \
      "rejects a PDU whose data digest does not fit with reason 0x04") \
    X(SEND_TARGETS_BARE_IPV6, "send-targets-bare-ipv6", DEFECTS_NO_CODE, "13.8", \
      "writes IPv6 addresses in SendTargets answers without brackets") \
    /* CHAP */ \
    X(CHAP_ALWAYS_MD5, "chap-always-md5", 0x0000, "12.1.3", \
      "computes MD5 whatever algorithm was agreed on") \
    X(CHAP_NAME_DECODED, "chap-name-decoded", 0x0000, "12.1.3", \
      "does not know a CHAP_N that begins with 0x or 0b, which it takes for a binary value") \
    X(MUTUAL_BASE64_REFUSED, "mutual-base64-refused", 0x0000, "6.1", \
      "refuses a challenge of the initiator in base64") \
    X(MUTUAL_HEX_IDENTIFIER_REFUSED, "mutual-hex-identifier-refused", 0x0000, "6.1", \
      "refuses a hexadecimal CHAP_I of the initiator") \
    X(MUTUAL_CHALLENGE_CUT, "mutual-challenge-cut", DEFECTS_NO_CODE, "12.1.3", \
      "answers the first 255 bytes of a longer challenge only") \
    X(ACCEPT_LONG_CHALLENGE, "accept-long-challenge", 0x0200, "12.1.3", \
      "answers a challenge of more than 1024 bytes") \
    X(ACCEPT_EMPTY_CHALLENGE, "accept-empty-challenge", 0x0200, "12.1.3", \
      "answers an empty challenge") \
    X(ACCEPT_WIDE_IDENTIFIER, "accept-wide-identifier", 0x0200, "12.1.3", \
      "takes the low octet of a CHAP_I above 255, and 0 for one that is no number") \
    /* text over several requests */ \
    X(CONTINUED_TEXT_LIMITED, "continued-text-limited", 0x0302, "6.1", \
      "answers 0x0302 to more than 4096 bytes of text over several requests") \
    /* headers */ \
    X(REFUSE_ISID_FORMATS, "refuse-isid-formats", 0x0000, "11.12.5", \
      "answers 0x0200 to an ISID of the OUI or the enterprise number format") \
    X(REFUSE_CID_ENDS, "refuse-cid-ends", 0x0000, "11.12.7", \
      "answers 0x0200 to CID 0 and 0xffff") \
    X(ACCEPT_ANY_STAGE, "accept-any-stage", 0x0200, "11.12.3", \
      "takes CSG 2 and 3 for the operational stage") \
    X(UNKNOWN_OPCODE_ANSWERED, "unknown-opcode-answered", DEFECTS_NO_CODE, "11.17.1", \
      "answers opcodes that an initiator does not have with a NOP-In") \
    X(TEXT_ANY_TAG, "text-any-tag", DEFECTS_NO_CODE, "11.10.4", \
      "answers Text Requests with a Target Transfer Tag that it did not give") \
    X(SEND_TARGETS_ANY_KEY, "send-targets-any-key", DEFECTS_NO_CODE, "13.3", \
      "takes keys that it does not know for SendTargets") \
    /* values */ \
    X(REFUSE_RANGE_ENDS, "refuse-range-ends", DEFECTS_NO_CODE, "13", \
      "answers Reject to the lowest and the highest number of a range") \
    X(EMPTY_VALUE_UNANSWERED, "empty-value-unanswered", DEFECTS_NO_CODE, "6.2", \
      "does not answer a key whose value is empty") \
    X(INADMISSIBLE_UNANSWERED, "inadmissible-unanswered", DEFECTS_NO_CODE, "6.2.2", \
      "does not answer a value that is not admissible") \
    X(INADMISSIBLE_AS_NOT_UNDERSTOOD, "inadmissible-as-not-understood", DEFECTS_NO_CODE, "6.2.2", \
      "answers NotUnderstood to a value that is not admissible") \
    X(IRRELEVANT_AS_NOT_UNDERSTOOD, "irrelevant-as-not-understood", DEFECTS_NO_CODE, "13", \
      "answers NotUnderstood to keys that mean nothing in a discovery session") \
    X(IRRELEVANT_UNANSWERED, "irrelevant-unanswered", DEFECTS_NO_CODE, "6.2", \
      "does not answer keys that mean nothing in a discovery session") \
    X(LIST_ECHOED, "list-echoed", DEFECTS_NO_CODE, "6.2.1", \
      "answers TaskReporting with the whole list") \
    X(BOOLEAN_ECHOED, "boolean-echoed", DEFECTS_NO_CODE, "6.2", \
      "repeats a boolean that is neither Yes nor No") \
    X(ACCEPT_LEADING_ONLY_IN_JOIN, "accept-leading-only-in-join", DEFECTS_NO_CODE, "13", \
      "negotiates session-wide keys on an added connection")

#endif
