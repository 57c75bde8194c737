/*
 * Lint as a whole: captures that the writer makes, read back and judged, what it finds across connections, and that
 * nothing is lost where memory is short.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "harness/capture.h"
#include "harness/lint.h"
#include "wire/pdu.h"

static char folder[] = "/tmp/test_lint.XXXXXX";
static char path[64];

#define NAMES "InitiatorName=iqn.2001-04.com.example:host\0TargetName=iqn.2001-04.com.example:disk"

/* What lint told. */
struct told {
    size_t conns;
    char across[1024]; /* ids, each behind a blank */
    enum lint_outcome outcome[64];
};

static bool take_conn(void *context, const struct lint_conn *c)
{
    struct told *told = context;

    if (told->conns < 64)
        told->outcome[told->conns] = c->outcome;
    told->conns++;
    return true;
}

static bool take_across(void *context, const char *file, const struct lint_finding *f)
{
    struct told *told = context;
    size_t used = strlen(told->across);

    assert_string_equal(file, path);
    assert_true(f->frame > 0 && f->was[0] != '\0' && f->allowed[0] != '\0');
    snprintf(told->across + used, sizeof told->across - used, " %s", f->id);
    return true;
}

/* One login that ends, seconds after the first. */
static void login(struct transcript *t, int seconds, const char *to, uint16_t status, const char *text, size_t len)
{
    uint8_t wire[512] = {0};
    struct transcript_conn *c = transcript_add_conn(t, "");
    int64_t at = (int64_t)seconds * 1000000;
    struct pdu_login_request req = {
        .immediate = true, .transit = true, .csg = 1, .nsg = 3, .data_len = sizeof NAMES, .itt = 5};
    struct pdu_login_response rsp = {.transit = status == 0, .csg = status == 0, .nsg = status == 0 ? 3 : 0, .itt = 5};

    snprintf(c->local, sizeof c->local, "192.0.2.7");
    snprintf(c->remote, sizeof c->remote, "%s", to);
    c->local_port = (uint16_t)(40000 + t->conn_count);
    c->remote_port = 3260;
    c->connected = true;
    pdu_login_request_encode(&req, wire);
    memcpy(wire + 48, NAMES, sizeof NAMES);
    transcript_bytes(c, TRANSCRIPT_INITIATOR, at, wire, 48 + pdu_padded_len(sizeof NAMES));
    memset(wire, 0, sizeof wire);
    rsp.status = status;
    rsp.tsih = status == 0;
    rsp.data_len = (uint32_t)len;
    pdu_login_response_encode(&rsp, wire);
    memcpy(wire + 48, text, len);
    transcript_bytes(c, TRANSCRIPT_TARGET, at + 1000, wire, 48 + pdu_padded_len(len));
    transcript_end(c, TRANSCRIPT_TARGET, at + 2000, TRANSCRIPT_FIN);
    transcript_end(c, TRANSCRIPT_INITIATOR, at + 3000, TRANSCRIPT_FIN);
}

static void refused(struct transcript *t, int seconds, uint16_t status)
{
    login(t, seconds, "198.51.100.1", status, "", 0);
}

static void moved(struct transcript *t, int seconds, const char *from, const char *address, uint16_t status)
{
    login(t, seconds, from, status, address, strlen(address) + 1);
}

static const char tag[] = "TargetPortalGroupTag=1";

static struct told judge(struct transcript *t, struct lint_totals *totals)
{
    struct load_error error;
    struct catalogue *rules = catalogue_load(ISCSISPEC_SOURCE_DIR "/cases/requirements.yaml", &error);
    struct told told = {0};
    struct lint_sink sink = {.context = &told, .conn = take_conn, .across = take_across};
    struct lint_options options = {.rules = rules, .sinks = &sink, .sink_count = 1};
    const char *paths[] = {path};
    char err[256] = "";

    assert_non_null(rules);
    assert_int_equal(capture_write(t, path, err, sizeof err), 0);
    assert_int_equal(lint_files(paths, 1, &options, totals, err, sizeof err), LINT_DONE);
    lint_totals_free(totals);
    catalogue_free(rules);
    transcript_free(t);
    return told;
}

