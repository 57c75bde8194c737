/*
 * The pcap writer: what was recorded can be read back out of the file, with right checksums, and a second decoder
 * (tshark, where it is installed) sees the same PDUs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "login_pdu.h"
#include "harness/capture.h"
#include "wire/bytes.h"
#include "wire/digest.h"
#include "wire/pdu.h"

static char folder[] = "/tmp/test_capture.XXXXXX";

static void path_of(char *out, size_t cap, const char *name)
{
    snprintf(out, cap, "%s/%s", folder, name);
}

/* A login by which digests are agreed, a ping with digests, both ends close. */
static size_t ping_pdu(uint8_t *wire, uint8_t opcode)
{
    struct pdu_response rsp = {
        .opcode = opcode, .flags = PDU_FLAG_FINAL, .itt = 9, .word20 = PDU_NO_TAG, .data_len = 5};

    pdu_response_encode(&rsp, wire);
    digest_put(wire + 48, digest_crc32c(wire, 48));
    memcpy(wire + 52, "ping!\0\0\0", 8);
    digest_put(wire + 60, digest_crc32c(wire + 52, 8));
    return 64;
}

static void talk(struct transcript_conn *c, enum transcript_end end)
{
    static const char asked[] = "InitiatorName=iqn.a\0TargetName=iqn.b\0HeaderDigest=CRC32C\0DataDigest=CRC32C";
    static const char told[] = "TargetPortalGroupTag=1\0HeaderDigest=CRC32C\0DataDigest=CRC32C";
    uint8_t wire[512];
    size_t len = login_pdu(wire, true, asked, sizeof asked);

    c->connected = true;
    transcript_bytes(c, TRANSCRIPT_INITIATOR, 1000, wire, 10);
    transcript_bytes(c, TRANSCRIPT_INITIATOR, 1100, wire + 10, len - 10);
    len = login_pdu(wire, false, told, sizeof told);
    transcript_bytes(c, TRANSCRIPT_TARGET, 2000, wire, len);
    transcript_bytes(c, TRANSCRIPT_INITIATOR, 3000, wire, ping_pdu(wire, PDU_NOP_OUT));
    transcript_bytes(c, TRANSCRIPT_TARGET, 4000, wire, ping_pdu(wire, PDU_NOP_IN));
    transcript_end(c, TRANSCRIPT_TARGET, 5000, end);
    transcript_end(c, TRANSCRIPT_INITIATOR, 6000, TRANSCRIPT_FIN);
}

static struct transcript *example(const char *local, const char *remote, uint16_t port)
{
    struct transcript *t = transcript_new();

    for (int i = 0; i < 2; i++) {
        struct transcript_conn *c = transcript_add_conn(t, i ? "B" : "A");

        snprintf(c->local, sizeof c->local, "%s", local);
        snprintf(c->remote, sizeof c->remote, "%s", remote);
        c->local_port = (uint16_t)(40000 + i);
        c->remote_port = port;
        talk(c, i ? TRANSCRIPT_RST : TRANSCRIPT_FIN);
    }
    return t;
}

/* What a reader gets out of a file, both connections and directions. */
struct read_back {
    uint8_t *bytes[2][2];
    size_t len[2][2];
    uint32_t next[2][2];
    unsigned syn, fin, rst, frames;
    int64_t last_us;
};

