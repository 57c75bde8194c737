/*
 * Fuzz entry: a talk of initiators with the reference target's engine (input: harness/session_input.h). Beyond crashes
 * and sanitizers the oracles are the auditor, output bounded by the input, everything freed on close, and no full
 * feature phase on a target that asks for CHAP without a right CHAP_R.
 *
 * ISCSISPEC_FUZZ_DEFECTS in the environment names defects of the target to break it with: to see that faults are found.
 * ISCSISPEC_FUZZ_MALLOC gives the engine malloc's memory: slower, and a sanitizer tells more of a finding.
 * ISCSISPEC_FUZZ_SHOW prints the talk, PDU by PDU; ISCSISPEC_FUZZ_STATS a line an input: PDUs, and how far it came.
 */
#include "fuzz/entry.h"
#include "fuzz/session_oracle.h"
#include "fuzz/session_target.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEP_MS = 5000, RENDER_MAX = 1 << 16 };

struct talk {
    struct session_target *target;
    bool stats;
    struct session_oracle oracle;
    struct session_live live;
    struct conn *conns[SESSION_INPUT_CONNS];
    bool closed[SESSION_INPUT_CONNS]; /* by the target: what is sent afterwards is lost */
    uint8_t out[RENDER_MAX];
};

/* Takes the output of every connection that changed; closes what wants to be closed. */
static void drain(struct talk *talk)
{
    struct conn *conn;

    while ((conn = node_next_dirty(talk->target->node)) != NULL) {
        const uint8_t *bytes;
        size_t length;
        unsigned i = 0;

        while (i < SESSION_INPUT_CONNS && talk->conns[i] != conn)
            i++;
        if (i == SESSION_INPUT_CONNS)
            session_oracle_finding("a connection that was freed is dirty");
        while ((length = conn_output(conn, &bytes)) > 0) {
            session_oracle_bytes(&talk->oracle, i, TRANSCRIPT_TARGET, bytes, length);
            session_live_answer(&talk->live, i, bytes, length);
            conn_output_consumed(conn, length);
        }
        if (conn_action(conn) != CONN_KEEP) {
            session_oracle_end(&talk->oracle, i, TRANSCRIPT_TARGET,
                               conn_action(conn) == CONN_RESET ? TRANSCRIPT_RST : TRANSCRIPT_FIN);
            conn_free(conn);
            talk->conns[i] = NULL;
            talk->closed[i] = true;
        }
    }
}

static void check_entry(const struct talk *talk, unsigned i)
{
    size_t target;

    if (talk->conns[i] == NULL || !conn_logged_in(talk->conns[i], &target) ||
        !session_target_asks(talk->target, target))
        return;
    for (size_t user = 0; user < talk->target->config.targets[target].auth.user_count; user++) {
        const struct config_credential *known = &talk->target->config.targets[target].auth.users[user];

        if (session_oracle_proved(&talk->oracle, i, known->user, (const char *)known->secret))
            return;
    }
    session_oracle_finding("full feature phase on %s without a right CHAP_R",
                           talk->target->config.targets[target].name);
}

static void pass_time(struct talk *talk)
{
    talk->target->now_ms += STEP_MS;
    session_oracle_time(&talk->oracle, STEP_MS * 1000);
    node_tick(talk->target->node);
    for (size_t i = 0; i < SESSION_INPUT_CONNS; i++)
        if (talk->conns[i] != NULL && conn_deadline(talk->conns[i]) <= talk->target->now_ms)
            conn_tick(talk->conns[i]);
}

static bool open_conn(struct talk *talk, unsigned i)
{
    if (talk->conns[i] != NULL)
        return true;
    if (talk->closed[i])
        return false;
    talk->conns[i] = conn_open(talk->target->node, session_target_portal(i), "fuzz", "127.0.0.1:3260");
    if (talk->conns[i] == NULL)
        return false;
    session_live_open(&talk->live, i);
    session_oracle_open(&talk->oracle, i);
    return true;
}

static void reset_conn(struct talk *talk, unsigned i)
{
    if (talk->conns[i] != NULL) {
        session_oracle_end(&talk->oracle, i, TRANSCRIPT_INITIATOR, TRANSCRIPT_RST);
        conn_free(talk->conns[i]);
        talk->conns[i] = NULL;
    }
    talk->closed[i] = false;
}

static void play_record(struct talk *talk, const struct session_input_record *record)
{
    unsigned i = record->conn;
    const uint8_t *bytes;

    if (record->kind == SESSION_INPUT_TIME) {
        pass_time(talk);
    } else if (record->kind == SESSION_INPUT_RESET) {
        reset_conn(talk, i);
    } else if (open_conn(talk, i)) {
        if (record->kind == SESSION_INPUT_EOF) {
            session_oracle_end(&talk->oracle, i, TRANSCRIPT_INITIATOR, TRANSCRIPT_FIN);
            conn_eof(talk->conns[i]);
        } else {
            size_t len = session_live_render(&talk->live, record, talk->out, sizeof talk->out, &bytes);

            session_oracle_bytes(&talk->oracle, i, TRANSCRIPT_INITIATOR, bytes, len);
            conn_input(talk->conns[i], bytes, len);
        }
    }
    drain(talk);
    check_entry(talk, i);
}

static void print_stats(const struct session_oracle *oracle)
{
    size_t pdus;
    enum session_stage stage = session_oracle_stage(oracle, &pdus);

    printf("pdus=%zu stage=%s\n", pdus, session_stage_name(stage));
}

static void play(struct talk *talk, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    struct session_input_record record;

    session_live_init(&talk->live, session_target_names());
    if (!session_target_start(talk->target))
        abort();
    session_oracle_start(&talk->oracle);
    while (session_input_next(&data, end, &record))
        play_record(talk, &record);
    for (unsigned i = 0; i < SESSION_INPUT_CONNS; i++) {
        if (talk->conns[i] != NULL)
            conn_free(talk->conns[i]);
        talk->conns[i] = NULL;
        talk->closed[i] = false;
    }
    session_target_stop(talk->target);
    if (talk->stats)
        print_stats(&talk->oracle);
    session_oracle_finish(&talk->oracle);
    if (talk->target->allocated != 0)
        session_oracle_finding("%zu blocks were not freed", talk->target->allocated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Made once: the interface of a fuzz entry has no place for it. Nothing of one input is seen by the next. */
    static struct session_target target;
    static struct talk talk;
    const struct session_live_names *names = session_target_names();

    if (talk.target == NULL) {
        if (!session_target_configure(&target, getenv("ISCSISPEC_FUZZ_DEFECTS"),
                                      getenv("ISCSISPEC_FUZZ_MALLOC") != NULL))
            exit(2);
        talk.target = &target;
        talk.stats = getenv("ISCSISPEC_FUZZ_STATS") != NULL;
        talk.oracle.show = getenv("ISCSISPEC_FUZZ_SHOW") != NULL;
        if (!session_oracle_init(&talk.oracle, names->user, (const char *)names->secret, "target", "target-secret-14"))
            abort();
    }
    play(&talk, data, size);
    return 0;
}
