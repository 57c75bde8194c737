/*
 * Deliberate faults of the reference target, one rule broken by each (--defect NAME).
 *
 * A defect changes behaviour: at a guard of the login table, in the header or text of a response, or at the one place
 * where refusals leave. It never looks at who asks.
 */
#ifndef ISCSISPEC_DEFECTS_H
#define ISCSISPEC_DEFECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "planted.h"

#include "defects_course.h"
#include "defects_stimulus.h"

#define DEFECTS_NO_CODE 0xffffU         /* the defect is not about one status code */

/* The whole table: enum suffix, name, status code concerned, section of RFC 7143, what the target does wrong. */
#define DEFECTS_TABLE(X) \
    /* 0x0000: success */ \
    X(NEVER_FULL_FEATURE, "never-full-feature", 0x0000, "6.3.3", \
      "never sets T, so the login goes on for ever") \
    X(REFUSE_DEFAULT_SESSION_TYPE, "refuse-default-session-type", 0x0000, "13.21", \
      "answers 0x0207 when SessionType is left out") \
    X(REFUSE_SECURITY_STAGE, "refuse-security-stage", 0x0000, "6.3.1", \
      "answers 0x0200 to a security stage when it asks for no authentication") \
    X(REFUSE_EMPTY_REQUEST, "refuse-empty-request", 0x0000, "6.3", \
      "answers 0x0200 to a later Login Request without keys") \
    X(REFUSE_C_BIT, "refuse-c-bit", 0x0000, "6.2", \
      "answers 0x0300 to a Login Request with the C bit") \
    X(REFUSE_UNKNOWN_KEY, "refuse-unknown-key", 0x0000, "6.2", \
      "answers 0x0200 to a key it does not know") \
    X(REFUSE_RESERVED_BITS, "refuse-reserved-bits", 0x0000, "11", \
      "answers 0x0200 when reserved header bits of a request are set") \
    X(REFUSE_JOIN, "refuse-join", 0x0000, "6.3.1", \
      "answers 0x0300 to every added connection") \
    X(SPLIT_KEY_LOST, "split-key-lost", 0x0000, "6.2", \
      "loses a pair that is cut by a C-bit PDU boundary") \
    X(SUCCESS_DETAIL_SET, "success-detail-set", 0x0000, "11.13.5", \
      "sets Status-Detail 1 in success responses") \
    /* 0x0101, 0x0102: moved */ \
    X(REDIRECT_WITHOUT_ADDRESS, "redirect-without-address", 0x0101, "13.8", \
      "leaves TargetAddress out of a redirect") \
    X(REDIRECT_ADDRESS_WITH_TAG, "redirect-address-with-tag", 0x0101, "13.8", \
      "puts a portal group tag behind the address of a redirect") \
    X(REDIRECT_TEMPORARY_AS_PERMANENT, "redirect-temporary-as-permanent", 0x0101, "11.13.5", \
      "answers 0x0102 where the target moved temporarily") \
    X(REDIRECT_PERMANENT_AS_TEMPORARY, "redirect-permanent-as-temporary", 0x0102, "11.13.5", \
      "answers 0x0101 where the target moved permanently") \
    X(REDIRECT_WRONG_ADDRESS, "redirect-wrong-address", 0x0101, "11.13.5", \
      "names the address the initiator came to, so that a follower goes round for ever") \
    X(REDIRECT_ON_SUCCESS_STATUS, "redirect-on-success-status", 0x0101, "13.8", \
      "sends TargetAddress with status 0x0000 instead of a redirect") \
    X(MOVED_AS_NOT_FOUND, "moved-as-not-found", 0x0102, "11.13.5", \
      "answers 0x0203 for a target that moved") \
    X(IGNORE_MOVED, "ignore-moved", 0x0101, "11.13.5", \
      "serves a target that moved") \
    /* 0x0200: initiator error */ \
    X(ACCEPT_DUPLICATE_KEY, "accept-duplicate-key", 0x0200, "6.3", \
      "accepts a key negotiated twice, the last value counts") \
    X(ACCEPT_STAGE_2, "accept-stage-2", 0x0200, "11.12.3", \
      "takes CSG or NSG 2 for the operational stage") \
    X(ACCEPT_BACKWARD_STAGE, "accept-backward-stage", 0x0200, "6.3", \
      "goes back from the operational to the security stage") \
    X(ACCEPT_SAME_STAGE, "accept-same-stage", 0x0200, "11.12.3", \
      "accepts T=1 with NSG equal to CSG") \
    X(ACCEPT_C_WITH_T, "accept-c-with-t", 0x0200, "11.12.2", \
      "accepts a request with both T and C, and goes over") \
    X(ACCEPT_OPERATIONAL_KEY_IN_SECURITY, "accept-operational-key-in-security", 0x0200, "6.3.2", \
      "negotiates operational keys in the security stage") \
    X(ACCEPT_SEND_TARGETS_IN_LOGIN, "accept-send-targets-in-login", 0x0200, "13.3", \
      "answers SendTargets in the login phase") \
    X(ACCEPT_FIRST_BURST_ABOVE_MAX, "accept-first-burst-above-max", 0x0200, "13.14", \
      "agrees to a FirstBurstLength above MaxBurstLength") \
    X(ACCEPT_BAD_RECV_LENGTH, "accept-bad-recv-length", 0x0200, "13.12", \
      "accepts a MaxRecvDataSegmentLength out of range") \
    X(ACCEPT_RESERVED_VALUE_OFFER, "accept-reserved-value-offer", 0x0200, "6.2", \
      "takes Reject, Irrelevant or NotUnderstood as an offer and goes on") \
    X(ACCEPT_MALFORMED_TEXT, "accept-malformed-text", 0x0200, "6.1", \
      "skips text that is not key=value and goes on") \
    X(ACCEPT_STAGE_JUMP, "accept-stage-jump", 0x0200, "6.3", \
      "enters a stage that no response agreed to") \
    X(DUPLICATE_KEY_AS_REJECT, "duplicate-key-as-reject", 0x0200, "6.3", \
      "answers Reject to a key negotiated twice and goes on") \
    X(INITIATOR_ERROR_AS_TARGET_ERROR, "initiator-error-as-target-error", 0x0200, "11.13.5", \
      "answers 0x0300 where 0x0200 is due") \
    /* 0x0201: authentication failure */ \
    X(ACCEPT_ANY_CHAP_RESPONSE, "accept-any-chap-response", 0x0201, "12.1.3", \
      "does not verify CHAP_R") \
    X(ACCEPT_CHAP_PREFIX, "accept-chap-prefix", 0x0201, "12.1.3", \
      "compares only as many bytes of CHAP_R as were sent") \
    X(ACCEPT_UNAUTHENTICATED, "accept-unauthenticated", 0x0201, "6.3.1", \
      "lets the operational stage start without authentication") \
    X(ACCEPT_AUTH_NONE, "accept-auth-none", 0x0201, "6.3.2", \
      "answers AuthMethod=None where CHAP is required") \
    X(ACCEPT_UNKNOWN_CHAP_USER, "accept-unknown-chap-user", 0x0201, "12.1.3", \
      "lets a user in that it does not know") \
    X(ACCEPT_CHAP_USER_PREFIX, "accept-chap-user-prefix", 0x0201, "12.1.3", \
      "takes a user whose name begins with that of a known one") \
    X(CHAP_FAILURE_AS_INITIATOR_ERROR, "chap-failure-as-initiator-error", 0x0201, "12.1.3", \
      "answers 0x0200 to a wrong CHAP_R or user") \
    X(UNAUTHENTICATED_AS_TARGET_ERROR, "unauthenticated-as-target-error", 0x0201, "6.3.1", \
      "answers 0x0300 when the operational stage starts without authentication") \
    X(NO_COMMON_ALGORITHM_ACCEPTED, "no-common-algorithm-accepted", 0x0201, "12.1.3", \
      "goes on with MD5 when no offered algorithm is usable") \
    X(CHAP_SECOND_TRY, "chap-second-try", 0x0201, "12.1.3", \
      "answers a wrong CHAP_R with a new challenge instead of a refusal") \
    X(ACCEPT_REFLECTED_CHALLENGE, "accept-reflected-challenge", 0x0201, "12.1.3", \
      "answers its own challenge when an initiator sends it back") \
    X(IGNORE_MUTUAL_REQUEST, "ignore-mutual-request", 0x0201, "12.1.3", \
      "succeeds without CHAP_R when asked to authenticate itself") \
    X(ACCEPT_SAME_SECRET, "accept-same-secret", 0x0201, "9.2.1", \
      "accepts the secret of the initiator being its own") \
    X(MUTUAL_BEFORE_VERIFY, "mutual-before-verify", 0x0201, "12.1.3", \
      "answers the challenge of an initiator whose CHAP_R is wrong") \
    /* 0x0202: authorization failure */ \
    X(IGNORE_ALLOW_LIST, "ignore-allow-list", 0x0202, "11.13.5", \
      "serves initiators that are not allowed") \
    X(DENIED_AS_UNAVAILABLE, "denied-as-unavailable", 0x0202, "11.13.5", \
      "answers 0x0301 to an initiator that is not allowed") \
    X(DENIED_AS_MISSING_PARAMETER, "denied-as-missing-parameter", 0x0202, "11.13.5", \
      "answers 0x0207 to an initiator that is not allowed") \
    /* 0x0203, 0x0204: not found, removed */ \
    X(UNKNOWN_TARGET_AS_UNAVAILABLE, "unknown-target-as-unavailable", 0x0203, "11.13.5", \
      "answers 0x0301 for a name it does not know") \
    X(UNKNOWN_TARGET_ACCEPTED, "unknown-target-accepted", 0x0203, "11.13.5", \
      "serves its first target under any name") \
    X(UNKNOWN_TARGET_AS_TARGET_ERROR, "unknown-target-as-target-error", 0x0203, "11.13.5", \
      "answers 0x0300 for a name it does not know") \
    X(TARGET_NAME_BY_PREFIX, "target-name-by-prefix", 0x0203, "13.4", \
      "takes a TargetName that begins with the name of one of its targets") \
    X(TARGET_ON_ANY_PORTAL, "target-on-any-portal", 0x0203, "11.13.5", \
      "serves a target on portals it does not belong to") \
    X(REMOVED_AS_UNAVAILABLE, "removed-as-unavailable", 0x0204, "11.13.5", \
      "answers 0x0302 for a removed target") \
    X(REMOVED_TARGET_ACCEPTED, "removed-target-accepted", 0x0204, "11.13.5", \
      "serves a removed target") \
    X(REMOVED_AS_MOVED, "removed-as-moved", 0x0204, "11.13.5", \
      "answers 0x0102 without an address for a removed target") \
    /* 0x0205: unsupported version */ \
    X(ACCEPT_ANY_VERSION, "accept-any-version", 0x0205, "11.12.4", \
      "does not look at the version range") \
    X(UNSUPPORTED_VERSION_AS_TARGET_ERROR, "unsupported-version-as-target-error", 0x0205, "11.13.5", \
      "answers 0x0300 to an unsupported version") \
    X(UNSUPPORTED_VERSION_AS_INITIATOR_ERROR, "unsupported-version-as-initiator-error", 0x0205, "11.13.5", \
      "answers 0x0200 to an unsupported version") \
    X(VERSION_REJECT_WRONG_ACTIVE, "version-reject-wrong-active", 0x0205, "11.13.5", \
      "puts the version of the request into Version-active of the refusal") \
    X(VERSION_RANGE_REFUSED, "version-range-refused", 0x0205, "11.12.4", \
      "refuses every range whose upper end is not 0, though 0 lies in it") \
    /* 0x0206: too many connections */ \
    X(IGNORE_MAX_CONNECTIONS, "ignore-max-connections", 0x0206, "13.2", \
      "lets a session have any number of connections") \
    X(TOO_MANY_CONNECTIONS_AS_TARGET_ERROR, "too-many-connections-as-target-error", 0x0206, "11.13.5", \
      "answers 0x0300 to a connection too many") \
    X(TOO_MANY_CONNECTIONS_AS_UNAVAILABLE, "too-many-connections-as-unavailable", 0x0206, "11.13.5", \
      "answers 0x0301 to a connection too many") \
    X(TOO_MANY_CONNECTIONS_AS_RESOURCES, "too-many-connections-as-resources", 0x0206, "11.13.5", \
      "answers 0x0302 to a connection too many") \
    X(MAX_CONNECTIONS_OFF_BY_ONE, "max-connections-off-by-one", 0x0206, "13.2", \
      "lets a session have one connection more than agreed") \
    /* 0x0207: missing parameter */ \
    X(ACCEPT_MISSING_INITIATOR_NAME, "accept-missing-initiator-name", 0x0207, "13.5", \
      "takes a login without InitiatorName") \
    X(ACCEPT_MISSING_TARGET_NAME, "accept-missing-target-name", 0x0207, "13.4", \
      "serves its first target when no TargetName is given") \
    X(MISSING_NAME_AS_TARGET_ERROR, "missing-name-as-target-error", 0x0207, "11.13.5", \
      "answers 0x0300 when a name is missing") \
    X(MISSING_NAME_AS_NOT_FOUND, "missing-name-as-not-found", 0x0207, "11.13.5", \
      "answers 0x0203 when a name is missing") \
    X(MISSING_CHAP_R_AS_TARGET_ERROR, "missing-chap-r-as-target-error", 0x0207, "9.2", \
      "answers 0x0300 when CHAP_R is missing") \
    X(ACCEPT_MISSING_CHAP_R, "accept-missing-chap-r", 0x0207, "9.2", \
      "lets an initiator in that leaves CHAP_R out") \
    X(MISSING_NAME_WAITS, "missing-name-waits", 0x0207, "13.5", \
      "answers a request without names with status 0 and T=0") \
    /* 0x0208: can't include in session */ \
    X(JOIN_ANY_GROUP, "join-any-group", 0x0208, "4.4.3.1", \
      "lets a session span portal groups") \
    X(OTHER_GROUP_AS_TARGET_ERROR, "other-group-as-target-error", 0x0208, "11.13.5", \
      "answers 0x0300 to a connection through another portal group") \
    X(OTHER_GROUP_AS_NEW_SESSION, "other-group-as-new-session", 0x0208, "4.4.3.1", \
      "makes a new session of a connection through another portal group") \
    /* 0x0209: session type not supported */ \
    X(ACCEPT_DISCOVERY_ANYWHERE, "accept-discovery-anywhere", 0x0209, "11.13.5", \
      "serves discovery where it is switched off") \
    X(ACCEPT_UNKNOWN_SESSION_TYPE, "accept-unknown-session-type", 0x0209, "13.21", \
      "takes an unknown SessionType for Normal") \
    X(SESSION_TYPE_AS_MISSING_PARAMETER, "session-type-as-missing-parameter", 0x0209, "11.13.5", \
      "answers 0x0207 to a session type it does not serve") \
    X(SESSION_TYPE_AS_TARGET_ERROR, "session-type-as-target-error", 0x0209, "11.13.5", \
      "answers 0x0300 to a session type it does not serve") \
    /* 0x020a: session does not exist */ \
    X(UNKNOWN_TSIH_AS_NEW_SESSION, "unknown-tsih-as-new-session", 0x020a, "6.3.1", \
      "makes a new session when the TSIH is not known") \
    X(UNKNOWN_TSIH_AS_NOT_FOUND, "unknown-tsih-as-not-found", 0x020a, "6.3.1", \
      "answers 0x0203 to a TSIH that is not known") \
    X(UNKNOWN_TSIH_AS_TARGET_ERROR, "unknown-tsih-as-target-error", 0x020a, "6.3.1", \
      "answers 0x0300 to a TSIH that is not known") \
    X(JOIN_WITH_ANY_TSIH, "join-with-any-tsih", 0x020a, "6.3.1", \
      "joins by name and ISID, whatever the TSIH is") \
    X(JOIN_ANY_INITIATOR, "join-any-initiator", 0x020a, "6.3.1", \
      "joins by TSIH alone, whatever names and ISID are") \
    X(SESSION_OUTLIVES_LOGOUT, "session-outlives-logout", 0x020a, "11.14.1", \
      "keeps a session alive that was logged out") \
    /* 0x020b: invalid during login */ \
    X(IGNORE_PDU_IN_LOGIN, "ignore-pdu-in-login", 0x020b, "4.2.4", \
      "ignores other PDUs during login") \
    X(REJECT_PDU_IN_LOGIN, "reject-pdu-in-login", 0x020b, "4.2.4", \
      "answers other PDUs during login with a Reject PDU and goes on") \
    X(PDU_IN_LOGIN_AS_TARGET_ERROR, "pdu-in-login-as-target-error", 0x020b, "4.2.4", \
      "answers 0x0300 to other PDUs during login") \
    X(SERVE_PDU_IN_LOGIN, "serve-pdu-in-login", 0x020b, "4.2.4", \
      "answers a NOP-Out ping during login") \
    X(ANSWER_PDU_BEFORE_LOGIN, "answer-pdu-before-login", DEFECTS_NO_CODE, "4.2.4", \
      "answers other PDUs before login with a Reject PDU and goes on") \
    /* 0x0300, 0x0301, 0x0302: target errors */ \
    X(IGNORE_STORE_FAULT, "ignore-store-fault", 0x0300, "11.13.5", \
      "logs in to a target whose store failed") \
    X(STORE_FAULT_AS_INITIATOR_ERROR, "store-fault-as-initiator-error", 0x0300, "11.13.5", \
      "answers 0x0200 when its store failed") \
    X(STORE_FAULT_AS_NOT_FOUND, "store-fault-as-not-found", 0x0300, "11.13.5", \
      "answers 0x0203 when its store failed") \
    X(IGNORE_DRAIN, "ignore-drain", 0x0301, "11.13.5", \
      "takes new logins while it is shutting down") \
    X(DRAIN_DROPS_SESSIONS, "drain-drops-sessions", 0x0301, "11.13.5", \
      "drops live sessions of the portal when a login is refused in drain") \
    X(DRAIN_AS_INITIATOR_ERROR, "drain-as-initiator-error", 0x0301, "11.13.5", \
      "answers 0x0200 while it is shutting down") \
    X(DRAIN_AS_MISSING_PARAMETER, "drain-as-missing-parameter", 0x0301, "11.13.5", \
      "answers 0x0207 while it is shutting down") \
    X(IGNORE_MAX_SESSIONS, "ignore-max-sessions", 0x0302, "11.13.5", \
      "takes any number of sessions") \
    X(SESSION_LIMIT_AS_INITIATOR_ERROR, "session-limit-as-initiator-error", 0x0302, "11.13.5", \
      "answers 0x0200 to a session too many") \
    X(SESSION_LIMIT_AS_NOT_FOUND, "session-limit-as-not-found", 0x0302, "11.13.5", \
      "answers 0x0203 to a session too many") \
    X(SESSION_SLOT_LEAK, "session-slot-leak", 0x0302, "11.13.5", \
      "goes on counting sessions that were logged out") \
    /* how a refusal leaves */ \
    X(KEEP_OPEN_AFTER_REFUSAL, "keep-open-after-refusal", DEFECTS_NO_CODE, "11.13.5", \
      "keeps the connection after a refusal and takes another login on it") \
    X(CLOSE_ONLY_AFTER_INITIATOR, "close-only-after-initiator", DEFECTS_NO_CODE, "11.13.5", \
      "closes after a refusal only when the initiator did") \
    X(CLOSE_WITHOUT_ANSWER, "close-without-answer", DEFECTS_NO_CODE, "11.13.5", \
      "closes where a refusal is due, without a Login Response") \
    X(STATUS_DETAIL_LOST, "status-detail-lost", DEFECTS_NO_CODE, "11.13.5", \
      "sends the Status-Class of a refusal with detail 0") \
    X(STATUS_BYTES_SWAPPED, "status-bytes-swapped", DEFECTS_NO_CODE, "11.13.5", \
      "sends Status-Class and Status-Detail in the wrong order") \
    X(REFUSAL_AS_REJECT_PDU, "refusal-as-reject-pdu", DEFECTS_NO_CODE, "6.3.1", \
      "refuses a login with a Reject PDU") \
    X(KEYS_IN_REFUSAL, "keys-in-refusal", DEFECTS_NO_CODE, "6.3.1", \
      "negotiates keys in a refusal") \
    X(REFUSAL_ENDS_SESSION, "refusal-ends-session", DEFECTS_NO_CODE, "11.13.5", \
      "ends the session when an added connection is refused") \
    X(TSIH_IN_REFUSAL, "tsih-in-refusal", DEFECTS_NO_CODE, "11.13.3", \
      "gives a TSIH out in the refusal of a leading login") \
    /* header of a response */ \
    X(ANSWER_TWICE, "answer-twice", DEFECTS_NO_CODE, "6.3", \
      "sends every Login Response twice") \
    X(WRONG_ITT, "wrong-itt", DEFECTS_NO_CODE, "11.2.1.8", \
      "answers with another Initiator Task Tag") \
    X(ISID_NOT_ECHOED, "isid-not-echoed", DEFECTS_NO_CODE, "11.13", \
      "answers with ISID 0") \
    X(TSIH_ZERO_IN_FINAL, "tsih-zero-in-final", DEFECTS_NO_CODE, "11.13.3", \
      "gives no TSIH in the final response") \
    X(TSIH_IN_EVERY_RESPONSE, "tsih-in-every-response", DEFECTS_NO_CODE, "11.13.3", \
      "gives the TSIH of a new session out before the final response") \
    X(TSIH_CHANGES_ON_JOIN, "tsih-changes-on-join", DEFECTS_NO_CODE, "11.13.3", \
      "answers an added connection with another TSIH") \
    X(TSIH_ECHO_LOST_IN_JOIN, "tsih-echo-lost-in-join", DEFECTS_NO_CODE, "11.13.3", \
      "answers an added connection with TSIH 0") \
    X(T_BIT_WHEN_NOT_ASKED, "t-bit-when-not-asked", DEFECTS_NO_CODE, "11.13.1", \
      "goes to the next stage though T was 0") \
    X(C_BIT_WITH_T_BIT, "c-bit-with-t-bit", DEFECTS_NO_CODE, "11.13.2", \
      "sets C in responses that have T") \
    X(C_BIT_ALWAYS, "c-bit-always", DEFECTS_NO_CODE, "11.13.2", \
      "sets C in responses that have nothing left to say") \
    X(CSG_NOT_ECHOED, "csg-not-echoed", DEFECTS_NO_CODE, "11.13.4", \
      "sends CSG 0 for the operational stage and 1 for the security stage") \
    X(CSG_THREE, "csg-three", DEFECTS_NO_CODE, "11.13.4", \
      "sends CSG 3 in the response that ends the login") \
    X(NSG_ABOVE_ASKED, "nsg-above-asked", DEFECTS_NO_CODE, "11.13.4", \
      "answers a wish for the operational stage with full feature phase") \
    X(NSG_TWO, "nsg-two", DEFECTS_NO_CODE, "11.13.4", \
      "sends NSG 2 in responses that have T") \
    X(NSG_WITHOUT_T, "nsg-without-t", DEFECTS_NO_CODE, "11.13.4", \
      "sets NSG in responses without T") \
    X(FLAGS_RESERVED_SET, "flags-reserved-set", DEFECTS_NO_CODE, "11.13", \
      "sets the reserved bits of the flags byte") \
    X(STATSN_NOT_ADVANCED, "statsn-not-advanced", DEFECTS_NO_CODE, "11.13", \
      "sends the same StatSN in every Login Response") \
    X(STATSN_SKIPS, "statsn-skips", DEFECTS_NO_CODE, "11.13", \
      "advances StatSN by two for every Login Response") \
    X(STATSN_RESTARTS_AFTER_LOGIN, "statsn-restarts-after-login", DEFECTS_NO_CODE, "4.2.2.2", \
      "starts StatSN anew in full feature phase") \
    X(EXPCMDSN_ADVANCED_BY_LOGIN, "expcmdsn-advanced-by-login", DEFECTS_NO_CODE, "4.2.2.1", \
      "counts a Login Request as a command in ExpCmdSN") \
    X(LOGIN_REQUEST_COUNTED_AS_COMMAND, "login-request-counted-as-command", DEFECTS_NO_CODE, "4.2.2.1", \
      "expects the CmdSN after that of the login for the first command") \
    X(EXPCMDSN_ZERO, "expcmdsn-zero", DEFECTS_NO_CODE, "11.13", \
      "sends ExpCmdSN 0 during login") \
    X(MAXCMDSN_BELOW_EXPCMDSN_MINUS_ONE, "maxcmdsn-below-expcmdsn-minus-one", DEFECTS_NO_CODE, "4.2.2.1", \
      "sends a MaxCmdSN two below ExpCmdSN") \
    X(HEADER_LITTLE_ENDIAN, "header-little-endian", DEFECTS_NO_CODE, "11", \
      "writes StatSN and ExpCmdSN with the low byte first") \
    X(VERSION_MAX_NONZERO, "version-max-nonzero", DEFECTS_NO_CODE, "11.13", \
      "sends Version-max 1") \
    X(VERSION_ACTIVE_NONZERO, "version-active-nonzero", DEFECTS_NO_CODE, "11.13", \
      "sends Version-active 1") \
    X(VERSION_CHANGES, "version-changes", DEFECTS_NO_CODE, "11.13", \
      "sends another Version-max in later responses of a login") \
    X(RESERVED_BYTES_SET, "reserved-bytes-set", DEFECTS_NO_CODE, "11.13", \
      "sets reserved bytes of the Login Response") \
    X(OPCODE_WITH_IMMEDIATE_BIT, "opcode-with-immediate-bit", DEFECTS_NO_CODE, "11.2.1.1", \
      "sets the immediate bit in Login Responses") \
    X(AHS_IN_RESPONSE, "ahs-in-response", DEFECTS_NO_CODE, "11.13", \
      "sends an additional header segment with Login Responses") \
    X(DATA_LENGTH_COUNTS_PADDING, "data-length-counts-padding", DEFECTS_NO_CODE, "11.2.1.6", \
      "counts the padding in DataSegmentLength") \
    X(PADDING_LEFT_OUT, "padding-left-out", DEFECTS_NO_CODE, "4.2.1", \
      "leaves the padding of the data segment out") \
    X(PADDING_NOT_ZERO, "padding-not-zero", DEFECTS_NO_CODE, "4.2.1", \
      "fills the padding with bytes that are not 0") \
    X(DIGEST_IN_LOGIN, "digest-in-login", DEFECTS_NO_CODE, "13.1", \
      "puts a header digest on the final Login Response when digests were agreed") \
    X(DIGEST_NOT_USED, "digest-not-used", DEFECTS_NO_CODE, "13.1", \
      "sends no digests after they were agreed") \
    X(DIGEST_WRONG, "digest-wrong", DEFECTS_NO_CODE, "13.1", \
      "sends wrong digests") \
    X(RESPONSE_ABOVE_8192, "response-above-8192", DEFECTS_NO_CODE, "6.3", \
      "sends login answers of any size in one PDU") \
    /* portal group tag */ \
    X(NO_TPGT, "no-tpgt", DEFECTS_NO_CODE, "13.9", \
      "does not send TargetPortalGroupTag") \
    X(TPGT_LATE, "tpgt-late", DEFECTS_NO_CODE, "13.9", \
      "sends TargetPortalGroupTag in the second response") \
    X(TPGT_WRONG_TAG, "tpgt-wrong-tag", DEFECTS_NO_CODE, "13.9", \
      "sends a tag that is not that of the portal") \
    X(TPGT_IN_EVERY_RESPONSE, "tpgt-in-every-response", DEFECTS_NO_CODE, "13.9", \
      "sends TargetPortalGroupTag in every response") \
    X(TPGT_OUT_OF_RANGE, "tpgt-out-of-range", DEFECTS_NO_CODE, "13.9", \
      "sends TargetPortalGroupTag=65536") \
    /* text form */ \
    X(TEXT_WITHOUT_FINAL_NUL, "text-without-final-nul", DEFECTS_NO_CODE, "6.1", \
      "leaves the NUL of the last pair out") \
    X(TEXT_WITH_EMPTY_PAIR, "text-with-empty-pair", DEFECTS_NO_CODE, "6.1", \
      "sends an empty pair between two others") \
    X(TEXT_SPACE_AROUND_EQUALS, "text-space-around-equals", DEFECTS_NO_CODE, "6.1", \
      "writes a blank before the value") \
    X(NUMBER_WITH_LEADING_ZERO, "number-with-leading-zero", DEFECTS_NO_CODE, "6.1", \
      "writes decimal numbers with a leading zero") \
    X(BOOLEAN_LOWER_CASE, "boolean-lower-case", DEFECTS_NO_CODE, "6.1", \
      "answers yes and no instead of Yes and No") \
    X(ANSWER_TO_C_BIT_NOT_EMPTY, "answer-to-c-bit-not-empty", DEFECTS_NO_CODE, "6.2", \
      "answers a C=1 request with a key") \
    X(C_BIT_REQUEST_JUDGED_EARLY, "c-bit-request-judged-early", DEFECTS_NO_CODE, "6.2", \
      "answers the keys of a C=1 request before the text is complete") \
    X(CONTINUATION_CARRIES_T, "continuation-carries-t", DEFECTS_NO_CODE, "6.2", \
      "grants the stage change in the empty answer to a C=1 request") \
    /* negotiation */ \
    X(NO_ANSWER_TO_KEY, "no-answer-to-key", DEFECTS_NO_CODE, "6.2", \
      "does not answer numeric keys") \
    X(ANSWERS_ONE_KEY_TWICE, "answers-one-key-twice", DEFECTS_NO_CODE, "6.2", \
      "answers every negotiated key twice") \
    X(DECLARES_ANSWERED, "declares-answered", DEFECTS_NO_CODE, "6.2", \
      "answers InitiatorAlias and InitiatorName") \
    X(SENDS_TARGET_NAME, "sends-target-name", DEFECTS_NO_CODE, "13.4", \
      "sends TargetName in a Login Response") \
    X(UNKNOWN_KEY_IGNORED, "unknown-key-ignored", DEFECTS_NO_CODE, "6.2", \
      "does not answer keys it does not know") \
    X(UNKNOWN_KEY_AS_REJECT, "unknown-key-as-reject", DEFECTS_NO_CODE, "6.2", \
      "answers Reject to keys it does not know") \
    X(UNKNOWN_KEY_ACCEPTED, "unknown-key-accepted", DEFECTS_NO_CODE, "6.2", \
      "repeats the value of keys it does not know") \
    X(NOT_UNDERSTOOD_FOR_KNOWN_KEY, "not-understood-for-known-key", DEFECTS_NO_CODE, "6.2", \
      "answers NotUnderstood to DataPDUInOrder and DataSequenceInOrder") \
    X(MIN_KEY_TAKES_MAX, "min-key-takes-max", DEFECTS_NO_CODE, "6.2.2", \
      "answers keys whose result is the minimum above the offer") \
    X(MAX_KEY_TAKES_MIN, "max-key-takes-min", DEFECTS_NO_CODE, "6.2.2", \
      "answers keys whose result is the maximum below the offer") \
    X(AND_KEY_TAKES_OR, "and-key-takes-or", DEFECTS_NO_CODE, "6.2.2", \
      "answers Yes to ImmediateData=No") \
    X(OR_KEY_TAKES_AND, "or-key-takes-and", DEFECTS_NO_CODE, "6.2.2", \
      "answers No to an OR key offered Yes") \
    X(RESULT_OUT_OF_RANGE, "result-out-of-range", DEFECTS_NO_CODE, "13", \
      "takes numbers out of range as they are offered") \
    X(NUMBER_CUT_TO_32_BITS, "number-cut-to-32-bits", DEFECTS_NO_CODE, "6.1", \
      "cuts numbers to 32 bits") \
    X(OCTAL_NUMBERS, "octal-numbers", DEFECTS_NO_CODE, "6.1", \
      "reads numbers with a leading zero as octal") \
    X(HEX_NUMBERS_REFUSED, "hex-numbers-refused", DEFECTS_NO_CODE, "6.1", \
      "answers Reject to hexadecimal numbers") \
    X(RECV_LENGTH_ECHOED, "recv-length-echoed", DEFECTS_NO_CODE, "13.12", \
      "answers Reject to the declaration MaxRecvDataSegmentLength") \
    X(RECV_LENGTH_IGNORED, "recv-length-ignored", DEFECTS_NO_CODE, "13.12", \
      "sends data segments above the initiator's MaxRecvDataSegmentLength") \
    X(DIGEST_NOT_OFFERED, "digest-not-offered", DEFECTS_NO_CODE, "6.2.1", \
      "answers None to digests among which None was not offered") \
    X(DIGEST_LIST_ECHOED, "digest-list-echoed", DEFECTS_NO_CODE, "6.2.1", \
      "answers a list with the whole list") \
    X(LIST_PICKS_LAST, "list-picks-last", DEFECTS_NO_CODE, "6.2.1", \
      "picks the last usable value of a list instead of the first") \
    X(DISCOVERY_RECOVERY_LEVEL_TWO, "discovery-recovery-level-two", DEFECTS_NO_CODE, "13.20", \
      "agrees to ErrorRecoveryLevel 2 in a discovery session") \
    X(MARKERS_ACCEPTED, "markers-accepted", DEFECTS_NO_CODE, "13.25", \
      "answers Yes to IFMarker and OFMarker") \
    X(OPERATIONAL_KEY_IN_SECURITY, "operational-key-in-security", DEFECTS_NO_CODE, "6.3.2", \
      "declares MaxRecvDataSegmentLength in the security stage") \
    X(PROPOSAL_WITH_T_BIT, "proposal-with-t-bit", DEFECTS_NO_CODE, "6.3", \
      "proposes MaxBurstLength in the response that ends the login") \
    /* security */ \
    X(AUTH_METHOD_NOT_OFFERED, "auth-method-not-offered", DEFECTS_NO_CODE, "6.3.2", \
      "answers CHAP to an AuthMethod list without it") \
    X(AUTH_METHOD_UNKNOWN_TAKEN, "auth-method-unknown-taken", DEFECTS_NO_CODE, "6.3.2", \
      "takes the first AuthMethod of the list, known or not") \
    X(CHAP_ALGORITHM_NOT_OFFERED, "chap-algorithm-not-offered", DEFECTS_NO_CODE, "12.1.3", \
      "picks a CHAP algorithm that was not offered") \
    X(CHAP_ALGORITHM_NOT_FIRST, "chap-algorithm-not-first", DEFECTS_NO_CODE, "12.1.3", \
      "picks the last usable CHAP algorithm of the list") \
    X(CHAP_CONSTANT_CHALLENGE, "chap-constant-challenge", DEFECTS_NO_CODE, "9.2.1", \
      "sends the same challenge in every login") \
    X(CHAP_CONSTANT_IDENTIFIER, "chap-constant-identifier", DEFECTS_NO_CODE, "12.1.3", \
      "sends CHAP_I=1 in every login") \
    X(CHAP_IDENTIFIER_OUT_OF_RANGE, "chap-identifier-out-of-range", DEFECTS_NO_CODE, "12.1.3", \
      "sends a CHAP_I above 255") \
    X(CHAP_CHALLENGE_TOO_LONG, "chap-challenge-too-long", DEFECTS_NO_CODE, "12.1.3", \
      "sends a challenge of 1025 bytes") \
    X(CHAP_CHALLENGE_EMPTY, "chap-challenge-empty", DEFECTS_NO_CODE, "12.1.3", \
      "sends an empty challenge") \
    X(CHAP_KEYS_WITH_T, "chap-keys-with-t", DEFECTS_NO_CODE, "6.3.2", \
      "grants the stage change together with AuthMethod=CHAP or the challenge") \
    X(CHAP_SKIPS_STEP, "chap-skips-step", DEFECTS_NO_CODE, "12.1.3", \
      "sends the challenge at once, without waiting for CHAP_A") \
    X(CHAP_BASE64_REFUSED, "chap-base64-refused", DEFECTS_NO_CODE, "6.1", \
      "refuses a right CHAP_R in base64") \
    X(CHAP_UPPER_CASE_REFUSED, "chap-upper-case-refused", DEFECTS_NO_CODE, "6.1", \
      "refuses a right CHAP_R in upper-case hexadecimal") \
    X(CHAP_R_UNASKED, "chap-r-unasked", DEFECTS_NO_CODE, "12.1.3", \
      "sends CHAP_N and CHAP_R that nobody asked for") \
    X(MUTUAL_WRONG_RESPONSE, "mutual-wrong-response", DEFECTS_NO_CODE, "12.1.3", \
      "answers the challenge of the initiator wrongly") \
    X(MUTUAL_WITHOUT_NAME, "mutual-without-name", DEFECTS_NO_CODE, "12.1.3", \
      "leaves CHAP_N out of its answer to a challenge") \
    /* sessions */ \
    X(LEAKS_SESSION, "leaks-session", DEFECTS_NO_CODE, "6.3.5", \
      "keeps the old session when it is reinstated") \
    X(REINSTATEMENT_REFUSED, "reinstatement-refused", DEFECTS_NO_CODE, "6.3.5", \
      "answers 0x0206 to a session reinstatement") \
    X(REINSTATEMENT_ON_FIRST_PDU, "reinstatement-on-first-pdu", DEFECTS_NO_CODE, "6.3.5", \
      "ends the old session before the new login is complete") \
    X(REINSTATEMENT_BY_ISID_ALONE, "reinstatement-by-isid-alone", DEFECTS_NO_CODE, "6.3.5", \
      "ends sessions of other initiators or targets that have the same ISID") \
    X(CONNECTION_REINSTATEMENT_LEAKS, "connection-reinstatement-leaks", DEFECTS_NO_CODE, "6.3.4", \
      "keeps the old connection when it is reinstated") \
    X(CONNECTION_REINSTATEMENT_REFUSED, "connection-reinstatement-refused", DEFECTS_NO_CODE, "6.3.4", \
      "answers 0x0206 to a connection reinstatement") \
    X(TSIH_CONSTANT, "tsih-constant", DEFECTS_NO_CODE, "11.12.6", \
      "gives every session the same TSIH") \
    X(REJECT_ADMISSIBLE_VALUE, "reject-admissible-value", DEFECTS_NO_CODE, "6.2.2", \
      "answers InitialR2T, MaxConnections and MaxOutstandingR2T with Reject whatever was offered") \
    X(IRRELEVANT_IN_NORMAL_SESSION, "irrelevant-in-normal-session", DEFECTS_NO_CODE, "6.2", \
      "answers ErrorRecoveryLevel and FirstBurstLength with Irrelevant in a normal session") \
    X(PRIVATE_KEY_WITH_T, "private-key-with-t", DEFECTS_NO_CODE, "11.13.6", \
      "proposes a private key in the final Login Response, where nobody can answer it") \
    X(MUTUAL_WRONG_NAME, "mutual-wrong-name", DEFECTS_NO_CODE, "12.1.3", \
      "answers the challenge of an initiator under another name than its own") \
    X(CHALLENGE_TWICE_IN_TEXT, "challenge-twice-in-text", DEFECTS_NO_CODE, "6.3", \
      "sends CHAP_C twice in one response") \
    X(SEND_TARGETS_BAD_NAME, "send-targets-bad-name", DEFECTS_NO_CODE, "4.2.7.1", \
      "tells a TargetName in SendTargets answers that is no iSCSI name") \
    X(REFUSAL_WITH_STAGE, "refusal-with-stage", DEFECTS_NO_CODE, "6.3.1", \
      "sets T, CSG and NSG in a refusal") \
    X(REFUSAL_WRONG_VERSION, "refusal-wrong-version", DEFECTS_NO_CODE, "11.13.1", \
      "puts version 2 into the version fields of a refusal") \
    X(DIGEST_LIST_REJECTED, "digest-list-rejected", DEFECTS_NO_CODE, "6.2.1", \
      "answers HeaderDigest and DataDigest with Reject though it knows what is offered") \
    X(MARKERS_IRRELEVANT, "markers-irrelevant", DEFECTS_NO_CODE, "13.25", \
      "answers IFMarker and OFMarker with Irrelevant") \
    X(CLOSE_AFTER_FINAL, "close-after-final", DEFECTS_NO_CODE, "6.3", \
      "closes the connection right behind the final Login Response") \
    X(ACCEPT_SKIPPED_CHALLENGE, "accept-skipped-challenge", 0x0200, "12.1.3", \
      "lets an initiator in that sends CHAP_N and CHAP_R without a challenge") \
    X(METHOD_ONLY_AT_ONCE, "method-only-at-once", DEFECTS_NO_CODE, "6.3.2", \
      "refuses an AuthMethod that comes after the first request") \
    X(METHOD_UNANSWERED, "method-unanswered", DEFECTS_NO_CODE, "6.2.1", \
      "says nothing to an AuthMethod without a usable method, and goes on") \
    X(ACCEPT_RESERVED_METHOD, "accept-reserved-method", 0x0200, "6.2", \
      "takes AuthMethod=Reject for None") \
    /* discovery and text */ \
    X(SEND_TARGETS_WITHOUT_ADDRESS, "send-targets-without-address", DEFECTS_NO_CODE, "Appendix C", \
      "leaves TargetAddress out of SendTargets answers") \
    X(SEND_TARGETS_WITHOUT_TAG, "send-targets-without-tag", DEFECTS_NO_CODE, "13.8", \
      "leaves the portal group tags out of SendTargets answers") \
    X(SEND_TARGETS_WRONG_TAG, "send-targets-wrong-tag", DEFECTS_NO_CODE, "13.8", \
      "tells a portal group tag that differs from that of the login") \
    X(SEND_TARGETS_LISTS_DENIED, "send-targets-lists-denied", DEFECTS_NO_CODE, "4.3", \
      "lists targets to initiators that may not log in to them") \
    X(SEND_TARGETS_LISTS_ALL, "send-targets-lists-all", DEFECTS_NO_CODE, "Appendix C", \
      "lists all targets when one was asked for, in normal sessions too") \
    X(SEND_TARGETS_EMPTY, "send-targets-empty", DEFECTS_NO_CODE, "Appendix C", \
      "answers SendTargets with an empty list") \
    X(SEND_TARGETS_EXTRA_KEY, "send-targets-extra-key", DEFECTS_NO_CODE, "Appendix C", \
      "puts TargetAlias into SendTargets answers") \
    X(TEXT_RESPONSE_WRONG_TTT, "text-response-wrong-ttt", DEFECTS_NO_CODE, "11.11.4", \
      "sends a Target Transfer Tag with the final Text Response") \
    X(TEXT_RESPONSE_NOT_FINAL, "text-response-not-final", DEFECTS_NO_CODE, "11.11.1", \
      "does not set F in the last Text Response") \
    X(COMMANDS_IN_DISCOVERY, "commands-in-discovery", DEFECTS_NO_CODE, "4.3", \
      "executes SCSI commands in a discovery session") \
    /* after login */ \
    X(NOP_IN_WRONG_TTT, "nop-in-wrong-ttt", DEFECTS_NO_CODE, "11.19.2", \
      "answers a ping with a Target Transfer Tag") \
    X(NOP_IN_DATA_LOST, "nop-in-data-lost", DEFECTS_NO_CODE, "11.19", \
      "does not send the ping data back") \
    X(NOP_IN_WRONG_ITT, "nop-in-wrong-itt", DEFECTS_NO_CODE, "11.19", \
      "answers a ping with another Initiator Task Tag") \
    X(NOP_NO_ANSWER, "nop-no-answer", DEFECTS_NO_CODE, "11.18", \
      "does not answer a ping") \
    X(LOGOUT_NO_RESPONSE, "logout-no-response", DEFECTS_NO_CODE, "11.15", \
      "closes at a Logout Request without a response") \
    X(LOGOUT_KEEPS_OPEN, "logout-keeps-open", DEFECTS_NO_CODE, "11.14", \
      "keeps the connection open after a logout") \
    X(LOGOUT_WRONG_RESPONSE, "logout-wrong-response", DEFECTS_NO_CODE, "11.15.1", \
      "answers a logout of its own connection with response 1") \
    X(NOP_IN_UNASKED_WITH_DATA, "nop-in-unasked-with-data", DEFECTS_NO_CODE, "11.19", \
      "sends the data of a NOP-Out without a task tag back") \
    X(FULL_FEATURE_RESERVED_SET, "full-feature-reserved-set", DEFECTS_NO_CODE, "11", \
      "sets reserved bytes in full feature phase") \
    X(FULL_FEATURE_FINAL_LOST, "full-feature-final-lost", DEFECTS_NO_CODE, "11.2.1.3", \
      "does not set F in full feature phase, but in Text Responses") \
    X(FULL_FEATURE_WRONG_ITT, "full-feature-wrong-itt", DEFECTS_NO_CODE, "11.2.1.8", \
      "answers text, logout and SCSI requests with another Initiator Task Tag") \
    X(EXPCMDSN_TOO_LATE, "expcmdsn-too-late", DEFECTS_NO_CODE, "4.2.2.1", \
      "acknowledges a command only behind its response") \
    X(EXPCMDSN_GOES_BACK, "expcmdsn-goes-back", DEFECTS_NO_CODE, "4.2.2.1", \
      "sends ExpCmdSN one lower in every second response") \
    X(MAXCMDSN_GOES_BACK, "maxcmdsn-goes-back", DEFECTS_NO_CODE, "4.2.2.1", \
      "sends MaxCmdSN one lower in every second response") \
    X(DIGEST_NOT_AGREED, "digest-not-agreed", DEFECTS_NO_CODE, "13.1", \
      "sends header digests that were not agreed") \
    X(REJECT_WITH_ITT, "reject-with-itt", DEFECTS_NO_CODE, "11.17", \
      "sends the Initiator Task Tag of the request in a Reject") \
    X(REJECT_DEPRECATED_REASON, "reject-deprecated-reason", DEFECTS_NO_CODE, "11.17.1", \
      "rejects with reason 0x0b") \
    X(REJECT_WITHOUT_HEADER, "reject-without-header", DEFECTS_NO_CODE, "11.17.4", \
      "leaves the header of the bad PDU out of a Reject") \
    X(TEXT_RESPONSE_FINAL_TOO_EARLY, "text-response-final-too-early", DEFECTS_NO_CODE, "11.11.1", \
      "answers a Text Request with F=0 with F=1") \
    X(TEXT_RESPONSE_C_WITH_F, "text-response-c-with-f", DEFECTS_NO_CODE, "11.11.2", \
      "sets C in the final Text Response") \
    X(TEXT_RESPONSE_WITHOUT_FINAL_NUL, "text-response-without-final-nul", DEFECTS_NO_CODE, "6.1", \
      "leaves the NUL of the last pair out of a Text Response") \
    X(TEXT_RESPONSE_TO_C_BIT_NOT_EMPTY, "text-response-to-c-bit-not-empty", DEFECTS_NO_CODE, "6.2", \
      "answers a Text Request with C=1 with a key") \
    X(LOGOUT_RESPONSE_WITH_DATA, "logout-response-with-data", DEFECTS_NO_CODE, "11.15.2", \
      "sends data in a Logout Response") \
    X(LOGOUT_RESPONSE_NOT_LAST, "logout-response-not-last", DEFECTS_NO_CODE, "11.14", \
      "sends a NOP-In behind the Logout Response") \
    X(LOGIN_IN_FULL_FEATURE, "login-in-full-feature", DEFECTS_NO_CODE, "6.3", \
      "answers a Login Request in full feature phase with status 0x0000") \
    DEFECTS_STIMULUS_TABLE(X) \
    DEFECTS_COURSE_TABLE(X) \
    DEFECTS_PLANTED_TABLE(X)

#define DEFECTS_ENUM(suffix, name, code, section, what) DEFECT_##suffix,
enum defect { DEFECTS_TABLE(DEFECTS_ENUM) DEFECT_COUNT };
#undef DEFECTS_ENUM

enum { DEFECTS_WORDS = (DEFECT_COUNT + 63) / 64 };

/* Which defects are switched on. All zero: none. */
struct defects {
    uint64_t bits[DEFECTS_WORDS];
    bool any;
};

struct defects_entry {
    const char *name;
    const char *what;
    const char *section;    /* of RFC 7143 */
    uint16_t code;          /* status the defect is about, or DEFECTS_NO_CODE */
};

static inline bool defects_has(const struct defects *defects, enum defect defect)
{
    return (defects->bits[(unsigned)defect / 64U] >> ((unsigned)defect % 64U) & 1U) != 0;
}

/* Switches one on. */
void defects_set(struct defects *defects, enum defect defect);

/* The number of a defect by name, DEFECT_COUNT when there is none. */
enum defect defects_find(const char *name);

/* The table row of a defect; NULL out of range. */
const struct defects_entry *defects_entry(enum defect defect);

#endif