static void across(struct transcript *t, const char *expected)
{
    struct lint_totals totals;
    struct told told = judge(t, &totals);

    assert_string_equal(told.across, expected);
}

static void repeats_are_told(void **state)
{
    struct transcript *t = transcript_new();

    (void)state;
    refused(t, 1, 0x0203);
    refused(t, 2, 0x0203);
    refused(t, 3, 0x0203);
    across(t, " L-INI-010");
    /* Once is no repetition; minutes later is none either. */
    t = transcript_new();
    refused(t, 1, 0x0203);
    refused(t, 200, 0x0203);
    across(t, "");
    /* A code that nobody knows is treated by its class. */
    t = transcript_new();
    refused(t, 1, 0x02ff);
    refused(t, 2, 0x02ff);
    across(t, " L-INI-012");
    /* Class 3 may be tried again, not at once. */
    t = transcript_new();
    refused(t, 1, 0x0301);
    refused(t, 1, 0x0301);
    refused(t, 9, 0x0301);
    across(t, "");
}

static void redirections_are_followed(void **state)
{
    struct transcript *t = transcript_new();

    (void)state;
    moved(t, 1, "198.51.100.1", "TargetAddress=198.51.100.2", 0x0101);
    login(t, 2, "198.51.100.2", 0, tag, sizeof tag);
    across(t, "");
    t = transcript_new();
    moved(t, 1, "198.51.100.1", "TargetAddress=198.51.100.2", 0x0101);
    login(t, 2, "198.51.100.1", 0, tag, sizeof tag);
    across(t, " L-INI-008");
    t = transcript_new();
    moved(t, 1, "198.51.100.1", "TargetAddress=198.51.100.2", 0x0101);
    moved(t, 2, "198.51.100.2", "TargetAddress=198.51.100.1:3260", 0x0101);
    moved(t, 3, "198.51.100.1", "TargetAddress=198.51.100.2", 0x0101);
    across(t, " lint.redirect-loop");
    t = transcript_new();
    moved(t, 1, "198.51.100.1", "TargetAddress=198.51.100.2", 0x0102);
    login(t, 2, "198.51.100.2", 0, tag, sizeof tag);
    login(t, 3, "198.51.100.1", 0, tag, sizeof tag);
    across(t, " L-INI-009");
}

static void lost_sessions_are_told(void **state)
{
    struct transcript *t = transcript_new();
    struct lint_totals totals;
    struct told told;

    (void)state;
    login(t, 1, "198.51.100.1", 0, tag, sizeof tag);
    refused(t, 30, 0x0301); /* it is back, if in vain */
    across(t, "");
    t = transcript_new();
    login(t, 1, "198.51.100.1", 0, tag, sizeof tag);
    snprintf(transcript_add_conn(t, "")->local, 16, "192.0.2.8");
    t->conns[1]->connected = true;
    transcript_bytes(t->conns[1], TRANSCRIPT_INITIATOR, 20000000, "something else, much later", 26);
    told = judge(t, &totals);
    assert_string_equal(told.across, " lint.session-lost");
    assert_int_equal(told.outcome[0], LINT_LOGGED_IN);
}

/* All of more connections than the window holds come out, in the order of their first frames. */
static void many_connections(void **state)
{
    struct transcript *t = transcript_new();
    struct lint_totals totals;
    struct told told;

    (void)state;
    for (int i = 0; i < 900; i++)
        login(t, i, "198.51.100.1", i % 10 ? 0 : 0x0203, i % 10 ? tag : "", i % 10 ? sizeof tag : 0);
    told = judge(t, &totals);
    assert_int_equal(told.conns, 900);
    assert_int_equal(totals.connections, 900);
    assert_int_equal(totals.outcomes[LINT_LOGGED_IN], 810);
    assert_int_equal(totals.outcomes[LINT_REFUSED], 90);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(told.outcome[i], i % 10 ? LINT_LOGGED_IN : LINT_REFUSED);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/a.pcap", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_are_told),
        cmocka_unit_test(redirections_are_followed),
        cmocka_unit_test(lost_sessions_are_told),
        cmocka_unit_test(many_connections),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
