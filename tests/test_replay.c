/* Replay: what is adapted, what counts as the same, and whole recordings against a target that answers by script. */
#include "harness/replay.h"
#include "harness/replay_routing.h"
#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/digest.h"

#include "audit_script.h"
#include "replay_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- adapting ---- */

static void test_tags(void **state)
{
    (void)state;
    assert_int_equal(replay_adapt_tag(5, 10), 15);
    assert_int_equal(replay_adapt_tag(PDU_NO_TAG, 10), PDU_NO_TAG);
    /* no tag becomes the reserved one, and no two become the same */
    assert_int_equal(replay_adapt_tag(PDU_NO_TAG - 10, 10), 9);
    assert_int_equal(replay_adapt_tag(PDU_NO_TAG - 9, 10), 0);
    assert_int_equal(replay_adapt_tag(PDU_NO_TAG - 11, 10), PDU_NO_TAG - 1);
}

static void test_login_header(void **state)
{
    struct pdu_login_request r = {.csg = 1,
                                  .nsg = 3,
                                  .transit = true,
                                  .isid = {0x80, 1, 2, 3, 4, 5},
                                  .tsih = 9,
                                  .itt = 100,
                                  .cid = 3,
                                  .cmd_sn = 50,
                                  .exp_stat_sn = 1007};
    struct replay_numbers n = {.isid = {0x80, 9, 9, 9, 9, 9},
                               .tsih_from = 9,
                               .tsih_to = 0x77,
                               .itt_delta = 1,
                               .cmd_delta = 1000,
                               .acknowledges = true,
                               .recorded_next = 1005,
                               .live_next = 5};
    uint8_t bhs[PDU_BHS_LEN];

    (void)state;
    pdu_login_request_encode(&r, bhs);
    replay_adapt_header(bhs, &n);
    pdu_login_request_decode(&r, bhs);
    assert_memory_equal(r.isid, n.isid, PDU_ISID_LEN);
    assert_int_equal(r.tsih, 0x77);
    assert_int_equal(r.itt, 101);
    assert_int_equal(r.cmd_sn, 1050);
    assert_int_equal(r.exp_stat_sn, 7); /* two ahead, as it was recorded */
    assert_int_equal(r.cid, 3);
    r.tsih = 8; /* of nobody that is known: stays */
    pdu_login_request_encode(&r, bhs);
    replay_adapt_header(bhs, &n);
    assert_int_equal(bytes_get_be16(bhs + 14), 8);
}

static enum replay_text adapt(const char *pairs, size_t len, const struct replay_chap *chap, struct text_buf *out)
{
    static const struct replay_names names = {
        .items = {{"iqn.old:disk", "iqn.new:a-longer-name"}, {"iqn.old:host", "iqn.n"}, {"olduser", "newuser"}},
        .count = 3,
    };

    text_buf_init_growing(out, 1 << 16, NULL, NULL);
    assert_true(text_buf_add_raw(out, pairs, len));
    return replay_adapt_text(out, &names, chap);
}

static void test_names_in_text(void **state)
{
    static const char before[] =
        "InitiatorName=iqn.old:host\0broken\0\0TargetName=iqn.old:disk\0TargetAlias=iqn.old:disk\0"
        "CHAP_N=olduser\0SendTargets=iqn.old:disk\0=x\0TargetName=other";
    static const char after[] = "InitiatorName=iqn.n\0broken\0\0TargetName=iqn.new:a-longer-name\0"
                                "TargetAlias=iqn.old:disk\0CHAP_N=newuser\0SendTargets=iqn.new:a-longer-name\0=x\0"
                                "TargetName=other";
    struct replay_chap chap = {.secret = NULL};
    struct text_buf text;

    (void)state;
    assert_int_equal(adapt(before, sizeof(before) - 1, &chap, &text), REPLAY_TEXT_READY);
    assert_int_equal(text.len, sizeof(after) - 1);
    assert_memory_equal(text.data, after, text.len);
    text_buf_free(&text);
}

