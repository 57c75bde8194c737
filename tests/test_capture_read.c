/*
 * The capture reader: what the pcap writer wrote comes back the same; frames of all sorts are dissected; TCP is put in
 * order; files that are none say so. The comparison with tshark over many variants is tests/e2e/capture-variants.sh.
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

#include "login_pdu.h"
#include "harness/capture.h"
#include "harness/capture_read.h"
#include "wire/pdu.h"

static char folder[] = "/tmp/test_capture_read.XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char asked[] = "InitiatorName=iqn.a\0TargetName=iqn.b\0SessionType=Normal";
static const char told[] = "TargetPortalGroupTag=1";

/* A login, `behind` bytes of each side behind it, and the endings. */
static void talk(struct transcript_conn *c, size_t behind, enum transcript_end end)
{
    uint8_t wire[512];
    size_t len = login_pdu(wire, true, asked, sizeof asked);
    uint8_t *more = calloc(1, behind + 1);

    assert_non_null(more);
    c->connected = true;
    transcript_bytes(c, TRANSCRIPT_INITIATOR, 1000, wire, 10);
    transcript_bytes(c, TRANSCRIPT_INITIATOR, 1100, wire + 10, len - 10);
    len = login_pdu(wire, false, told, sizeof told);
    transcript_bytes(c, TRANSCRIPT_TARGET, 2000, wire, len);
    if (behind > 0) {
        transcript_bytes(c, TRANSCRIPT_INITIATOR, 3000, more, behind);
        transcript_bytes(c, TRANSCRIPT_TARGET, 4000, more, behind);
    }
    transcript_end(c, TRANSCRIPT_TARGET, 5000, end);
    if (end == TRANSCRIPT_FIN)
        transcript_end(c, TRANSCRIPT_INITIATOR, 6000, TRANSCRIPT_FIN);
    free(more);
}

static struct transcript_conn *add_conn(struct transcript *t, uint16_t port, uint16_t portal)
{
    struct transcript_conn *c = transcript_add_conn(t, "A");

    snprintf(c->local, sizeof c->local, "192.0.2.7");
    snprintf(c->remote, sizeof c->remote, "198.51.100.9");
    c->local_port = port;
    c->remote_port = portal;
    return c;
}

static struct capture *open_written(const struct transcript *t, const struct capture_options *options)
{
    char err[512] = "";
    struct capture *c;

    assert_int_equal(capture_write(t, path_of("written.pcap"), err, sizeof err), 0);
    c = capture_open(path_of("written.pcap"), options, err, sizeof err);
    if (!c)
        fail_msg("%s", err);
    return c;
}

static struct capture_conn *next(struct capture *c)
{
    struct capture_conn *conn = NULL;
    enum capture_result result;

    do
        result = capture_next(c, &conn);
    while (result == CAPTURE_PAUSE);
    assert_true((result == CAPTURE_CONN) == (conn != NULL));
    return conn;
}

static void same_stream(const struct transcript_conn *a, const struct transcript_conn *b, enum transcript_side side)
{
    assert_int_equal(a->stream[side].len, b->stream[side].len);
    assert_memory_equal(a->stream[side].bytes, b->stream[side].bytes, a->stream[side].len);
    assert_int_equal(transcript_ended(a, side) != NULL, transcript_ended(b, side) != NULL);
    if (transcript_ended(a, side))
        assert_int_equal(transcript_ended(a, side)->end, transcript_ended(b, side)->end);
}

static void reads_what_was_written(void **state)
{
    struct transcript *t = transcript_new();
    struct transcript_conn *written = add_conn(t, 40000, 13260);
    struct capture_conn *conn;
    struct capture *c;

    (void)state;
    talk(written, 0, TRANSCRIPT_FIN);
    c = open_written(t, NULL);
    conn = next(c);
    assert_non_null(conn);
    assert_true(conn->recognised && conn->opened && !conn->early);
    assert_string_equal(conn->conn->local, "192.0.2.7");
    assert_string_equal(conn->conn->remote, "198.51.100.9");
    assert_int_equal(conn->conn->remote_port, 13260);
    same_stream(conn->conn, written, TRANSCRIPT_INITIATOR);
    same_stream(conn->conn, written, TRANSCRIPT_TARGET);
    /* SYN, SYN, ACK; the first ten bytes are frame 4, acknowledged by 5. */
    assert_int_equal(capture_frame(conn, TRANSCRIPT_INITIATOR, 9), 4);
    assert_int_equal(capture_frame(conn, TRANSCRIPT_INITIATOR, 10), 6);
    assert_int_equal(capture_shown(conn, TRANSCRIPT_INITIATOR, 10), 4);
    assert_int_equal(capture_shown(conn, TRANSCRIPT_INITIATOR, 11), 6);
    assert_int_equal(capture_frame(conn, TRANSCRIPT_TARGET, 0), 8);
    assert_int_equal(capture_frame(conn, TRANSCRIPT_TARGET, 100000), 0);
    assert_int_equal(conn->missing_bytes + conn->repeated_bytes + conn->late_segments, 0);
    capture_conn_free(conn);
    assert_null(next(c));
    assert_string_equal(capture_error(c), "");
    capture_close(c);
    transcript_free(t);
}

