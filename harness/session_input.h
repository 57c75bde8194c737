/*
 * The fuzz input of a login session: who does what on which connection, in order of time. One format for the in-process
 * entries (fuzz/login_session, fuzz/transcript_audit), the mutator (harness/mutate) and the network fuzzer.
 *
 * An input is a run of records. Record: one head byte, for DATA two bytes of length (little-endian) and that many bytes
 * (fewer at the end of the input).
 *
 *   head  bits 0-1  connection, 0 to 3; the first record of a connection opens it (also again after RESET)
 *         bits 2-3  enum session_input_kind
 *         bits 4-7  SESSION_INPUT_LIVE_*: what harness/session_live puts into the bytes before they are sent
 *
 * By convention a DATA record is one PDU. It need not be: the mutator cuts PDUs at record borders to make TCP segments.
 * Every sequence of bytes is a valid input, so that any fuzzer may change it in any way.
 */
#ifndef HARNESS_SESSION_INPUT_H
#define HARNESS_SESSION_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    SESSION_INPUT_CONNS = 4,
    SESSION_INPUT_HEAD = 3, /* bytes before the data of a DATA record */
    SESSION_INPUT_DATA_MAX = 0xffff,
};

enum session_input_kind {
    SESSION_INPUT_DATA = 0,  /* bytes from the initiator */
    SESSION_INPUT_EOF = 1,   /* the initiator ended its direction */
    SESSION_INPUT_RESET = 2, /* the connection is gone */
    SESSION_INPUT_TIME = 3,  /* five seconds go by (in process; over the network nothing is waited for) */
};

/* Bits of the head byte: live values that are filled in when the record is sent. */
#define SESSION_INPUT_LIVE_TEXT 0x10u /* tokens of the text, as {chap_r}: see session_live.h */
#define SESSION_INPUT_LIVE_TSIH 0x20u /* TSIH of the session that was opened last by another connection of the input   \
                                       */
#define SESSION_INPUT_LIVE_SN   0x40u /* ExpStatSN follows the StatSN of the target's last answer */
#define SESSION_INPUT_LIVE_ISID 0x80u /* qualifier of the ISID is the consumer's own; the low bits of the input stay   \
                                       */
#define SESSION_INPUT_LIVE_ALL 0xf0u

struct session_input_record {
    unsigned conn;
    enum session_input_kind kind;
    unsigned live; /* SESSION_INPUT_LIVE_* */
    const uint8_t *bytes;
    size_t len;
};

/* Takes the next record off the cursor. False at the end. bytes point into the input. */
static inline bool session_input_next(const uint8_t **p, const uint8_t *end, struct session_input_record *record)
{
    if (*p >= end)
        return false;
    uint8_t head = *(*p)++;
    *record = (struct session_input_record){
        .conn = head & 3U, .kind = (enum session_input_kind)((head >> 2) & 3U), .live = head & SESSION_INPUT_LIVE_ALL};
    if (record->kind != SESSION_INPUT_DATA)
        return true;
    if (end - *p < 2) {
        *p = end;
        return false;
    }
    size_t len = (size_t)((*p)[0] | (*p)[1] << 8);
    *p += 2;
    if (len > (size_t)(end - *p))
        len = (size_t)(end - *p);
    record->bytes = *p;
    record->len = len;
    *p += len;
    return true;
}

/*
 * Appends a record to out, which holds *len of cap bytes. False, nothing written, when it does not fit or its data is
 * longer than SESSION_INPUT_DATA_MAX.
 */
static inline bool session_input_put(uint8_t *out, size_t cap, size_t *len, const struct session_input_record *record)
{
    size_t data = record->kind == SESSION_INPUT_DATA ? record->len : 0;
    size_t head = record->kind == SESSION_INPUT_DATA ? SESSION_INPUT_HEAD : 1;

    if (data > SESSION_INPUT_DATA_MAX || head + data > cap - *len)
        return false;
    out[*len] = (uint8_t)((record->conn & 3U) | (unsigned)record->kind << 2 | (record->live & SESSION_INPUT_LIVE_ALL));
    if (head == SESSION_INPUT_HEAD) {
        out[*len + 1] = (uint8_t)(data & 0xffU);
        out[*len + 2] = (uint8_t)(data >> 8);
    }
    if (data > 0)
        memcpy(out + *len + head, record->bytes, data);
    *len += head + data;
    return true;
}

#endif