static void test_chap_response(void **state)
{
    static const char recorded[] = "CHAP_N=u\0CHAP_R=0X00FF", small[] = "CHAP_R=0x00ff", base64[] = "CHAP_R=0bAAAA";
    struct replay_chap chap = {.algorithm = 5, .i = "7", .c = "0x0102030405060708090a0b0c0d0e0f10"};
    uint8_t challenge[16], hash[CHAP_MAX_HASH_LEN];
    char hex[TEXT_HEX_SIZE(CHAP_MAX_HASH_LEN)], wanted[100];
    size_t len;
    struct text_buf text;
    struct text_pair pair;

    (void)state;
    assert_int_equal(adapt(recorded, sizeof(recorded), &chap, &text), REPLAY_TEXT_NO_SECRET);
    text_buf_free(&text);
    chap.secret = "a secret of ours";
    for (int i = 0; i < 16; i++)
        challenge[i] = (uint8_t)(i + 1);
    chap_response(chap_algorithm_find(5), 7, chap.secret, strlen(chap.secret), challenge, 16, hash, sizeof(hash), &len);
    text_encode_hex(hash, len, hex, sizeof(hex));

    assert_int_equal(adapt(small, sizeof(small), &chap, &text), REPLAY_TEXT_READY);
    snprintf(wanted, sizeof(wanted), "CHAP_R=%s", hex);
    assert_string_equal(text.data, wanted);
    text_buf_free(&text);

    assert_int_equal(adapt(recorded, sizeof(recorded), &chap, &text), REPLAY_TEXT_READY);
    assert_true(text_find(text.data, text.len, "CHAP_R", &pair));
    assert_memory_equal(pair.value, "0X", 2);
    assert_int_equal(strncasecmp(pair.value, hex, pair.value_len), 0);
    assert_null(memchr(pair.value, 'a', pair.value_len));
    text_buf_free(&text);

    assert_int_equal(adapt(base64, sizeof(base64), &chap, &text), REPLAY_TEXT_READY);
    assert_memory_equal(text.data, "CHAP_R=0b", 9);
    text_buf_free(&text);

    chap.wrong = true;
    assert_int_equal(adapt(small, sizeof(small), &chap, &text), REPLAY_TEXT_READY);
    assert_int_not_equal(strcmp(text.data, wanted), 0);
    text_buf_free(&text);
    *chap.c = '\0';
    assert_int_equal(adapt(small, sizeof(small), &chap, &text), REPLAY_TEXT_NO_CHALLENGE);
    text_buf_free(&text);
}

/* Digests are those of the live connection, and wrong where the recorded ones were. */
static void test_digests(void **state)
{
    uint8_t wire[PDU_BHS_LEN + 4 + 8] = {PDU_NOP_OUT}, bhs[PDU_BHS_LEN], *out;
    struct transcript_pdu p = {.bhs = wire,
                               .data = wire + PDU_BHS_LEN + 4,
                               .data_len = 3,
                               .len = sizeof(wire),
                               .whole = true,
                               .full_feature = true};
    size_t len;

    (void)state;
    pdu_set_data_len(wire, 3);
    memcpy(wire + PDU_BHS_LEN + 4, "abc", 3);
    digest_put(wire + PDU_BHS_LEN, digest_crc32c(wire, PDU_BHS_LEN));
    digest_put(wire + PDU_BHS_LEN + 8, digest_crc32c("abc", 4) + 1);
    memcpy(bhs, wire, sizeof(bhs));
    bhs[19] = 7;
    out = replay_adapt_pdu(&p, wire, bhs, NULL, 0, (struct replay_digests){true, true}, &len);
    assert_int_equal(len, sizeof(wire));
    assert_true(digest_check(out, PDU_BHS_LEN, out + PDU_BHS_LEN));
    assert_false(digest_check(out + PDU_BHS_LEN + 4, 4, out + PDU_BHS_LEN + 8));
    free(out);
    out = replay_adapt_pdu(&p, wire, bhs, NULL, 0, (struct replay_digests){false, false}, &len);
    assert_int_equal(len, PDU_BHS_LEN + 4);
    assert_memory_equal(out + PDU_BHS_LEN, "abc", 4);
    free(out);
}

/* ---- what is harmless ---- */

