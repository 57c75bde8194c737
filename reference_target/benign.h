/*
 * Conforming but unusual ways of the reference target (--benign NAME): choices that RFC 7143 leaves open.
 *
 * A suite that calls one of them wrong gives a false alarm. Like a defect, a switch never looks at who asks.
 */
#ifndef ISCSISPEC_BENIGN_H
#define ISCSISPEC_BENIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole table: enum suffix, name, section of RFC 7143 that leaves it open, what the target does. */
#define BENIGN_TABLE(X) \
    /* how bytes travel */ \
    X(ONE_BYTE_SEGMENTS, "one-byte-segments", "4.2.9", \
      "sends every byte in a TCP segment of its own") \
    X(SLOW_ANSWERS, "slow-answers", "6.3", \
      "waits 60 ms before everything it sends") \
    X(REFUSAL_CLOSED_BY_RESET, "refusal-closed-by-reset", "11.13.5", \
      "ends a connection behind a refusal with RST instead of FIN") \
    X(REFUSAL_CLOSED_LATE, "refusal-closed-late", "11.13.5", \
      "closes a connection 150 ms behind a refusal") \
    X(CLOSE_INSTEAD_OF_ANSWER, "close-instead-of-answer", "6.1", \
      "closes without an answer where the text of a request is malformed or too long") \
    X(NOP_IN_BEHIND_FINAL, "nop-in-behind-final", "11.19", \
      "sends a NOP-In that asks for nothing in one segment with the final Login Response") \
    X(PING_BEHIND_FINAL, "ping-behind-final", "11.19", \
      "pings the initiator as soon as a normal session is in full feature phase") \
    X(ASYNC_BEHIND_FINAL, "async-behind-final", "11.9.1", \
      "sends a vendor-specific Asynchronous Message behind the final Login Response") \
    /* numbers */ \
    X(STATSN_WRAPS, "statsn-wraps", "11.13.4", \
      "begins each connection with StatSN 0xffffffff") \
    X(STATSN_ZERO, "statsn-zero", "11.13.4", \
      "begins each connection with StatSN 0") \
    X(TSIH_FROM_THE_TOP, "tsih-from-the-top", "11.12.6", \
      "gives out TSIHs from 0xffff downwards") \
    X(TAG_65535, "tag-65535", "13.9", \
      "numbers portal groups downwards from 65535: tag 1 is told as 65535, tag 2 as 65534") \
    X(TAG_ZERO, "tag-zero", "13.9", \
      "numbers portal groups from 0: tag 1 is told as 0, tag 2 as 1") \
    X(WIDE_WINDOW, "wide-window", "4.2.2.1", \
      "opens the command window for 2^30 commands") \
    X(NARROW_WINDOW, "narrow-window", "4.2.2.1", \
      "opens the command window for one command: MaxCmdSN is ExpCmdSN") \
    X(REFUSAL_WITH_NUMBERS, "refusal-with-numbers", "11.13.4", \
      "fills StatSN, ExpCmdSN and MaxCmdSN of a refusal, where they mean nothing") \
    /* rounds */ \
    X(RELUCTANT_TRANSIT, "reluctant-transit", "6.3", \
      "answers the first wish to leave a stage with T=0, and goes over at the second") \
    X(PROPOSES_KEYS, "proposes-keys", "6.2", \
      "proposes each operational key itself that the initiator left out, in rounds of T=0") \
    X(PROPOSES_DIGESTS, "proposes-digests", "6.2", \
      "proposes HeaderDigest=None,CRC32C and DataDigest likewise when the initiator left them out") \
    X(OFFERS_PRIVATE_KEY, "offers-private-key", "13.22", \
      "proposes a key X-com.example.benign") \
    X(ANSWERS_IN_PARTS, "answers-in-parts", "6.2", \
      "spreads the text of a Login Response over PDUs of 24 bytes with the C bit") \
    X(TEXT_RESPONSE_IN_PARTS, "text-response-in-parts", "11.11.2", \
      "spreads the text of a Text Response over PDUs of 32 bytes") \
    /* keys */ \
    X(KEYS_REVERSED, "keys-reversed", "6.2", \
      "answers keys in the opposite order") \
    X(DECLARES_NOTHING, "declares-nothing", "13.12", \
      "leaves its MaxRecvDataSegmentLength at the default and says nothing about it") \
    X(OPTIONAL_ANSWERS_LEFT_OUT, "optional-answers-left-out", "6.2.2", \
      "leaves the answer to a boolean out where the offer settles it") \
    X(DISCOVERY_NEGOTIATES, "discovery-negotiates", "13", \
      "answers keys that are irrelevant in discovery sessions with a value") \
    X(SMALL_VALUES, "small-values", "13", \
      "takes the smallest value of each number that may become smaller") \
    X(LARGE_WAIT, "large-wait", "13.15", \
      "asks for DefaultTime2Wait=3600") \
    X(INSISTS_ON_R2T, "insists-on-r2t", "13.10", \
      "answers InitialR2T=Yes and ImmediateData=No") \
    X(NO_DIGESTS, "no-digests", "13.1", \
      "knows no digest: takes None, and answers Reject where None is not offered") \
    X(ALL_TASK_REPORTING, "all-task-reporting", "13.23", \
      "takes whatever TaskReporting the initiator would have first") \
    X(PROTOCOL_LEVEL_TWO, "protocol-level-two", "13.24", \
      "knows iSCSIProtocolLevel 2") \
    X(NUMBERS_IN_HEX, "numbers-in-hex", "6.1", \
      "writes numbers as hexadecimal constants, 0x") \
    X(NUMBERS_IN_UPPER_HEX, "numbers-in-upper-hex", "6.1", \
      "writes numbers as hexadecimal constants with capitals, 0X") \
    X(LONG_ALIAS, "long-alias", "13.6", \
      "tells a TargetAlias of 255 bytes of UTF-8") \
    X(ALIAS_EVERYWHERE, "alias-everywhere", "13.6", \
      "tells a TargetAlias for every target") \
    /* CHAP */ \
    X(CHAP_BASE64, "chap-base64", "6.1", \
      "writes CHAP_C and CHAP_R in base64") \
    X(CHAP_UPPER_HEX, "chap-upper-hex", "6.1", \
      "writes CHAP_C and CHAP_R as 0X and capital digits") \
    X(CHAP_LONG_CHALLENGE, "chap-long-challenge", "12.1.4", \
      "sends challenges of 1024 bytes") \
    X(CHAP_SHORT_CHALLENGE, "chap-short-challenge", "12.1.4", \
      "sends challenges of 8 bytes whatever the algorithm is")

#define BENIGN_ENUM(suffix, name, section, what) BENIGN_##suffix,
enum benign { BENIGN_TABLE(BENIGN_ENUM) BENIGN_COUNT };
#undef BENIGN_ENUM

enum { BENIGN_WORDS = (BENIGN_COUNT + 63) / 64 };

/* Which switches are on. All zero: none. */
struct benigns {
    uint64_t bits[BENIGN_WORDS];
};

struct benign_entry {
    const char *name;
    const char *what;
    const char *section;    /* of RFC 7143 */
};

static inline bool benign_has(const struct benigns *benigns, enum benign benign)
{
    return (benigns->bits[(unsigned)benign / 64U] >> ((unsigned)benign % 64U) & 1U) != 0;
}

/* Switches one on. */
void benign_set(struct benigns *benigns, enum benign benign);

/* The number of a switch by name, BENIGN_COUNT when there is none. */
enum benign benign_find(const char *name);

/* The table row of a switch; NULL out of range. */
const struct benign_entry *benign_entry(enum benign benign);

struct config;

/* Changes what stands in the configuration already (tags, aliases, own wishes), once all of it is read. False: no
 * memory. */
bool benign_configure(struct config *config);

#endif
