/* The tap under genuine libiscsi, the repairs that keep it honest, and what it decodes. */
#include "harness/decoder.h"
#include "harness/repair.h"
#include "harness/tap.h"

#include "wire/bytes.h"
#include "wire/chap.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const struct tap_config config = {
    .initiator = "iqn.2024-01.test:i",
    .target = "iqn.2024-01.test:t",
    .isid_random = 0x010203,
    .isid_qualifier = 0x0405,
};

/* A port that accepts and says nothing. */
static int listen_on(char *portal, size_t cap)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 4) == 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    snprintf(portal, cap, "127.0.0.1:%u", (unsigned)ntohs(a.sin_port));
    return fd;
}

static void give(struct tap *t, const uint8_t *request, uint8_t flags, uint32_t stat_sn, const char *text, size_t len)
{
    struct edit_pdu p = {.wire = NULL};

    text_buf_init_growing(&p.text, 65536, NULL, NULL);
    p.bhs[0] = PDU_LOGIN_RESPONSE;
    p.bhs[1] = flags;
    memcpy(p.bhs + 8, request + 8, 6);
    memcpy(p.bhs + 16, request + 16, 4);
    bytes_put_be32(p.bhs + 24, stat_sn);
    memcpy(p.bhs + 28, request + 24, 4);
    memcpy(p.bhs + 32, request + 24, 4);
    if (len)
        assert_true(text_buf_add_raw(&p.text, text, len));
    assert_true(edit_render(&p));
    assert_true(tap_give(t, p.wire, p.wire_len));
    edit_free(&p);
}

static void test_login(void **state)
{
    char portal[32], err[200];
    int listener = listen_on(portal, sizeof(portal)), real = -1, status = -1;
    struct tap *t = tap_open(&config, portal, &real, err, sizeof(err));
    static const uint8_t isid[] = {0x80, 1, 2, 3, 4, 5};
    const uint8_t *pdu;
    struct text_pair pair;

    (void)state;
    assert_non_null(t);
    assert_true(real > 2);
    assert_true(tap_take(t, &pdu) > PDU_BHS_LEN);
    assert_int_equal(pdu[1], 0x87);
    assert_memory_equal(pdu + 8, isid, 6);
    assert_true(text_find(pdu + PDU_BHS_LEN, pdu_data_len(pdu), "TargetName", &pair));
    assert_false(tap_finished(t, &status));
    give(t, pdu, 0x87, 1, NULL, 0);
    assert_true(tap_finished(t, &status));
    assert_int_equal(status, 0);
    assert_int_equal(tap_take(t, &pdu), 0);
    tap_close(t);
    close(real);
    close(listener);
}

static void test_refused_port(void **state)
{
    char portal[32], err[200] = "";
    int listener = listen_on(portal, sizeof(portal)), real = -1;
    struct tap *t;

    (void)state;
    close(listener);
    t = tap_open(&config, portal, &real, err, sizeof(err)); /* on some systems the refusal only shows on `real` */
    if (!t)
        assert_true(strlen(err) > 0);
    tap_close(t);
    if (real >= 0)
        close(real);
    t = tap_open(&config, "no.such.host.invalid:3260", &real, err, sizeof(err));
    assert_null(t);
    assert_true(strlen(err) > 0);
}

static void ignore_note(void *user, const char *text)
{
    unsigned *count = user;

    (void)text;
    ++*count;
}

/* CHAP with SHA-256 and a base64 challenge: libiscsi knows neither, the repair answers and shows it another exchange.
 */
static void test_chap_beyond_libiscsi(void **state)
{
    static const char came[] = "CHAP_A=7\0CHAP_I=0x10\0CHAP_C=0bAQIDBA==";
    static const uint8_t challenge[] = {1, 2, 3, 4};
    struct tap_config chap = config;
    char portal[32], err[200], expected[TEXT_HEX_SIZE(CHAP_MAX_HASH_LEN)];
    uint8_t hash[CHAP_MAX_HASH_LEN];
    struct live_values live = {.target = "", .initiator = "", .secret = "a-long-secret"};
    unsigned notes = 0;
    const struct edit_log log = {ignore_note, &notes};
    struct repair repair;
    struct text_buf shown;
    struct text_pair pair;
    struct edit_pdu p;
    const uint8_t *pdu;
    size_t len = 0;
    int listener = listen_on(portal, sizeof(portal)), real = -1;
    struct tap *t;

    (void)state;
    chap.user = "u";
    chap.secret = "a-long-secret";
    t = tap_open(&chap, portal, &real, err, sizeof(err));
    assert_non_null(t);
    repair_init(&repair, "a-long-secret", NULL);
    assert_true(tap_take(t, &pdu) > 0);
    give(t, pdu, 0x00, 1, "AuthMethod=CHAP", 16);
    assert_true(tap_take(t, &pdu) > 0);
    repair_learn(&repair, &live, came, sizeof(came));
    assert_string_equal(live.chap_i, "0x10");
    assert_true(repair_show(&repair, came, sizeof(came), &shown));
    assert_true(text_find(shown.data, shown.len, "CHAP_C", &pair));
    assert_true(text_equals(pair.value, pair.value_len, "0x01020304"));
    give(t, pdu, 0x00, 2, shown.data, shown.len);
    text_buf_free(&shown);
    len = tap_take(t, &pdu);
    assert_true(len > 0);
    assert_true(edit_load(&p, pdu, len));
    assert_true(repair_apply(&repair, &p, &live, false, false, &log));
    assert_int_equal(notes, 1);
    assert_int_equal(
        chap_response(chap_algorithm_find(7), 0x10, "a-long-secret", 13, challenge, 4, hash, sizeof(hash), &len),
        CHAP_OK);
    text_encode_hex(hash, len, expected, sizeof(expected));
    assert_true(text_find(p.text.data, p.text.len, "CHAP_R", &pair));
    assert_true(text_equals(pair.value, pair.value_len, expected));
    edit_free(&p);
    repair_free(&repair);
    tap_close(t);
    close(real);
    close(listener);
}

