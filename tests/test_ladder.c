/* The ladder: what has to stand in it, and what may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness/ladder.h"
#include "harness/ladder_json.h"
#include "wire/pdu.h"

static size_t request(uint8_t *wire, const char *text, size_t len)
{
    struct pdu_login_request req = {.immediate = true, .transit = true, .csg = 1, .nsg = 3, .itt = 0xa1b2c3d4};

    req.data_len = (uint32_t)len;
    pdu_login_request_encode(&req, wire);
    memset(wire + PDU_BHS_LEN, 0, pdu_padded_len(len));
    memcpy(wire + PDU_BHS_LEN, text, len);
    return PDU_BHS_LEN + pdu_padded_len(len);
}

static size_t refusal(uint8_t *wire, const char *text, size_t len)
{
    struct pdu_login_response rsp = {.itt = 0xa1b2c3d4, .status = 0x0203};

    rsp.data_len = (uint32_t)len;
    pdu_login_response_encode(&rsp, wire);
    memset(wire + PDU_BHS_LEN, 0, pdu_padded_len(len));
    memcpy(wire + PDU_BHS_LEN, text, len);
    return PDU_BHS_LEN + pdu_padded_len(len);
}

static struct transcript *example(void)
{
    static const char asked[] = "InitiatorName=iqn.a\0TargetName=iqn.b";
    static const char told[] = "TargetAlias=\x1b[31mred\x80\0no equals here";
    struct transcript *t = transcript_new();
    struct transcript_conn *c = transcript_add_conn(t, "A");
    uint8_t wire[512];
    size_t len = request(wire, asked, sizeof asked);

    snprintf(t->context.chap_secret, sizeof t->context.chap_secret, "hidden-secret-1");
    snprintf(c->local, sizeof c->local, "127.0.0.1");
    snprintf(c->remote, sizeof c->remote, "127.0.0.2");
    c->local_port = 40000;
    c->remote_port = 3260;
    c->connected = true;
    transcript_bytes(c, TRANSCRIPT_INITIATOR, 1500000, wire, 48);
    transcript_note(c, TRANSCRIPT_INITIATOR, 1500000, TRANSCRIPT_EDIT, 1, NULL, 0, "TargetName set to iqn.b");
    transcript_note(c, TRANSCRIPT_INITIATOR, 1500000, TRANSCRIPT_REPAIR, 1, NULL, 0, "dropped hidden-secret-1");
    transcript_bytes(c, TRANSCRIPT_INITIATOR, 1500010, wire + 48, len - 48);
    len = refusal(wire, told, sizeof told);
    transcript_bytes(c, TRANSCRIPT_TARGET, 1600000, wire, len);
    transcript_note(c, TRANSCRIPT_TARGET, 1600000, TRANSCRIPT_INFO, 0, NULL, 0, "waiting for the close");
    transcript_bytes(c, TRANSCRIPT_TARGET, 1600001, "HTTP", 4);
    transcript_end(c, TRANSCRIPT_TARGET, 1700000, TRANSCRIPT_RST);
    transcript_end(c, TRANSCRIPT_INITIATOR, 1800000, TRANSCRIPT_FIN);
    return t;
}

static char *ladder(const struct transcript *t, const struct ladder_head *head, const struct finding_list *findings)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    assert_int_equal(ladder_write(out, t, head, findings), 0);
    fclose(out);
    return text;
}

static void tells_the_exchange(void **state)
{
    static const char *const expected[] = {
        "case     a.b.c",
        "title    What it is about",
        "verdict  FAIL",
        "connection A: initiator 127.0.0.1:40000, target 127.0.0.2:3260",
        "     1.500010  -->  PDU 1  Login Request (0x03), 88 bytes in 2 segments",
        "T=1",
        "CSG=1(LoginOperationalNegotiation)",
        "NSG=3(FullFeaturePhase)",
        "ITT=0xa1b2c3d4",
        "InitiatorName=iqn.a\n",
        "~ edit: TargetName set to iqn.b",
        "+ repair: dropped (secret)",
        "     1.600000  <--  PDU 1  Login Response (0x23)",
        "Status=0x0203(Not found)",
        "TargetAlias=\\x1b[31mred\\x80",
        "no equals here   <- string without '='",
        "! L-STAT-001: was open; allowed: closed",
        "bytes 36 to 37:\n                0000  02 03",
        "# waiting for the close",
        "PDU 2  4 bytes, incomplete",
        "48 54 54 50",
        "<--  the target ends its direction by RST, as the first",
        "-->  the initiator ends its direction by FIN, after the other end did",
        "! L-RSP-016 (tolerated): was more",
    };
    struct finding items[2] = {
        {.rule = "L-STAT-001",
         .side = TRANSCRIPT_TARGET,
         .pdu = 1,
         .offset = 36,
         .len = 2,
         .was = "open",
         .allowed = "closed"},
        {.rule = "L-RSP-016", .side = TRANSCRIPT_TARGET, .tolerated = true, .was = "more", .allowed = "less"},
    };
    struct finding_list findings = {.items = items, .count = 2};
    struct ladder_head head = {"a.b.c", "What it is about", "FAIL", NULL};
    struct transcript *t = example();
    char *text = ladder(t, &head, &findings);
    const char *at = text;

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const char *found = strstr(i < 5 || i > 9 ? at : text, expected[i]);

        if (!found)
            print_error("missing: %s\nin:\n%s\n", expected[i], text);
        assert_non_null(found);
        at = i < 5 || i > 9 ? found : at;
    }
    assert_null(strstr(text, "hidden"));
    for (const char *p = text; *p; p++)
        assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
    free(text);
    transcript_free(t);
}

static void floods_stay_readable(void **state)
{
    struct transcript *t = transcript_new();
    struct transcript_conn *c = transcript_add_conn(t, "A");
    uint8_t *flood = calloc(1, TRANSCRIPT_STREAM_MAX);
    char *text;

    (void)state;
    assert_non_null(flood);
    transcript_bytes(c, TRANSCRIPT_TARGET, 0, flood, TRANSCRIPT_STREAM_MAX);
    for (int i = 0; i < 100000; i++)
        transcript_bytes(c, TRANSCRIPT_INITIATOR, i, flood, 1);
    text = ladder(t, NULL, NULL);
    assert_non_null(strstr(text, "more PDUs"));
    assert_true(strlen(text) < 2000000);
    free(text);
    free(flood);
    transcript_free(t);
}

static void errors_are_told(void **state)
{
    struct transcript *t = example();
    char err[256] = "";

    (void)state;
    assert_int_equal(ladder_write_file(t, "/nonexistent/a.txt", err, sizeof err), -1);
    assert_non_null(strstr(err, "/nonexistent/a.txt"));
    transcript_free(t);
}

static json_t *ladder_for_programs(const struct transcript *t, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    json_t *root;

    assert_non_null(out);
    assert_int_equal(ladder_json_write(out, t), 0);
    fclose(out);
    assert_null(strstr(text, "hidden"));
    root = json_loads(text, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static void programs_get_the_same_rows(void **state)
{
    struct transcript *t = example();
    size_t len, pdus = 0, ends = 0, edits = 0;
    json_t *root = ladder_for_programs(t, &len), *row, *note;
    size_t at, k;

    (void)state;
    json_array_foreach(json_object_get(json_array_get(json_object_get(root, "conns"), 0), "rows"), at, row)
    {
        pdus += json_object_get(row, "n") != NULL;
        ends += json_object_get(row, "end") != NULL;
        json_array_foreach(json_object_get(row, "notes"), k, note)
        {
            edits += strcmp(json_string_value(json_array_get(note, 0)), "edit") == 0;
        }
    }
    assert_int_equal(pdus, 3);
    assert_int_equal(ends, 2);
    assert_int_equal(edits, 1);
    json_decref(root);
    transcript_free(t);
}

/* A secret that a target sends back is masked in the bytes too, wherever it stands. */
static void programs_get_no_secret(void **state)
{
    static const char told[] = "TargetAlias=hidden-secret-1hidden-secret-1";
    struct transcript *t = transcript_new();
    struct transcript_conn *c = transcript_add_conn(t, "A");
    uint8_t wire[256];
    json_t *root;
    size_t len;
    char *text;

    (void)state;
    snprintf(t->context.chap_secret, sizeof t->context.chap_secret, "hidden-secret-1");
    transcript_bytes(c, TRANSCRIPT_TARGET, 0, wire, refusal(wire, told, sizeof told));
    root = ladder_for_programs(t, &len);
    text = json_dumps(root, 0);
    assert_null(strstr(text, "68696464656e")); /* "hidden" */
    assert_non_null(strstr(text, "3d2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a"));
    free(text);
    json_decref(root);
    transcript_free(t);
}

static void programs_get_no_flood(void **state)
{
    struct transcript *t = transcript_new();
    uint8_t *flood = calloc(1, TRANSCRIPT_STREAM_MAX);
    json_t *root;
    size_t len;

    (void)state;
    assert_non_null(flood);
    for (int i = 0; i < 100; i++) {
        transcript_bytes(transcript_add_conn(t, "A"), TRANSCRIPT_TARGET, 0, flood, 100000);
    }
    root = ladder_for_programs(t, &len);
    assert_true(len < 2000000);
    assert_int_equal(json_array_size(json_object_get(root, "conns")), LADDER_JSON_CONN_MAX);
    assert_int_equal(json_integer_value(json_object_get(root, "more")), 100 - LADDER_JSON_CONN_MAX);
    assert_true(json_integer_value(json_object_get(json_array_get(json_object_get(root, "conns"), 0), "more")) > 1000);
    json_decref(root);
    free(flood);
    transcript_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_exchange),     cmocka_unit_test(floods_stay_readable),
        cmocka_unit_test(errors_are_told),        cmocka_unit_test(programs_get_the_same_rows),
        cmocka_unit_test(programs_get_no_secret), cmocka_unit_test(programs_get_no_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