static uint16_t ones_sum(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void take_frame(struct read_back *r, const struct pcap_pkthdr *h, const u_char *frame)
{
    bool v6 = bytes_get_be16(frame + 12) == 0x86dd;
    const u_char *ip = frame + 14;
    const u_char *tcp = ip + (v6 ? 40 : 20);
    size_t len = h->caplen - (size_t)(tcp - frame);
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    int side = bytes_get_be16(tcp) >= 40000 ? 0 : 1;
    int conn = bytes_get_be16(tcp + (side ? 2 : 0)) - 40000;
    int64_t at = (int64_t)h->ts.tv_sec * 1000000 + h->ts.tv_usec;
    size_t data = len - header;

    assert_int_equal(h->caplen, h->len);
    assert_true(conn == 0 || conn == 1);
    assert_true(at >= r->last_us);
    r->last_us = at;
    if (!v6)
        assert_int_equal(ones_sum(0, ip, 20), 0xffff);
    assert_int_equal(ones_sum(6 + (uint32_t)len + ones_sum(0, ip + (v6 ? 8 : 12), v6 ? 32 : 8), tcp, len), 0xffff);
    if (tcp[13] & 0x02)
        r->next[conn][side] = bytes_get_be32(tcp + 4);
    assert_int_equal(bytes_get_be32(tcp + 4), r->next[conn][side]);
    if (tcp[13] & 0x10 && !(tcp[13] & 0x02))
        assert_int_equal(bytes_get_be32(tcp + 8), r->next[conn][!side]);
    r->bytes[conn][side] = realloc(r->bytes[conn][side], r->len[conn][side] + data + 1);
    memcpy(r->bytes[conn][side] + r->len[conn][side], tcp + header, data);
    r->len[conn][side] += data;
    r->next[conn][side] += (uint32_t)data + (tcp[13] & 0x03 ? 1 : 0);
    r->syn += (tcp[13] & 0x02) != 0;
    r->fin += (tcp[13] & 0x01) != 0;
    r->rst += (tcp[13] & 0x04) != 0;
    r->frames++;
}

static void read_file(const char *path, struct read_back *r)
{
    char err[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(path, err);
    struct pcap_pkthdr *h;
    const u_char *frame;

    memset(r, 0, sizeof *r);
    assert_non_null(pcap);
    while (pcap_next_ex(pcap, &h, &frame) == 1)
        take_frame(r, h, frame);
    pcap_close(pcap);
}

static void free_read(struct read_back *r)
{
    for (int i = 0; i < 4; i++)
        free(r->bytes[i / 2][i % 2]);
}

static void check_streams(const struct transcript *t, const char *path)
{
    struct read_back r;

    read_file(path, &r);
    for (size_t i = 0; i < t->conn_count; i++) {
        for (int side = 0; side < 2; side++) {
            assert_int_equal(r.len[i][side], t->conns[i]->stream[side].len);
            assert_memory_equal(r.bytes[i][side], t->conns[i]->stream[side].bytes, r.len[i][side]);
        }
    }
    assert_int_equal(r.syn, 4);
    assert_int_equal(r.fin, 2);
    assert_int_equal(r.rst, 1);
    free_read(&r);
}

static void streams_come_back(void **state)
{
    static const char *const addresses[][2] = {
        {"127.0.0.1", "10.1.2.3"}, {"::1", "fe80::1%eth0"}, {"", ""}, {"host.example", "::1"}};
    char path[256];
    char err[256];

    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct transcript *t = example(addresses[i][0], addresses[i][1], 13499);

        path_of(path, sizeof path, "a.pcap");
        assert_int_equal(capture_write(t, path, err, sizeof err), 0);
        check_streams(t, path);
        transcript_free(t);
    }
}

static void long_runs_are_split(void **state)
{
    struct transcript *t = transcript_new();
    struct transcript_conn *c = transcript_add_conn(t, "A");
    uint8_t *big = calloc(1, 150001);
    struct read_back r;
    char path[256];
    char err[256];

    (void)state;
    c->connected = true;
    c->local_port = 40000;
    transcript_bytes(c, TRANSCRIPT_TARGET, 5, big, 150001);
    path_of(path, sizeof path, "big.pcap");
    assert_int_equal(capture_write(t, path, err, sizeof err), 0);
    read_file(path, &r);
    assert_int_equal(r.len[0][1], 150001);
    assert_int_equal(r.frames, 3 + 3 * 2);
    free_read(&r);
    free(big);
    transcript_free(t);
}

static char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *out = malloc(1 << 20);

    assert_non_null(f);
    assert_non_null(out);
    *len = fread(out, 1, (1 << 20) - 1, f);
    out[*len] = '\0';
    fclose(f);
    return out;
}

static void same_transcript_same_file(void **state)
{
    struct transcript *t = example("127.0.0.1", "127.0.0.1", 3260);
    char path[2][256];
    char err[256];
    size_t len[2];
    char *text[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        path_of(path[i], sizeof path[i], i ? "one.pcap" : "two.pcap");
        assert_int_equal(capture_write(t, path[i], err, sizeof err), 0);
        text[i] = slurp(path[i], &len[i]);
    }
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(text[0], text[1], len[0]);
    free(text[0]);
    free(text[1]);
    transcript_free(t);
}

