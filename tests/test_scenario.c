/* Whole cases against a small target of the test's own: endings as evidence, deadlines, repairs on the wire. */
#include "harness/scenario.h"
#include "harness/conn.h"

#include "fake_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { TIMEOUT_MS = 300, GRACE_MS = 200 };

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One run of steps against a fake target, with everything it leaves behind. */
struct trial {
    struct fake_target target;
    struct profile *profile;
    struct scenario_env env;
    struct case_def def;
    struct transcript *t;
    struct scenario_result result;
    int64_t ms;
};

static void trial_start(struct trial *x, enum fake_behaviour behaviour)
{
    static char id[] = "test.case";

    memset(x, 0, sizeof(*x));
    x->target = fake_start(behaviour);
    x->profile = profile_from_target("127.0.0.1", x->target.port, "iqn.2024-01.test:one", "user", "secret-of-user");
    assert_non_null(x->profile);
    x->env = (struct scenario_env){.profile = x->profile,
                                   .initiator = "iqn.2024-01.test:initiator",
                                   .seed = 7,
                                   .timeout_ms = TIMEOUT_MS,
                                   .close_grace_ms = GRACE_MS};
    x->def = (struct case_def){.id = id, .code = -1};
    x->t = transcript_new();
    assert_non_null(x->t);
}

static void trial_run(struct trial *x, struct case_step *steps, size_t count)
{
    int64_t from = now_ms();

    x->def.steps = steps;
    x->def.step_count = count;
    assert_int_equal(scenario_run(&x->def, &x->env, x->t, &x->result), 0);
    x->ms = now_ms() - from;
}

static void trial_end(struct trial *x)
{
    json_decref(x->result.seen);
    transcript_free(x->t);
    profile_free(x->profile);
    fake_stop(&x->target);
}

static struct case_step login_step(enum case_base base)
{
    return (struct case_step){.kind = CASE_STEP_LOGIN, .on = "A", .login = {.as = "A", .base = base}};
}

static struct case_step expect_step(struct outcome *items, size_t count)
{
    return (struct case_step){
        .kind = CASE_STEP_EXPECT,
        .on = "A",
        .expect = {.on = "A", .any = {items, count}, .ffp = count == 0, .alive = -1, .responses = -1}};
}

static const struct transcript_event *find_note(const struct transcript_conn *c, enum transcript_note kind,
                                                const char *text)
{
    for (size_t i = 0; i < c->event_count; i++)
        if (c->events[i].kind == TRANSCRIPT_NOTE && c->events[i].note == kind && strstr(c->events[i].text, text))
            return &c->events[i];
    return NULL;
}

static void test_good_login(void **state)
{
    struct trial x;
    struct case_step steps[] = {login_step(CASE_BASE_PLAIN), expect_step(NULL, 0), {.kind = CASE_STEP_NOP, .on = "A"}};

    (void)state;
    trial_start(&x, FAKE_GOOD);
    trial_run(&x, steps, 3);
    assert_string_equal(x.result.reason, "");
    assert_int_equal(x.result.verdict, VERDICT_PASS);
    assert_true(x.ms < 2 * TIMEOUT_MS);
    assert_int_equal(x.t->conn_count, 1);
    assert_true(x.t->conns[0]->connected);
    assert_int_equal(x.t->conns[0]->remote_port, x.target.port);
    assert_true(json_is_true(json_object_get(json_array_get(x.result.seen, 0), "ffp")));
    trial_end(&x);
}