static void load_text(struct edit_pdu *p, uint8_t flags, const char *text, size_t len)
{
    uint8_t pdu[512] = {0x43, flags};

    pdu_set_data_len(pdu, len);
    memcpy(pdu + PDU_BHS_LEN, text, len);
    assert_true(edit_load(p, pdu, PDU_BHS_LEN + len));
}

static void test_repeats_and_proposals(void **state)
{
    static const char first[] = "InitiatorName=i\0MaxConnections=4\0HeaderDigest=None";
    static const char answer[] = "MaxConnections=2\0MaxBurstLength=65536\0X-vendor=1\0TargetAlias=x\0InitialR2T=Yes";
    static const char expected[] = "MaxBurstLength=65536\0X-vendor=NotUnderstood";
    struct live_values live = {.target = "", .initiator = "", .secret = ""};
    unsigned notes = 0;
    const struct edit_log log = {ignore_note, &notes};
    struct repair r;
    struct edit_pdu p;

    (void)state;
    repair_init(&r, NULL, NULL);
    load_text(&p, 0x87, first, sizeof(first));
    assert_true(repair_apply(&r, &p, &live, true, false, &log));
    assert_int_equal(notes, 0);
    repair_sent(&r, p.text.data, p.text.len);
    edit_free(&p);
    repair_learn(&r, &live, answer, sizeof(answer));
    load_text(&p, 0x87, first, sizeof(first)); /* libiscsi repeats all of it */
    assert_true(repair_apply(&r, &p, &live, false, false, &log));
    assert_int_equal(p.text.len, sizeof(expected));
    assert_memory_equal(p.text.data, expected, sizeof(expected));
    assert_int_equal(p.bhs[1], 0x87);
    edit_free(&p);
    repair_free(&r);
}

/* An operational proposal cannot be answered in the security stage: T has to wait. */
static void test_transit_waits(void **state)
{
    static const char answer[] = "MaxBurstLength=65536";
    struct live_values live = {.target = "", .initiator = "", .secret = ""};
    unsigned notes = 0;
    const struct edit_log log = {ignore_note, &notes};
    struct repair r;
    struct edit_pdu p;

    (void)state;
    repair_init(&r, NULL, NULL);
    repair_learn(&r, &live, answer, sizeof(answer));
    load_text(&p, 0x81, "A=1", 4);
    assert_true(repair_apply(&r, &p, &live, false, false, &log));
    assert_int_equal(p.bhs[1], 0x00);
    edit_free(&p);
    repair_free(&r);
}

static void test_added_connection(void **state)
{
    static const char sent[] = "InitiatorName=i\0SessionType=Normal\0HeaderDigest=None\0MaxBurstLength=512";
    static const char expected[] = "InitiatorName=i\0HeaderDigest=None";
    struct live_values live = {.target = "", .initiator = "", .secret = ""};
    unsigned notes = 0;
    const struct edit_log log = {ignore_note, &notes};
    struct repair r;
    struct edit_pdu p;

    (void)state;
    repair_init(&r, NULL, NULL);
    load_text(&p, 0x87, sent, sizeof(sent));
    assert_true(repair_apply(&r, &p, &live, true, true, &log));
    assert_int_equal(p.text.len, sizeof(expected));
    assert_memory_equal(p.text.data, expected, sizeof(expected));
    edit_free(&p);
    repair_free(&r);
}

static void test_decoder(void **state)
{
    const struct decoder_corruption corrupt = {0x0203, 0x0204};
    struct decoder_cell cells[STATUS_COUNT];

    (void)state;
    decoder_measure(cells, NULL);
    for (size_t i = 0; i < STATUS_COUNT; i++)
        if (!cells[i].ok)
            fail_msg("0x%04x: %s", cells[i].code, cells[i].reported);
    assert_string_equal(cells[0].reported, "logged in");
    decoder_measure(cells, &corrupt);
    for (size_t i = 0; i < STATUS_COUNT; i++)
        assert_int_equal(cells[i].ok, cells[i].code != 0x0203);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login),
        cmocka_unit_test(test_refused_port),
        cmocka_unit_test(test_chap_beyond_libiscsi),
        cmocka_unit_test(test_repeats_and_proposals),
        cmocka_unit_test(test_transit_waits),
        cmocka_unit_test(test_added_connection),
        cmocka_unit_test(test_decoder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