/* Nothing, refused TCP, gaps: written all the same. */
static void odd_transcripts_are_written(void **state)
{
    struct transcript *t = transcript_new();
    struct transcript_conn *c;
    struct read_back r;
    char path[256];
    char err[256];

    (void)state;
    path_of(path, sizeof path, "odd.pcap");
    assert_int_equal(capture_write(t, path, err, sizeof err), 0);
    c = transcript_add_conn(t, "A");
    c->local_port = 40000;
    transcript_end(c, TRANSCRIPT_TARGET, 1, TRANSCRIPT_RST);
    assert_int_equal(capture_write(t, path, err, sizeof err), 0);
    read_file(path, &r);
    assert_int_equal(r.frames, 2);
    assert_int_equal(r.rst, 1);
    free_read(&r);
    c = transcript_add_conn(t, "B");
    transcript_gap(c, TRANSCRIPT_INITIATOR, 5, 100);
    transcript_bytes(c, TRANSCRIPT_INITIATOR, 4, "x", 1);
    assert_int_equal(capture_write(t, path, err, sizeof err), 0);
    transcript_free(t);
}

static void errors_are_told_and_leave_nothing(void **state)
{
    struct transcript *t = example("127.0.0.1", "127.0.0.1", 3260);
    struct rlimit old;
    struct rlimit small;
    struct stat st;
    char path[256];
    char err[512] = "";

    (void)state;
    assert_int_equal(capture_write(t, "/nonexistent/a.pcap", err, sizeof err), -1);
    assert_non_null(strstr(err, "/nonexistent/a.pcap"));
    /* A file that may not grow is what a full disk looks like. */
    path_of(path, sizeof path, "full.pcap");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 64;
    setrlimit(RLIMIT_FSIZE, &small);
    err[0] = '\0';
    assert_int_equal(capture_write(t, path, err, sizeof err), -1);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_non_null(strstr(err, "full.pcap"));
    assert_int_not_equal(stat(path, &st), 0);
    transcript_free(t);
}

/* Runs tshark over a file; *lines is the number of lines that it printed. */
static char *tshark(const char *options, const char *path, size_t *lines)
{
    char command[512];
    char out[256];
    size_t len;
    char *text;

    path_of(out, sizeof out, "tshark.txt");
    snprintf(command, sizeof command,
             "timeout 60 tshark -r %s -d tcp.port==13499,iscsi -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE %s "
             ">%s 2>/dev/null",
             path, options, out);
    assert_int_equal(system(command), 0);
    text = slurp(out, &len);
    *lines = 0;
    for (size_t i = 0; i < len; i++)
        *lines += text[i] == '\n';
    return text;
}

static void tshark_reads_the_same(void **state)
{
    static const char *const addresses[][2] = {{"127.0.0.1", "127.0.0.1"}, {"::1", "::1"}};
    char path[256];
    char err[256];
    size_t lines;
    char *text;

    (void)state;
    if (system("tshark --version >/dev/null 2>&1") != 0) {
        print_message("no tshark here: not compared\n");
        skip();
    }
    for (size_t i = 0; i < 2; i++) {
        struct transcript *t = example(addresses[i][0], addresses[i][1], 13499);

        path_of(path, sizeof path, "shark.pcap");
        assert_int_equal(capture_write(t, path, err, sizeof err), 0);
        text = tshark("-Y iscsi -T fields -e iscsi.opcode -e iscsi.login.status -e iscsi.keyvalue", path, &lines);
        assert_int_equal(lines, 8);
        assert_non_null(strstr(text, "0x23\t0x0000\tTargetPortalGroupTag=1,HeaderDigest=CRC32C"));
        assert_non_null(strstr(text, "TargetName=iqn.b"));
        assert_non_null(strstr(text, "0x20"));
        free(text);
        free(tshark("-Y \"_ws.malformed || tcp.checksum.status==0 || ip.checksum.status==0 || "
                    "tcp.analysis.lost_segment || tcp.analysis.retransmission || tcp.analysis.ack_lost_segment || "
                    "tcp.analysis.window_full\"",
                    path, &lines));
        assert_int_equal(lines, 0);
        transcript_free(t);
    }
}

static int remove_folder(void **state)
{
    char command[256];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_come_back),
        cmocka_unit_test(long_runs_are_split),
        cmocka_unit_test(same_transcript_same_file),
        cmocka_unit_test(odd_transcripts_are_written),
        cmocka_unit_test(errors_are_told_and_leave_nothing),
        cmocka_unit_test(tshark_reads_the_same),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