/* Behaviours that end a login badly: all within the deadline, all FAIL, none an ERROR. */
static void test_bad_targets(void **state)
{
    static const struct {
        enum fake_behaviour behaviour;
        const char *reason;
        bool silence;
    } rows[] = {
        {FAKE_SILENT, "sent nothing for", true},
        {FAKE_CLOSES, "the connection without an answer", false},
        {FAKE_RESETS, "the connection without an answer", false},
        {FAKE_GARBAGE, "bytes that are no PDU", false},
        {FAKE_ENDLESS, "", false},
        {FAKE_HUGE, "a DataSegmentLength beyond", false},
        {FAKE_HALF, "in the middle of a PDU", false},
        {FAKE_REFUSES, "answered 0x0203", false},
        {FAKE_REFUSE_RESET, "answered 0x0203", false},
        {FAKE_KEEPS_OPEN, "answered 0x0203", false},
        {FAKE_REJECT, "sent a Reject PDU", false},
        {FAKE_NOP, "sent a NOP-In PDU", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct case_step steps[] = {login_step(CASE_BASE_PLAIN), expect_step(NULL, 0)};
        struct trial x;

        trial_start(&x, rows[i].behaviour);
        trial_run(&x, steps, 2);
        if (x.result.verdict != VERDICT_FAIL || !strstr(x.result.reason, rows[i].reason))
            fail_msg("behaviour %d: verdict %d, %s", (int)rows[i].behaviour, (int)x.result.verdict, x.result.reason);
        assert_int_equal(x.result.silence, rows[i].silence);
        assert_false(x.result.unreachable);
        assert_true(x.ms < 10 * TIMEOUT_MS);
        trial_end(&x);
    }
}

static void test_port_closed(void **state)
{
    struct case_step steps[] = {login_step(CASE_BASE_PLAIN), expect_step(NULL, 0)};
    struct trial x;

    (void)state;
    trial_start(&x, FAKE_GOOD);
    fake_stop(&x.target);
    trial_run(&x, steps, 2);
    assert_int_equal(x.result.verdict, VERDICT_FAIL);
    assert_true(x.result.unreachable);
    trial_end(&x);
}

/* Who ended the connection, how, and whether in time. */
static void test_refusal_and_close(void **state)
{
    static const struct {
        enum fake_behaviour behaviour;
        enum verdict verdict;
        const char *end, *by;
    } rows[] = {
        {FAKE_REFUSES, VERDICT_PASS, "FIN", "target"},
        {FAKE_REFUSE_RESET, VERDICT_PASS, "RST", "target"},
        {FAKE_KEEPS_OPEN, VERDICT_FAIL, "open", "nobody"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome not_found = {.kind = OUTCOME_STATUS, .code = 0x0203};
        struct case_step steps[] = {login_step(CASE_BASE_PLAIN), expect_step(&not_found, 1)};
        struct trial x;
        json_t *seen;

        steps[1].expect.then = CASE_END_CLOSED;
        trial_start(&x, rows[i].behaviour);
        trial_run(&x, steps, 2);
        assert_int_equal(x.result.verdict, rows[i].verdict);
        if (rows[i].verdict == VERDICT_FAIL)
            assert_non_null(strstr(x.result.reason, "still open 200 ms after the refusal"));
        seen = json_array_get(x.result.seen, 0);
        assert_string_equal(json_string_value(json_object_get(seen, "end")), rows[i].end);
        assert_string_equal(json_string_value(json_object_get(seen, "by")), rows[i].by);
        trial_end(&x);
    }
}

/* Rounds of T=0 with proposals and a text over two PDUs: libiscsi is kept honest. */
static void test_repairs(void **state)
{
    struct case_step steps[] = {login_step(CASE_BASE_PLAIN), expect_step(NULL, 0)};
    struct transcript_pdu *pdus = NULL;
    struct transcript_conn *c;
    struct trial x;
    long count;

    (void)state;
    trial_start(&x, FAKE_ROUNDS);
    trial_run(&x, steps, 2);
    assert_string_equal(x.result.reason, "");
    c = x.t->conns[0];
    assert_non_null(find_note(c, TRANSCRIPT_REPAIR, "empty request: the target's text goes on"));
    assert_non_null(find_note(c, TRANSCRIPT_REPAIR, "the target stays in the stage: asked once more to go over"));
    assert_non_null(find_note(c, TRANSCRIPT_REPAIR, "answered the target's TaskReporting=ResponseFence,RFC3720"));
    assert_null(find_note(c, TRANSCRIPT_SHOWN, "")); /* the rounds are not libiscsi's business */
    assert_null(find_note(c, TRANSCRIPT_EDIT, ""));
    count = transcript_cut(c, &pdus);
    assert_true(count >= 6);
    for (long i = 0; i < count; i++) /* StatSN wraps; each request names the next one */
        if (pdus[i].side == TRANSCRIPT_INITIATOR && pdus[i].number == 3)
            assert_int_equal(pdus[i].bhs[31], 0);
    free(pdus);
    trial_end(&x);
}

static void test_answers_pings(void **state)
{
    struct case_step steps[] = {login_step(CASE_BASE_PLAIN),
                                expect_step(NULL, 0),
                                {.kind = CASE_STEP_WAIT, .wait_ms = 50},
                                {.kind = CASE_STEP_NOP, .on = "A"}};
    struct trial x;

    (void)state;
    trial_start(&x, FAKE_PINGS);
    trial_run(&x, steps, 4);
    assert_string_equal(x.result.reason, "");
    trial_end(&x);
}

static void test_edits_are_checked(void **state)
{
    static char same[] = "InitialR2T=No", other[] = "InitialR2T=Yes", absent[] = "NoSuchKey=1";
    static const struct {
        char *item;
        enum verdict verdict;
        const char *reason;
    } rows[] = {
        {same, VERDICT_ERROR, "changed nothing"},
        {other, VERDICT_PASS, ""},
        {absent, VERDICT_ERROR, "matches no PDU"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *items[] = {rows[i].item};
        struct case_edit edit = {.set = {items, 1}};
        struct case_step steps[] = {login_step(CASE_BASE_PLAIN), expect_step(NULL, 0)};
        struct trial x;

        steps[0].login.edits = &edit;
        steps[0].login.edit_count = 1;
        trial_start(&x, FAKE_GOOD);
        trial_run(&x, steps, 2);
        assert_int_equal(x.result.verdict, rows[i].verdict);
        assert_non_null(strstr(x.result.reason, rows[i].reason));
        trial_end(&x);
    }
}

/* An edit that finds nothing to change because of the target: it is told, not the case. */
static void test_another_course(void **state)
{
    static const struct {
        enum fake_behaviour behaviour;
        enum verdict verdict;
        const char *reason;
    } rows[] = {
        {FAKE_GOOD, VERDICT_ERROR, "edit of header CSG matches no PDU: the login had 1"},
        {FAKE_STAYS, VERDICT_FAIL,
         "the target answered T=0 to T=1 in PDU 1; for this reason edit of header CSG changed"},
        /* rounds are the tap's own: libiscsi still makes one PDU, and the case that counts on two is wrong */
        {FAKE_ROUNDS, VERDICT_ERROR, "edit of header CSG matches no PDU: the login had 1"},
        {FAKE_CLOSES, VERDICT_FAIL, "before PDU 2, which was to be changed, could be sent (header CSG)"},
    };
    char csg[] = "CSG", one[] = "1";
    struct case_field_edit field = {.name = csg, .value = one};
    struct case_edit edit = {.pdu = 2, .header = &field, .header_count = 1};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct case_step steps[] = {login_step(CASE_BASE_PLAIN), expect_step(NULL, 0)};
        struct trial x;

        steps[0].login.edits = &edit;
        steps[0].login.edit_count = 1;
        trial_start(&x, rows[i].behaviour);
        trial_run(&x, steps, 2);
        if (x.result.verdict != rows[i].verdict || !strstr(x.result.reason, rows[i].reason))
            fail_msg("row %zu: verdict %d, %s", i, (int)x.result.verdict, x.result.reason);
        trial_end(&x);
    }
}

/* The same for a shape: the text that it cuts behind is not in the second request. */
static void test_another_course_of_a_shape(void **state)
{
    char mark[] = "SessionType", *marks[] = {mark};
    size_t lens[] = {sizeof(mark) - 1};
    struct case_shape shape = {
        .kind = CASE_SHAPE_CONTINUE, .pdu_number = 2, .marks = marks, .mark_lens = lens, .mark_count = 1};
    struct case_step steps[] = {login_step(CASE_BASE_PLAIN), expect_step(NULL, 0)};
    struct trial x;

    (void)state;
    steps[0].login.shapes = &shape;
    steps[0].login.shape_count = 1;
    trial_start(&x, FAKE_STAYS);
    trial_run(&x, steps, 2);
    assert_int_equal(x.result.verdict, VERDICT_FAIL);
    assert_non_null(strstr(x.result.reason, "continue: the text to cut behind is not in the PDU"));
    trial_end(&x);
    trial_start(&x, FAKE_GOOD);
    shape.pdu_number = 1;
    mark[0] = 's';
    trial_run(&x, steps, 2);
    assert_int_equal(x.result.verdict, VERDICT_ERROR);
    assert_non_null(strstr(x.result.reason, "continue: the text to cut behind is not in the PDU"));
    trial_end(&x);
}

/* A text that is cut behind a null byte ends with it. */
static void test_cut_behind_null(void **state)
{
    char mark[] = "MaxConnections=1", *marks[] = {mark};
    size_t lens[] = {sizeof(mark)};
    struct case_shape shape = {
        .kind = CASE_SHAPE_CONTINUE, .pdu_number = 1, .marks = marks, .mark_lens = lens, .mark_count = 1};
    struct case_step steps[] = {login_step(CASE_BASE_PLAIN), expect_step(NULL, 0)};
    struct transcript_pdu *pdus = NULL;
    bool seen = false;
    struct trial x;
    long count;

    (void)state;
    steps[0].login.shapes = &shape;
    steps[0].login.shape_count = 1;
    trial_start(&x, FAKE_GOOD);
    trial_run(&x, steps, 2);
    count = transcript_cut(x.t->conns[0], &pdus);
    for (long i = 0; i < count; i++)
        if (pdus[i].side == TRANSCRIPT_INITIATOR && pdus[i].number == 1) {
            seen = true;
            assert_true(pdus[i].data_len > sizeof(mark));
            assert_memory_equal(pdus[i].data + pdus[i].data_len - sizeof(mark), mark, sizeof(mark));
        }
    assert_true(seen);
    free(pdus);
    trial_end(&x);
}

static void test_logout_then_closed(void **state)
{
    static const struct {
        enum fake_behaviour behaviour;
        enum case_end then;
        enum verdict verdict;
    } rows[] = {
        {FAKE_GOOD, CASE_END_CLOSED, VERDICT_PASS},
        {FAKE_LINGERS, CASE_END_CLOSED, VERDICT_FAIL},
        {FAKE_LINGERS, CASE_END_NOT_ASKED, VERDICT_PASS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct case_step steps[] = {
            login_step(CASE_BASE_PLAIN), expect_step(NULL, 0), {.kind = CASE_STEP_LOGOUT, .on = "A"}};
        struct trial x;

        steps[2].then = rows[i].then;
        trial_start(&x, rows[i].behaviour);
        trial_run(&x, steps, 3);
        assert_int_equal(x.result.verdict, rows[i].verdict);
        if (rows[i].verdict == VERDICT_FAIL)
            assert_string_equal(x.result.reason, "A: still open 200 ms after the Logout Response (RFC 7143 11.14)");
        trial_end(&x);
    }
}

static void test_refused_before_the_deviation(void **state)
{
    char drop[] = "MaxConnections", *items[] = {drop};
    struct case_edit edit = {.pdu = 2, .drop = {items, 1}};
    struct outcome not_found = {.kind = OUTCOME_STATUS, .code = 0x0203};
    struct case_step steps[] = {login_step(CASE_BASE_SECURITY), expect_step(&not_found, 1)};
    struct trial x;

    (void)state;
    steps[0].login.edits = &edit;
    steps[0].login.edit_count = 1;
    trial_start(&x, FAKE_REFUSES);
    trial_run(&x, steps, 2);
    assert_int_equal(x.result.verdict, VERDICT_FAIL);
    assert_non_null(strstr(x.result.reason, "the login ended behind PDU"));
    trial_end(&x);
}

static uint64_t hash_of(struct case_step *steps, size_t count, uint64_t seed)
{
    struct trial x;
    uint64_t hash;

    trial_start(&x, FAKE_GOOD);
    x.env.seed = seed;
    trial_run(&x, steps, count);
    hash = scenario_wire_hash(x.t);
    trial_end(&x);
    return hash;
}

static void test_wire_hash(void **state)
{
    char cid[] = "CID", five[] = "5";
    struct case_field_edit field = {.name = cid, .value = five};
    struct case_edit edit = {.header = &field, .header_count = 1};
    struct case_shape split = {.kind = CASE_SHAPE_SPLIT, .pdu_number = 1, .every = 100};
    struct case_step plain[] = {login_step(CASE_BASE_PLAIN), expect_step(NULL, 0)};
    struct case_step edited[] = {login_step(CASE_BASE_PLAIN), expect_step(NULL, 0)};
    struct case_step pieces[] = {login_step(CASE_BASE_PLAIN), expect_step(NULL, 0)};
    uint64_t a = hash_of(plain, 2, 1), b = hash_of(plain, 2, 2), c, d;

    (void)state;
    edited[0].login.edits = &edit;
    edited[0].login.edit_count = 1;
    pieces[0].login.shapes = &split;
    pieces[0].login.shape_count = 1;
    c = hash_of(edited, 2, 1);
    d = hash_of(pieces, 2, 1);
    assert_true(a == b); /* drawn values do not count */
    assert_true(a != c && a != d && c != d);
}

static void test_plain_login(void **state)
{
    struct trial x;
    int64_t rtt = -1;
    char err[200] = "";

    (void)state;
    trial_start(&x, FAKE_GOOD);
    assert_int_equal(scenario_plain_login(&x.env, &rtt, err, sizeof(err)), 0);
    assert_true(rtt > 0 && rtt < 1000 * TIMEOUT_MS);
    trial_end(&x);
    trial_start(&x, FAKE_REFUSES);
    assert_int_equal(scenario_plain_login(&x.env, &rtt, err, sizeof(err)), -1);
    assert_non_null(strstr(err, "0x0203"));
    trial_end(&x);
}

/* The undo of a control step runs also when the case has failed before its end. */
struct verbs {
    char text[100];
};

static int run_verb(void *user, const char *verb, char *err, size_t err_len)
{
    struct verbs *v = user;
    size_t used = strlen(v->text);

    (void)err, (void)err_len;
    snprintf(v->text + used, sizeof(v->text) - used, "%s ", verb);
    return 0;
}

static void test_controls_are_undone(void **state)
{
    char drain[] = "drain", resume[] = "resume";
    struct verbs verbs = {""};
    struct case_step steps[] = {
        {.kind = CASE_STEP_CONTROL, .control_do = drain, .control_undo = resume},
        login_step(CASE_BASE_PLAIN),
        expect_step(NULL, 0),
        {.kind = CASE_STEP_NOP, .on = "A"},
    };
    struct trial x;

    (void)state;
    trial_start(&x, FAKE_REFUSES);
    x.env.control = run_verb;
    x.env.user = &verbs;
    trial_run(&x, steps, 4);
    assert_int_equal(x.result.verdict, VERDICT_FAIL);
    assert_string_equal(verbs.text, "drain resume ");
    trial_end(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_login),
        cmocka_unit_test(test_bad_targets),
        cmocka_unit_test(test_port_closed),
        cmocka_unit_test(test_refusal_and_close),
        cmocka_unit_test(test_repairs),
        cmocka_unit_test(test_answers_pings),
        cmocka_unit_test(test_edits_are_checked),
        cmocka_unit_test(test_refused_before_the_deviation),
        cmocka_unit_test(test_another_course),
        cmocka_unit_test(test_another_course_of_a_shape),
        cmocka_unit_test(test_cut_behind_null),
        cmocka_unit_test(test_logout_then_closed),
        cmocka_unit_test(test_wire_hash),
        cmocka_unit_test(test_plain_login),
        cmocka_unit_test(test_controls_are_undone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
