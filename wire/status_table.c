/*
 * status_table.c - the 18 status codes and what a person needs to know of each.
 *
 * The prose is printed by `iscsispec explain` and in reports to people whose
 * login does not work, so it names what to look at rather than quoting rules.
 * All data is constant; status.c has the functions over it.
 */
#include "wire/status_table.h"

#define LIST(...)                                                                                                      \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }

/* clang-format off */
const struct status_entry status_table[STATUS_COUNT] = {
{
    .code = STATUS_SUCCESS, .symbol = "SUCCESS", .name = "Success",
    .meaning = "The target has accepted this step of the login. The login as a whole is "
        "over only when T=1 and NSG=3 stand in the request and in the response.",
    .causes = LIST(
        "A step of the login was in order and the next one is awaited (T=0).",
        "The target moves to the next stage (T=1).",
        "The target has taken a part of a longer text and waits for the rest (C=1 in the "
        "request, empty response)."),
    .checks = LIST(
        "If the session does not come up nevertheless: does the last response have T=1, "
        "NSG=3 and a TSIH other than 0?",
        "Do StatSN, ExpCmdSN and MaxCmdSN hold? They are valid with this code only."),
    .confusion = "Success in a response is often read as \"logged in\". It also comes with "
        "every step on the way.",
    .fault = STATUS_FAULT_NONE, .retry = STATUS_RETRY_NOT_NEEDED,
    .section = "11.13.5, 6.3", .libiscsi = NULL, .tshark = "Success",
},
{
    .code = STATUS_MOVED_TEMPORARILY, .symbol = "MOVED_TEMPORARILY",
    .name = "Target moved temporarily",
    .meaning = "For the time being the target is served at another address, which stands in "
        "the TargetAddress key of the response.",
    .causes = LIST(
        "The target spreads its logins over several portals.",
        "A portal is in maintenance, or its node has failed over to another one.",
        "A cluster in which another node owns this target at the moment."),
    .checks = LIST(
        "Does the response hold at least one TargetAddress, as host or host:port and "
        "without a comma and portal group tag?",
        "Can the initiator reach that address (routes, firewall, DNS)?",
        "Does the second login go to the new address, and does the chain end, or do two "
        "portals point at each other?",
        "Does the initiator start at the original address again next time?"),
    .confusion = "Some targets send detail 0 (0x0100), which is no assigned code, or leave the "
        "portal group tag in the address, which initiators then try to resolve as part of "
        "the host.",
    .fault = STATUS_FAULT_NONE, .retry = STATUS_RETRY_ELSEWHERE,
    .section = "11.13.5, 13.8", .libiscsi = "Target moved temporarily",
    .tshark = "Target moved temporarily",
},
{
    .code = STATUS_MOVED_PERMANENTLY, .symbol = "MOVED_PERMANENTLY",
    .name = "Target moved permanently",
    .meaning = "The target has a new home for good. Its address stands in the TargetAddress "
        "key of the response and should replace the old one.",
    .causes = LIST(
        "The volume was migrated to another array.",
        "A portal was given another address and the old one only forwards."),
    .checks = LIST(
        "Does the response hold at least one TargetAddress without portal group tag?",
        "Does the initiator follow this code at all? Some follow 0x0101 only.",
        "Has the stored portal record been changed to the new address?"),
    .confusion = "Treated like 0x0101 by many initiators, which then ask the old address "
        "for ever.",
    .fault = STATUS_FAULT_NONE, .retry = STATUS_RETRY_ELSEWHERE,
    .section = "11.13.5, 13.8", .libiscsi = "Target moved permanently",
    .tshark = "Target moved permanently",
},
{
    .code = STATUS_INITIATOR_ERROR, .symbol = "INITIATOR_ERROR",
    .name = "Initiator error (miscellaneous)",
    .meaning = "The target holds the request to be wrong and has no more special code for "
        "it. The fault is in what the initiator sent, not in names or passwords.",
    .causes = LIST(
        "A key was sent twice in one login.",
        "An impossible stage: CSG or NSG 2, a step backwards, or T together with C.",
        "ITT, ISID, TSIH, CID or version changed in the middle of the login.",
        "A key in a stage or on a connection where it is not allowed.",
        "Values that contradict each other, such as FirstBurstLength above "
        "MaxBurstLength.",
        "Text that cannot be parsed, or a CHAP value that does not decode."),
    .checks = LIST(
        "The last request before the refusal: its flags and stages, then its keys one by "
        "one.",
        "All requests together: is there a key that occurs twice?",
        "The target's log; it usually knows the key or field, which the code does not "
        "tell.",
        "An update or another setting of the initiator; repeating the login will not "
        "help."),
    .confusion = "Listed as \"generic authentication failure\" in older tables. It has nothing "
        "to do with authentication; that is 0x0201.",
    .fault = STATUS_FAULT_INITIATOR, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5, 6.3, 7.12, 9.2", .libiscsi = "Initiator error",
    .tshark = "Initiator error (miscellaneous error)",
},
{
    .code = STATUS_AUTHENTICATION_FAILURE, .symbol = "AUTHENTICATION_FAILURE",
    .name = "Authentication failure",
    .meaning = "The initiator has not proved who it is, or it asked the target to prove "
        "itself and the target cannot.",
    .causes = LIST(
        "Wrong CHAP secret, or a CHAP user name the target does not know.",
        "The target wants CHAP and the initiator offers None or skips the security "
        "stage.",
        "No CHAP algorithm in common.",
        "Mutual CHAP without credentials for the target, or with the same secret in both "
        "directions."),
    .checks = LIST(
        "User name and secret on both sides, with an eye on blanks, line ends and "
        "length (at least 12 bytes are expected, some sides allow at most 16).",
        "Which credentials the target uses for this initiator: per target, per portal, "
        "or for discovery only.",
        "AuthMethod and CHAP_A in the capture: what was offered and what was answered?",
        "For mutual CHAP: are both secrets set, and do they differ?"),
    .confusion = "Also sent by some targets when a CHAP key is missing or malformed (0x0200 or "
        "0x0207 would be right) or when access is denied (0x0202).",
    .fault = STATUS_FAULT_SETUP, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5, 6.3.1, 9.2, 12.1", .libiscsi = "Authentication failure",
    .tshark = "Authentication failed",
},
{
    .code = STATUS_AUTHORIZATION_FAILURE, .symbol = "AUTHORIZATION_FAILURE",
    .name = "Authorization failure",
    .meaning = "The target may well know who the initiator is, but does not let it in to "
        "this target.",
    .causes = LIST(
        "InitiatorName is not in the access list of the target.",
        "The address of the initiator is not allowed.",
        "The authenticated user has no right to this target, or no LUN is mapped for it."),
    .checks = LIST(
        "InitiatorName as it stands in the capture against the access list, letter by "
        "letter; capitals count.",
        "The source address as the target sees it (NAT, several interfaces).",
        "LUN mapping or host group of this initiator."),
    .confusion = "Some targets say 0x0203 instead, so as not to tell strangers that the target "
        "exists.",
    .fault = STATUS_FAULT_SETUP, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5, 12.1.2", .libiscsi = "Authorization failure",
    .tshark = "Authorisation failure",
},
{
    .code = STATUS_NOT_FOUND, .symbol = "NOT_FOUND", .name = "Not found",
    .meaning = "There is no target of this name at this address.",
    .causes = LIST(
        "A typing error in TargetName.",
        "The target exists, but at another portal or portal group.",
        "It has not been exported yet, or no longer.",
        "The target hides it from this initiator."),
    .checks = LIST(
        "TargetName as it stands in the capture against the target's configuration.",
        "What a discovery session from the same host lists at this address.",
        "Which portals the target is bound to.",
        "The access list: a target may answer this in place of 0x0202."),
    .confusion = "Not every target sends it for an unknown name: one known to answer 0x0301 "
        "makes initiators try again for ever.",
    .fault = STATUS_FAULT_SETUP, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5", .libiscsi = "Target not found", .tshark = "Target not found",
},
{
    .code = STATUS_TARGET_REMOVED, .symbol = "TARGET_REMOVED", .name = "Target removed",
    .meaning = "The target was here, has been taken away, and left no new address.",
    .causes = LIST(
        "The volume was deleted or decommissioned while the target remembers its name."),
    .checks = LIST(
        "Was the removal meant? Then delete the initiator's record and its automatic "
        "login.",
        "If not: the target's log of configuration changes."),
    .confusion = "Rare: most targets keep no memory of removed names and say 0x0203, which is "
        "always acceptable.",
    .fault = STATUS_FAULT_SETUP, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5", .libiscsi = "Target removed", .tshark = "Target removed",
},
{
    .code = STATUS_UNSUPPORTED_VERSION, .symbol = "UNSUPPORTED_VERSION",
    .name = "Unsupported version",
    .meaning = "The range from Version-min to Version-max in the request holds no version "
        "that the target speaks. The only version there is has the number 0.",
    .causes = LIST(
        "Version-min above 0, or above Version-max.",
        "A damaged or misplaced header."),
    .checks = LIST(
        "Bytes 2 and 3 of the request: both are to be 0.",
        "Bytes 2 and 3 of the response: highest and lowest version of the target.",
        "With a request of 0 to n: the range includes 0, so it is the target that is "
        "wrong."),
    .confusion = "It is the version of the protocol, not of a draft, of the software or of "
        "SCSI; drafts and RFCs alike use number 0.",
    .fault = STATUS_FAULT_INITIATOR, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5, 11.12.4, 11.13.2", .libiscsi = "Unsupported version",
    .tshark = "Unsupported version",
},
{
    .code = STATUS_TOO_MANY_CONNECTIONS, .symbol = "TOO_MANY_CONNECTIONS",
    .name = "Too many connections",
    .meaning = "The session already has as many connections as were agreed for it. The "
        "session itself goes on.",
    .causes = LIST(
        "A connection was added beyond the negotiated MaxConnections, which is 1 unless "
        "both sides said more.",
        "A second connection for a discovery session, which can have only one.",
        "An old connection of the session that the target has not yet given up."),
    .checks = LIST(
        "MaxConnections in the login of the first connection: offer and answer.",
        "How many connections the target counts for this session, dead ones included.",
        "Was a new session meant? Then TSIH must be 0 in the request."),
    .confusion = "About one session only. A target that is full as a whole says 0x0302.",
    .fault = STATUS_FAULT_INITIATOR, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5, 13.2", .libiscsi = "Too many connections",
    .tshark = "Too many connections",
},
{
    .code = STATUS_MISSING_PARAMETER, .symbol = "MISSING_PARAMETER",
    .name = "Missing parameter",
    .meaning = "A key that has to be there is not there.",
    .causes = LIST(
        "No InitiatorName in the first request.",
        "No TargetName in the first request of a normal session.",
        "A step of CHAP without CHAP_A, CHAP_N, CHAP_R, or CHAP_I without CHAP_C."),
    .checks = LIST(
        "The keys of the first request: InitiatorName always, TargetName unless "
        "SessionType=Discovery.",
        "On each further connection of a session too: both names are wanted again.",
        "Key names letter by letter: they are case-sensitive.",
        "For CHAP: which step the last request belongs to, and what it lacks."),
    .confusion = "SessionType is no such key: without it the session is a normal one.",
    .fault = STATUS_FAULT_INITIATOR, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5, 9.2, 13.4, 13.5", .libiscsi = "Missing parameter",
    .tshark = "Missing parameter",
},
{
    .code = STATUS_CANT_INCLUDE_IN_SESSION, .symbol = "CANT_INCLUDE_IN_SESSION",
    .name = "Can't include in session",
    .meaning = "The session exists, but cannot be spread to this connection or address. The "
        "session itself goes on.",
    .causes = LIST(
        "The portal belongs to another portal group than the session.",
        "The portal belongs to another node of a cluster.",
        "Another transport (iSER against TCP).",
        "The target keeps each session to one portal."),
    .checks = LIST(
        "TargetPortalGroupTag of both portals, in the login responses or in a discovery.",
        "If more paths are the aim: use separate sessions and multipathing instead."),
    .confusion = "Used by some targets for every connection that cannot be added. Where "
        "sessions are looked up per portal group, 0x020a is just as sound.",
    .fault = STATUS_FAULT_SETUP, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5, 4.4.1", .libiscsi = "Can't include in session",
    .tshark = "Can't include in session",
},
{
    .code = STATUS_SESSION_TYPE_NOT_SUPPORTED, .symbol = "SESSION_TYPE_NOT_SUPPORTED",
    .name = "Session type not supported",
    .meaning = "This kind of session, normal or discovery, is not to be had here or not for "
        "this initiator.",
    .causes = LIST(
        "Discovery is switched off at the portal or for this initiator.",
        "A portal that serves discovery only.",
        "SessionType has a value other than Normal and Discovery."),
    .checks = LIST(
        "SessionType in the first request; the values are case-sensitive.",
        "The discovery settings of the target and of the portal.",
        "If discovery is off: give the initiator the target's name by hand."),
    .confusion = NULL,
    .fault = STATUS_FAULT_SETUP, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5, 13.21", .libiscsi = "Session type not supported",
    .tshark = "Session type not supported",
},
{
    .code = STATUS_SESSION_DOES_NOT_EXIST, .symbol = "SESSION_DOES_NOT_EXIST",
    .name = "Session does not exist",
    .meaning = "The request wants to join a session (TSIH is not 0), and there is no such "
        "session for this initiator, ISID, target and portal group.",
    .causes = LIST(
        "The session was logged out, has timed out, or was replaced by a new login.",
        "The target was restarted while the initiator kept its TSIH.",
        "TSIH of another session, ISID, or target name."),
    .checks = LIST(
        "ISID and TSIH of the request against those of the session's last login "
        "response.",
        "Did the target restart, or did the session stay away longer than "
        "DefaultTime2Retain?",
        "The way on is a new session with TSIH 0."),
    .confusion = "Some targets say 0x0203 for a TSIH they do not know.",
    .fault = STATUS_FAULT_INITIATOR, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5, 6.3.1", .libiscsi = "Session does not exist",
    .tshark = "Session does not exist",
},
{
    .code = STATUS_INVALID_DURING_LOGIN, .symbol = "INVALID_DURING_LOGIN",
    .name = "Invalid during login",
    .meaning = "In the middle of the login the initiator sent a PDU that is no Login "
        "Request.",
    .causes = LIST(
        "A SCSI command, NOP-Out, Text or Logout Request before the final login "
        "response.",
        "An initiator that takes an earlier response for the final one.",
        "A stream out of step: a wrong DataSegmentLength makes data look like a header."),
    .checks = LIST(
        "The opcode of the last PDU before the refusal.",
        "T and NSG of the response before it: had the login really ended?",
        "DataSegmentLength and padding of the PDU before it."),
    .confusion = "About the type of the PDU only. Faults inside a Login Request are 0x0200. As "
        "the very first PDU such a type gets no answer at all: the target just closes.",
    .fault = STATUS_FAULT_INITIATOR, .retry = STATUS_RETRY_NEVER,
    .section = "11.13.5, 4.2.4", .libiscsi = "Invalid during login",
    .tshark = "Invalid request during login",
},
{
    .code = STATUS_TARGET_ERROR, .symbol = "TARGET_ERROR", .name = "Target error",
    .meaning = "Hardware or software of the target has failed. Nothing is wrong with the "
        "request as far as the target can see.",
    .causes = LIST(
        "The backing store of the target is gone or unreadable.",
        "A service the target asks during login (access list, RADIUS) does not answer.",
        "An internal error, or something the RFC demands and this target does not "
        "implement, such as text spread over several requests (C=1)."),
    .checks = LIST(
        "The target's log and the state of its storage.",
        "Is C=1 in a request, or are there many login requests? Some targets refuse "
        "such logins with this code.",
        "The same login a little later."),
    .confusion = "Neither a wrong request (class 2) nor a target that is merely switched off "
        "(0x0301) or full (0x0302).",
    .fault = STATUS_FAULT_TARGET, .retry = STATUS_RETRY_LATER,
    .section = "11.13.5", .libiscsi = "Target error",
    .tshark = "Target error (miscellaneous error)",
},
{
    .code = STATUS_SERVICE_UNAVAILABLE, .symbol = "SERVICE_UNAVAILABLE",
    .name = "Service unavailable",
    .meaning = "The iSCSI service or this target is not in operation at the moment. Sessions "
        "that exist may go on.",
    .causes = LIST(
        "The target is starting, shutting down or being drained.",
        "The target or the portal group is disabled by its administrator.",
        "A standby node of a cluster."),
    .checks = LIST(
        "Is the target enabled, and on this portal?",
        "Which node is active?",
        "The same login later, with a pause between attempts."),
    .confusion = "Sent by some targets for an unknown target name, where 0x0203 would stop the "
        "initiator from trying for ever. So check the name too.",
    .fault = STATUS_FAULT_TARGET, .retry = STATUS_RETRY_LATER,
    .section = "11.13.5", .libiscsi = "Service unavailable", .tshark = "Service unavailable",
},
{
    .code = STATUS_OUT_OF_RESOURCES, .symbol = "OUT_OF_RESOURCES", .name = "Out of resources",
    .meaning = "The target has no room for another session or connection, or lacks memory "
        "or the like.",
    .causes = LIST(
        "The session limit of the target or of the initiator's group is reached.",
        "Too many logins at once.",
        "Sessions left over from initiators that vanished without logout.",
        "Login text longer than the target can take."),
    .checks = LIST(
        "The list of sessions at the target, and its limits.",
        "Left-over sessions: a fresh ISID at each start leaves the old session behind; "
        "the same ISID would replace it.",
        "The same login later, with a pause between attempts."),
    .confusion = "Not the limit of connections within one session, which is 0x0206.",
    .fault = STATUS_FAULT_TARGET, .retry = STATUS_RETRY_LATER,
    .section = "11.13.5", .libiscsi = "Out of resources", .tshark = "Out of resources",
},
};
/* clang-format on */