static void test_harm(void **state)
{
    uint8_t bhs[PDU_BHS_LEN] = {PDU_SCSI_COMMAND, PDU_FLAG_FINAL | PDU_FLAG_READ};

    (void)state;
    bhs[32] = 0x28;
    assert_false(replay_script_harms(bhs)); /* READ (10) */
    bhs[32] = 0x2a;
    assert_true(replay_script_harms(bhs)); /* WRITE (10), even without the W bit */
    bhs[32] = 0x04;
    assert_true(replay_script_harms(bhs)); /* FORMAT UNIT */
    bhs[32] = 0x28;
    bhs[1] |= PDU_FLAG_WRITE;
    assert_true(replay_script_harms(bhs));
    bhs[0] = PDU_TASK_MANAGEMENT_REQUEST;
    bhs[1] = PDU_FLAG_FINAL | 6; /* TARGET WARM RESET */
    assert_true(replay_script_harms(bhs));
    bhs[1] = PDU_FLAG_FINAL | 1; /* ABORT TASK */
    assert_false(replay_script_harms(bhs));
    bhs[0] = PDU_LOGIN_REQUEST;
    assert_false(replay_script_harms(bhs));
}

/* ---- whole recordings ---- */

struct trial {
    struct script *recorded, *live;
    struct transcript *recording, *transcript;
    struct replay_script script;
    struct replay_result result;
    struct replay_names names;
    const char *secret;
    enum replay_manner manner;
    int peer_exit;
};

static void trial_start(struct trial *x, enum base base)
{
    memset(x, 0, sizeof(*x));
    x->recorded = script_build(base);
    x->live = script_build(base);
}

static void trial_run(struct trial *x)
{
    struct replay_peer peer = replay_peer_start(x->live, x->manner);
    struct replay_route routes[8];
    struct replay_options options = {
        .routes = routes, .names = &x->names, .timeout_ms = 400, .close_grace_ms = 300, .seed = 11};

    for (int i = 0; i < 8; i++)
        routes[i] = (struct replay_route){"127.0.0.1", peer.port, x->secret};
    x->recording = script_record(x->recorded);
    x->transcript = transcript_new();
    assert_true(replay_script_make(x->recording, &x->script));
    assert_int_equal(replay_run(&x->script, &options, x->transcript, &x->result), 0);
    x->peer_exit = replay_peer_stop(&peer);
}

static void trial_end(struct trial *x)
{
    replay_result_free(&x->result);
    replay_script_free(&x->script);
    transcript_free(x->recording);
    transcript_free(x->transcript);
    free(x->recorded);
    free(x->live);
}

static size_t differing(const struct trial *x)
{
    return x->result.by_verdict[REPLAY_DIFFERENT] + x->result.by_verdict[REPLAY_MISSING] +
           x->result.by_verdict[REPLAY_EXTRA];
}

static void explain(const struct trial *x)
{
    for (size_t i = 0; i < x->result.row_count; i++)
        print_message("row %u/%u %s: %s %s\n", x->result.rows[i].recorded, x->result.rows[i].live,
                      x->result.rows[i].answer, replay_verdict_name(x->result.rows[i].verdict), x->result.rows[i].what);
    for (size_t i = 0; i < x->result.played_count; i++)
        print_message("stopped: %s\n", x->result.played[i].stopped);
}

/* Every sort of conforming login, against a target that does the same again. */
static void test_all_same(void **state)
{
    (void)state;
    for (enum base base = PLAIN; base < BASE_COUNT; base++) {
        struct trial x;

        if (base == DIGESTS) /* the scripted target makes none */
            continue;
        trial_start(&x, base);
        x.secret = SECRET;
        trial_run(&x);
        if (differing(&x) || x.peer_exit != 0 || x.result.row_count == 0) {
            explain(&x);
            fail_msg("base %d: %zu differ, the target ended with %d", (int)base, differing(&x), x.peer_exit);
        }
        for (size_t i = 0; i < x.result.played_count; i++)
            assert_string_equal(x.result.played[i].stopped, "");
        /* the values of the recorded session are not those that were played */
        assert_memory_not_equal(x.transcript->conns[0]->stream[0].bytes + 8, x.recording->conns[0]->stream[0].bytes + 8,
                                PDU_ISID_LEN);
        trial_end(&x);
    }
}

struct difference {
    enum base base;
    struct change change; /* of the live target */
    enum replay_verdict verdict;
    const char *what;
};