/* Behind the login only so much is kept, and what was left out is told. */
static void keeps_so_much_behind_the_login(void **state)
{
    struct capture_options options = {.behind = 1000};
    struct transcript *t = transcript_new();
    struct transcript_conn *written = add_conn(t, 40000, 3260);
    struct capture_conn *conn;
    struct capture *c;

    (void)state;
    talk(written, 5000, TRANSCRIPT_FIN);
    c = open_written(t, &options);
    conn = next(c);
    assert_non_null(conn);
    for (int side = 0; side < 2; side++) {
        assert_int_equal(conn->conn->stream[side].len, written->stream[side].len - 4000);
        assert_int_equal(conn->skipped[side], 4000);
        assert_non_null(transcript_ended(conn->conn, (enum transcript_side)side));
    }
    assert_true(conn->conn->overflow);
    capture_conn_free(conn);
    capture_close(c);
    transcript_free(t);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(path_of("written.pcap"));
    return rmdir(folder);
}

/* ---- pcapng ---- */

static void put_block(FILE *f, uint32_t type, const void *body, uint32_t len)
{
    static const uint8_t zeros[4];
    uint32_t total = 12 + (len + 3) / 4 * 4;

    fwrite(&type, 4, 1, f);
    fwrite(&total, 4, 1, f);
    fwrite(body, 1, len, f);
    fwrite(zeros, 1, total - 12 - len, f);
    fwrite(&total, 4, 1, f);
}

static void put_interface(FILE *f, uint16_t link, uint8_t resolution, int64_t offset)
{
    uint8_t body[8 + 8 + 12 + 4] = {0};
    uint16_t numbers[2] = {9, 1};

    memcpy(body, &link, 2);
    memcpy(body + 8, numbers, 4);
    body[12] = resolution;
    numbers[0] = 14;
    numbers[1] = 8;
    memcpy(body + 16, numbers, 4);
    memcpy(body + 20, &offset, 8);
    put_block(f, 1, body, sizeof body);
}

/* A frame that is no TCP. */
static void put_packet(FILE *f, uint32_t interface, uint64_t ticks)
{
    uint8_t body[20 + 60] = {0};
    uint32_t head[5] = {interface, (uint32_t)(ticks >> 32), (uint32_t)ticks, 60, 60};

    memcpy(body, head, sizeof head);
    put_block(f, 6, body, sizeof body);
}

static void put_section(FILE *f)
{
    const uint16_t version[2] = {1, 0};
    uint8_t body[16];
    const uint32_t magic = 0x1a2b3c4d;

    memset(body, 0xff, sizeof body);
    memcpy(body, &magic, 4);
    memcpy(body + 4, version, 4);
    put_block(f, 0x0a0d0d0a, body, sizeof body);
}

static enum capture_result read_all(struct capture *c)
{
    struct capture_conn *conn;
    enum capture_result result;

    while ((result = capture_next(c, &conn)) == CAPTURE_CONN || result == CAPTURE_PAUSE)
        if (result == CAPTURE_CONN)
            capture_conn_free(conn);
    return result;
}

/* A finished capture of this name, opened. */
static struct capture *open_made(FILE *f, const char *name, const struct capture_options *options)
{
    char err[512] = "";
    struct capture *c;

    assert_int_equal(fclose(f), 0);
    c = capture_open(path_of(name), options, err, sizeof err);
    assert_non_null(c);
    return c;
}

/* Interfaces of other link types and other clocks, one of them of a type that nobody can read. */
static void reads_several_interfaces(void **state)
{
    const struct capture_options options = {.filter = "udp"};
    FILE *f = fopen(path_of("several.pcapng"), "wb");
    struct capture *c;

    (void)state;
    assert_non_null(f);
    put_section(f);
    put_interface(f, 105, 6, 0);
    put_interface(f, 1, 9, 0);
    put_interface(f, 101, 0x94, 10);
    put_packet(f, 1, UINT64_C(5000000000));
    put_block(f, 0xbad, "unknown", 7);
    put_packet(f, 0, 7000000);
    put_packet(f, 2, (3u << 20) + (1u << 19));
    c = open_made(f, "several.pcapng", &options);
    assert_int_equal(read_all(c), CAPTURE_END);
    assert_int_equal(capture_counts(c)->frames, 3);
    assert_int_equal(capture_counts(c)->unread, 1);
    assert_int_equal(capture_counts(c)->filtered, 2);
    assert_int_equal(capture_start_us(c), 5000000);
    assert_int_equal(capture_last_us(c), 13500000 - 5000000);
    capture_close(c);
    unlink(path_of("several.pcapng"));
}

/* Nothing but frames that cannot be read is an error that says why. */
static void tells_an_unknown_link(void **state)
{
    FILE *f = fopen(path_of("wlan.pcapng"), "wb");
    struct capture *c;

    (void)state;
    assert_non_null(f);
    put_section(f);
    put_interface(f, 105, 6, 0);
    put_packet(f, 0, 7000000);
    c = open_made(f, "wlan.pcapng", NULL);
    assert_int_equal(read_all(c), CAPTURE_DAMAGED);
    assert_non_null(strstr(capture_error(c), "a link type that cannot be read: IEEE802_11"));
    capture_close(c);
    unlink(path_of("wlan.pcapng"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(keeps_so_much_behind_the_login),
        cmocka_unit_test(reads_several_interfaces),
        cmocka_unit_test(tells_an_unknown_link),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
