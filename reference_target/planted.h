/*
 * Memory faults of the reference target, planted to see that a fuzzer finds them. They are compiled in only with the
 * build option PLANTED_FAULTS and even then need --defect NAME; a normal build has neither the code nor the names.
 *
 * Each is what such a fault looks like in the field: bytes of the peer copied into room for a usual value, a list with
 * more items than expected, a field taken for an index, a pointer into memory that has moved. They stand from the first
 * PDU to the last step of CHAP, so that reaching them takes more and more of a login.
 */
#ifndef ISCSISPEC_PLANTED_H
#define ISCSISPEC_PLANTED_H

#include <stddef.h>

/* Rows of DEFECTS_TABLE; none without the option. */
#ifdef PLANTED_FAULTS
#define DEFECTS_PLANTED_TABLE(X) \
    X(PLANTED_VERSION_INDEX, "planted-version-index", DEFECTS_NO_CODE, "11.12.4", \
      "reads memory at an index taken from VersionMin (first PDU)") \
    X(PLANTED_AHS_READ, "planted-ahs-read", DEFECTS_NO_CODE, "11.12", \
      "reads an AHS that has not come (first PDU)") \
    X(PLANTED_NAME_COPY, "planted-name-copy", DEFECTS_NO_CODE, "13.5", \
      "copies InitiatorName into room for the longest legal one (first text)") \
    X(PLANTED_METHOD_LIST, "planted-method-list", DEFECTS_NO_CODE, "12", \
      "keeps the items of AuthMethod in room for eight (security stage)") \
    X(PLANTED_C_BIT_POINTER, "planted-c-bit-pointer", DEFECTS_NO_CODE, "6.2", \
      "keeps a pointer into a text in parts while the text grows (C bit)") \
    X(PLANTED_NUMBER_COPY, "planted-number-copy", DEFECTS_NO_CODE, "13", \
      "copies an offered number into room for twenty digits (operational stage)") \
    X(PLANTED_ALGORITHM_LIST, "planted-algorithm-list", DEFECTS_NO_CODE, "12.1.3", \
      "keeps the items of CHAP_A in room for eight (second step of CHAP)") \
    X(PLANTED_RESPONSE_COPY, "planted-response-copy", DEFECTS_NO_CODE, "12.1.3", \
      "decodes CHAP_R into room for the longest hash (third step of CHAP)") \
    X(PLANTED_USER_COPY, "planted-user-copy", DEFECTS_NO_CODE, "12.1.3", \
      "copies the keys beside a right CHAP_R into room for a small text (last step of CHAP)") \
    X(PLANTED_CHALLENGE_COPY, "planted-challenge-copy", DEFECTS_NO_CODE, "12.1.3", \
      "decodes the initiator's CHAP_C into 64 bytes once its CHAP_R was right (last step of CHAP)")
#else
#define DEFECTS_PLANTED_TABLE(X)
#endif

struct conn;

/* Where the faults sit. */
enum planted_site {
    PLANTED_AT_REQUEST,   /* header of a Login Request; bytes: what came from the header on */
    PLANTED_AT_NAME,      /* bytes: the value of InitiatorName */
    PLANTED_AT_METHODS,   /* bytes: the value of AuthMethod */
    PLANTED_AT_PART,      /* bytes: the text collected so far, before more is added */
    PLANTED_AT_JOINED,    /* after a text in parts was put together */
    PLANTED_AT_NUMBER,    /* bytes: the value of a number offered */
    PLANTED_AT_ALGORITHMS,/* bytes: the value of CHAP_A */
    PLANTED_AT_RESPONSE,  /* bytes: the value of CHAP_R */
    PLANTED_AT_USER,      /* CHAP_R was right; bytes: the whole text */
    PLANTED_AT_CHALLENGE  /* CHAP_R was right; bytes: the value of CHAP_C */
};

#ifdef PLANTED_FAULTS
/* Does the fault of the site if its defect is switched on. */
void planted_touch(const struct conn *conn, enum planted_site site, const void *bytes, size_t length);
#else
static inline void planted_touch(const struct conn *conn, enum planted_site site, const void *bytes, size_t length)
{
    (void)conn;
    (void)site;
    (void)bytes;
    (void)length;
}
#endif

#endif
