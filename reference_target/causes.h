/*
 * Why a login is refused. What a handler of the login engine returns: each cause has the one status that goes out.
 */
#ifndef ISCSISPEC_CAUSES_H
#define ISCSISPEC_CAUSES_H

#include <stdint.h>

/* suffix, status, RFC 7143 section, text for the log */
#define CAUSES_TABLE(X) \
    X(OTHER_PDU, STATUS_INVALID_DURING_LOGIN, "4.2.4", "a PDU other than a Login Request") \
    X(AHS, STATUS_INITIATOR_ERROR, "11.12", "an additional header segment") \
    X(TOO_LONG, STATUS_INITIATOR_ERROR, "6.3", "a data segment above 8192 bytes") \
    X(VERSION, STATUS_UNSUPPORTED_VERSION, "11.12.4", "no supported version in the range") \
    X(CHANGED, STATUS_INITIATOR_ERROR, "11.12", "a header field changed that must not") \
    X(ITT, STATUS_INITIATOR_ERROR, "11.2.1.8", "the reserved Initiator Task Tag") \
    X(C_AND_T, STATUS_INITIATOR_ERROR, "11.12.2", "both C and T set") \
    X(STAGE, STATUS_INITIATOR_ERROR, "11.12.3", "a stage that does not exist") \
    X(BACKWARD, STATUS_INITIATOR_ERROR, "6.3", "a step back to an earlier stage") \
    X(JUMP, STATUS_INITIATOR_ERROR, "6.3", "a stage that was not agreed to") \
    X(TRANSITION, STATUS_INITIATOR_ERROR, "11.12.3", "a stage transition that does not exist") \
    X(ISID, STATUS_INITIATOR_ERROR, "11.12.5", "an ISID of the reserved format") \
    X(TEXT, STATUS_INITIATOR_ERROR, "6.1", "text that is not key=value") \
    X(TEXT_ROOM, STATUS_OUT_OF_RESOURCES, "6.1", "more text than can be kept") \
    X(NOT_EMPTY, STATUS_INITIATOR_ERROR, "6.2", "keys while an answer is not completely fetched") \
    X(DUPLICATE, STATUS_INITIATOR_ERROR, "6.3", "a key sent twice") \
    X(PLACE, STATUS_INITIATOR_ERROR, "13", "a key that has no place here") \
    X(VALUE, STATUS_INITIATOR_ERROR, "13", "a value that cannot be accepted") \
    X(WORD, STATUS_INITIATOR_ERROR, "6.2", "a reserved word as an offer") \
    X(NO_INITIATOR_NAME, STATUS_MISSING_PARAMETER, "13.5", "no InitiatorName") \
    X(NO_TARGET_NAME, STATUS_MISSING_PARAMETER, "13.4", "no TargetName") \
    X(BAD_NAME, STATUS_INITIATOR_ERROR, "4.2.7.1", "a name that is too long") \
    X(SESSION_TYPE, STATUS_SESSION_TYPE_NOT_SUPPORTED, "13.21", "a session type that is not served here") \
    X(DRAIN, STATUS_SERVICE_UNAVAILABLE, "11.13.5", "shutting down") \
    X(UNKNOWN_TARGET, STATUS_NOT_FOUND, "11.13.5", "no such target here") \
    X(REMOVED, STATUS_TARGET_REMOVED, "11.13.5", "the target was removed") \
    X(MOVED_TEMPORARILY, STATUS_MOVED_TEMPORARILY, "11.13.5", "the target moved for a time") \
    X(MOVED_PERMANENTLY, STATUS_MOVED_PERMANENTLY, "11.13.5", "the target moved for good") \
    X(DENIED, STATUS_AUTHORIZATION_FAILURE, "11.13.5", "the initiator is not allowed") \
    X(STORE, STATUS_TARGET_ERROR, "11.13.5", "the store of the target failed") \
    X(NO_SESSION, STATUS_SESSION_DOES_NOT_EXIST, "6.3.1", "no such session") \
    X(OTHER_GROUP, STATUS_CANT_INCLUDE_IN_SESSION, "4.4.3.1", "the session lives in another portal group") \
    X(CONNECTIONS, STATUS_TOO_MANY_CONNECTIONS, "13.2", "the session has all its connections") \
    X(REINSTATEMENT, STATUS_TOO_MANY_CONNECTIONS, "6.3.5", "a reinstatement") \
    X(SESSIONS, STATUS_OUT_OF_RESOURCES, "11.13.5", "the portal has all its sessions") \
    X(UNAUTHENTICATED, STATUS_AUTHENTICATION_FAILURE, "6.3.1", "authentication was left out") \
    X(AUTH_METHOD, STATUS_AUTHENTICATION_FAILURE, "12.1", "no common authentication method") \
    X(CHAP_ALGORITHM, STATUS_AUTHENTICATION_FAILURE, "12.1.3", "no common CHAP algorithm") \
    X(CHAP_MISSING, STATUS_MISSING_PARAMETER, "9.2", "a CHAP key is missing in its step") \
    X(CHAP_R_MISSING, STATUS_MISSING_PARAMETER, "9.2", "CHAP_R is missing") \
    X(CHAP_STEP, STATUS_INITIATOR_ERROR, "9.2", "an authentication key out of its step") \
    X(CHAP_VALUE, STATUS_INITIATOR_ERROR, "9.2", "a CHAP value that cannot be read") \
    X(CHAP_FAILED, STATUS_AUTHENTICATION_FAILURE, "12.1.3", "wrong CHAP_R or unknown CHAP_N") \
    X(CHAP_REFLECTED, STATUS_AUTHENTICATION_FAILURE, "12.1.3", "the target's own challenge came back") \
    X(CHAP_SAME_SECRET, STATUS_AUTHENTICATION_FAILURE, "9.2.1", "the same secret in both directions") \
    X(CHAP_NO_MUTUAL, STATUS_AUTHENTICATION_FAILURE, "12.1.3", "the target has no secret of its own") \
    X(IDENTITY, STATUS_AUTHENTICATION_FAILURE, "9.2", "another identity than that of the session") \
    X(NO_MEMORY, STATUS_OUT_OF_RESOURCES, "11.13.5", "no memory") \
    X(NO_RANDOM, STATUS_TARGET_ERROR, "11.13.5", "no random numbers or no hash") \
    X(FORCED, STATUS_SUCCESS, "11.13.5", "forced") \
    X(INVENTED_INITIATOR_ERROR, STATUS_INITIATOR_ERROR, "11.13.5", "a defect") \
    X(INVENTED_MISSING_PARAMETER, STATUS_MISSING_PARAMETER, "11.13.5", "a defect") \
    X(INVENTED_TARGET_ERROR, STATUS_TARGET_ERROR, "11.13.5", "a defect")

#define CAUSES_ENUM(suffix, status, section, text) CAUSE_##suffix,
enum cause {
    CAUSE_NONE,             /* go on */
    CAUSE_SILENT,           /* close without a word, RFC 7143 4.2.4 */
    CAUSES_TABLE(CAUSES_ENUM)
    CAUSE_COUNT
};
#undef CAUSES_ENUM

#endif