static void test_differences(void **state)
{
    static const struct difference rows[] = {
        {PLAIN, {FIELD, 1, "Status", 0x0302}, REPLAY_DIFFERENT, "Status 0x0000 Success -> 0x0302 Out of resources"},
        {PLAIN, {FIELD, 1, "NSG", 1}, REPLAY_DIFFERENT, "NSG 3 -> 1"},
        {PLAIN, {FIELD, 1, "TSIH", 0}, REPLAY_DIFFERENT, "TSIH"},
        {PLAIN, {FIELD, 1, "VersionActive", 4}, REPLAY_DIFFERENT, "VersionActive 0 -> 4"},
        {PLAIN, {SET, 1, "MaxBurstLength=1024", 0}, REPLAY_DIFFERENT, "MaxBurstLength=16384 -> 1024"},
        {PLAIN, {ADD, 1, "X-new=1", 0}, REPLAY_DIFFERENT, "X-new=1 was not there"},
        {PLAIN, {DROP, 1, "MaxBurstLength", 0}, REPLAY_DIFFERENT, "no MaxBurstLength=16384"},
        {PLAIN, {REMOVE, 1, NULL, 0}, REPLAY_MISSING, "nothing came for"},
        {PLAIN, {TWICE, 1, NULL, 0}, REPLAY_EXTRA, "the capture has no such answer"},
        {REFUSED, {FIELD, 1, "Status", 0x0202}, REPLAY_DIFFERENT, "-> 0x0202 Authorization failure"},
        {ROUNDS, {BYTE, 1, NULL, (24u << 8) | 9}, REPLAY_DIFFERENT, "StatSN"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct trial x;
        bool found = false;

        trial_start(&x, rows[i].base);
        script_apply(x.live, &rows[i].change);
        trial_run(&x);
        for (size_t k = 0; k < x.result.row_count; k++)
            found |= x.result.rows[k].verdict == rows[i].verdict && strstr(x.result.rows[k].what, rows[i].what);
        if (!found) {
            explain(&x);
            fail_msg("row %zu: no %s: %s", i, replay_verdict_name(rows[i].verdict), rows[i].what);
        }
        trial_end(&x);
    }
}

/* How the target ends a connection is an answer as well. */
static void test_endings(void **state)
{
    static const struct {
        enum base base;
        enum replay_manner manner;
        const char *what;
    } rows[] = {
        {REFUSED, PEER_STAYS, "closed by the target -> still open 300 ms later"},
        {REFUSED, PEER_RESETS, "closed by the target -> reset"},
        {LISTING, PEER_CLOSES, "the connection instead"},
        {PLAIN, PEER_MUTE, "nothing came for 400 ms"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct trial x;
        bool found = false;

        trial_start(&x, rows[i].base);
        x.manner = rows[i].manner;
        trial_run(&x);
        for (size_t k = 0; k < x.result.row_count; k++)
            found |= strstr(x.result.rows[k].what, rows[i].what) != NULL;
        if (!found) {
            explain(&x);
            fail_msg("row %zu: nothing about: %s", i, rows[i].what);
        }
        trial_end(&x);
    }
}

/* A ping of the target is answered, and is no difference. */
static void test_ping(void **state)
{
    struct trial x;

    (void)state;
    trial_start(&x, PLAIN);
    x.manner = PEER_PINGS;
    trial_run(&x);
    if (differing(&x))
        explain(&x);
    assert_int_equal(differing(&x), 0);
    assert_int_equal(x.peer_exit, 0);
    trial_end(&x);
}

static void test_secret_missing(void **state)
{
    struct trial x;

    (void)state;
    trial_start(&x, ONE_WAY);
    trial_run(&x);
    assert_non_null(strstr(x.result.played[0].stopped, "the secret of user"));
    assert_true(x.result.played[0].incomplete);
    assert_true(x.result.played[0].not_compared > 0);
    assert_int_equal(differing(&x), 0);
    trial_end(&x);
}

/* What comes behind a login that goes another way is not sent. */
static void test_stops(void **state)
{
    struct change refuse = {FIELD, 1, "Status", 0x0202};
    struct transcript_pdu *pdus = NULL;
    long sent = 0, count;
    struct trial x;

    (void)state;
    trial_start(&x, ROUNDS);
    script_apply(x.live, &refuse);
    trial_run(&x);
    count = transcript_cut(x.transcript->conns[0], &pdus);
    for (long i = 0; i < count; i++)
        sent += pdus[i].side == TRANSCRIPT_INITIATOR;
    assert_int_equal(sent, 1);
    assert_non_null(strstr(x.result.played[0].stopped, "goes another way"));
    free(pdus);
    trial_end(&x);
}

static void test_unreachable(void **state)
{
    struct trial x;
    struct replay_route route = {"127.0.0.1", 1, NULL};
    struct replay_options options = {.routes = &route, .names = &x.names, .timeout_ms = 400, .close_grace_ms = 300};

    (void)state;
    trial_start(&x, PLAIN);
    x.recording = script_record(x.recorded);
    x.transcript = transcript_new();
    assert_true(replay_script_make(x.recording, &x.script));
    assert_int_equal(replay_run(&x.script, &options, x.transcript, &x.result), 0);
    assert_int_equal(x.result.opened, 0);
    assert_non_null(strstr(x.result.unreachable, "port 1: "));
    trial_end(&x);
}

/* A gap in the login: not played, and said. */
static void test_gap(void **state)
{
    struct script *s = script_build(PLAIN);
    struct transcript *whole = script_record(s), *t = transcript_new();
    struct transcript_conn *c = transcript_add_conn(t, "A");
    struct replay_script script;

    (void)state;
    c->connected = true;
    assert_true(transcript_bytes(c, TRANSCRIPT_INITIATOR, 0, whole->conns[0]->stream[0].bytes, 60));
    assert_true(transcript_gap(c, TRANSCRIPT_INITIATOR, 1, 2000));
    assert_true(replay_script_make(t, &script));
    assert_non_null(strstr(script.sources[0].skipped, "missing in the recording"));
    assert_int_equal(script.step_count, 0);
    replay_script_free(&script);
    transcript_free(t);
    transcript_free(whole);
    free(s);
}

/* ---- who stands for whom ---- */

static int route(enum base base, const char *const *maps, size_t count, struct replay_routing *out, char *err,
                 size_t err_len, struct replay_script *script, struct transcript **t, struct profile **profile)
{
    struct script *s = script_build(base);

    *t = script_record(s);
    free(s);
    *profile = profile_from_target("192.0.2.9", 3333, "iqn.today:disk", "bob", "bobs-secret-12");
    assert_true(replay_script_make(*t, script));
    return replay_routing_make(script, *profile, maps, count, out, err, err_len);
}

static void test_routing(void **state)
{
    static const char *const maps[] = {"iqn.2001-04.com.example:host=iqn.today:host", "127.0.0.1:3260=[::1]:44"};
    static const char *const bad[] = {"no-equals"};
    static const char disk[] = "iqn.2001-04.com.example:disk", host[] = "iqn.2001-04.com.example:host";
    struct replay_routing r;
    struct replay_script script;
    struct transcript *t;
    struct profile *profile;
    char err[300] = "";

    (void)state;
    assert_int_equal(route(ONE_WAY, maps, 2, &r, err, sizeof(err), &script, &t, &profile), 0);
    assert_string_equal(replay_names_find(&r.names, disk, strlen(disk)), "iqn.today:disk");
    assert_string_equal(replay_names_find(&r.names, host, strlen(host)), "iqn.today:host");
    assert_string_equal(r.routes[0].host, "::1");
    assert_int_equal(r.routes[0].port, 44);
    assert_string_equal(r.routes[0].secret, "bobs-secret-12");
    replay_routing_free(&r);
    assert_int_equal(replay_routing_make(&script, profile, bad, 1, &r, err, sizeof(err)), -1);
    assert_non_null(strstr(err, "--map no-equals: write OLD=NEW"));
    replay_routing_free(&r);
    replay_script_free(&script);
    transcript_free(t);
    profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tags),           cmocka_unit_test(test_login_header),
        cmocka_unit_test(test_names_in_text),  cmocka_unit_test(test_chap_response),
        cmocka_unit_test(test_digests),        cmocka_unit_test(test_harm),
        cmocka_unit_test(test_all_same),       cmocka_unit_test(test_differences),
        cmocka_unit_test(test_endings),        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_secret_missing), cmocka_unit_test(test_stops),
        cmocka_unit_test(test_unreachable),    cmocka_unit_test(test_gap),
        cmocka_unit_test(test_routing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
