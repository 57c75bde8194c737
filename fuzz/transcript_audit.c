/*
 * Fuzz entry: the auditor, of both sides, on an arbitrary transcript. The input is the records of session_input.h; the
 * low bit of the connection says who sent.
 */
#include "fuzz/entry.h"
#include "harness/audit.h"
#include "harness/audit/initiator.h"
#include "harness/audit/login.h"
#include "harness/session_input.h"
#include "harness/transcript.h"

#include <stdlib.h>

/* As lint does it: the target's side and the initiator's. */
static void judge(const struct transcript *transcript)
{
    struct audit_login logins[2] = {0};
    struct finding_list findings = {0};
    bool fine = true;

    for (size_t i = 0; i < transcript->conn_count; i++)
        fine = audit_login_build(&logins[i], transcript, i) && fine;
    if (fine && audit_judge(transcript, logins, &findings))
        audit_initiator(transcript, logins, NULL, &findings);
    finding_list_free(&findings);
    for (size_t i = 0; i < transcript->conn_count; i++)
        audit_login_free(&logins[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct transcript *transcript = transcript_new();
    struct transcript_conn *conns[2] = {transcript_add_conn(transcript, "A"), transcript_add_conn(transcript, "B")};
    const uint8_t *end = data + size;
    struct session_input_record record;
    int64_t now_us = 0;

    transcript->context.live = size > 0 && (size & 1U) != 0;
    while (session_input_next(&data, end, &record)) {
        struct transcript_conn *conn = conns[record.conn >> 1];
        enum transcript_side side = (record.conn & 1U) != 0 ? TRANSCRIPT_TARGET : TRANSCRIPT_INITIATOR;

        now_us += record.kind == SESSION_INPUT_TIME ? 5000000 : 100;
        conn->connected = true;
        if (record.kind == SESSION_INPUT_DATA)
            transcript_bytes(conn, side, now_us, record.bytes, record.len);
        else if (record.kind != SESSION_INPUT_TIME)
            transcript_end(conn, side, now_us, record.kind == SESSION_INPUT_EOF ? TRANSCRIPT_FIN : TRANSCRIPT_RST);
    }
    judge(transcript);
    transcript_free(transcript);
    return 0;
}
