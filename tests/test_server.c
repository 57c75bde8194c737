/* The server around the engine, as a process of its own: peers that do not read or go away, its control socket, what it
 * says when it cannot start, and each of its allocations failing in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "reference_target/server.h"
#include "reference_target/verbs.h"
#include "server_peer.h"
#include "wire/bytes.h"

#define TEXT(literal) (literal), sizeof(literal)

enum { MEGABYTE = 1 << 20 };

static struct served served;
static uint8_t bhs[PDU_BHS_LEN];
static uint8_t data[1 << 18];
static size_t length;

static void sleep_ms(long milliseconds)
{
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* Waits until the answer to a verb holds the text. */
static bool becomes(const char *verb, const char *text, int limit_ms)
{
    for (int waited = 0; waited < limit_ms; waited += 20) {
        if (strstr(served_ask(&served, verb), text) != NULL)
            return true;
        sleep_ms(20);
    }
    return false;
}

/* Asks for megabytes of the disk without reading any of the answer. */
static bool ask_for_much(int fd, unsigned megabytes)
{
    static const uint8_t read_megabyte[16] = {0x28, 0, 0, 0, 0, 0, 0, 2048 >> 8, 0};
    bool good = true;

    for (unsigned i = 0; good && i < megabytes; i++)
        good = served_send(fd, PDU_SCSI_COMMAND, 0xc0, 100 + i, MEGABYTE, read_megabyte, NULL, 0);
    return good;
}

/* Takes Data-In until the status of so many commands; returns the bytes. */
static size_t take_much(int fd, unsigned commands)
{
    size_t total = 0;

    while (commands > 0 && served_receive(fd, bhs, data, sizeof data, &length)) {
        total += length;
        commands -= pdu_opcode(bhs) == PDU_DATA_IN ? (bhs[1] & PDU_FLAG_STATUS) != 0 : 1;
    }
    return total;
}

static void test_serves(void **state)
{
    const struct served_how how = {.words = {"--log-level", "debug", "--portal", "six=[::1]:0"}};
    int normal, discovery;

    (void)state;
    served_start(&served, &how);
    assert_true(served.port > 0);
    normal = served_dial(&served, 0);
    discovery = served_dial(&served, 0);
    assert_true(served_login(normal, false, "", 0));
    assert_true(served_login(discovery, true, "", 0));
    const char *sessions = served_ask(&served, "sessions\n");
    assert_non_null(strstr(sessions, "\"sessions\":2"));
    assert_non_null(strstr(sessions, "\"type\":\"Normal\",\"target\":\"" SERVER_TARGET "\""));
    assert_non_null(strstr(sessions, "\"type\":\"Discovery\",\"target\":null"));
    assert_non_null(strstr(sessions, "\"cid\":7"));
    assert_non_null(strstr(served_ask(&served, "portals"), "\"six\":{\"address\":\"::1\"")); /* no newline at the end */
    assert_true(served_send(normal, PDU_NOP_OUT, 0x80, 3, PDU_NO_TAG, NULL, "ping", 4));
    assert_true(served_receive(normal, bhs, data, sizeof data, &length));
    assert_int_equal(length, 4);
    close(discovery);
    close(normal);
    assert_int_equal(served_stop(&served), SERVER_OK);
}

/* Peers that do not read. The answers wait, and come whole when they read after all. */
static void test_slow_reader(void **state)
{
    const struct served_how how = {.target_words = {"--lun", "1M"}};
    int fd;

    (void)state;
    served_start(&served, &how);
    fd = served_dial(&served, 4096);
    assert_true(served_login(fd, false, TEXT("MaxRecvDataSegmentLength=262144")));
    assert_true(ask_for_much(fd, 12));
    sleep_ms(100);
    assert_int_equal(take_much(fd, 12), 12 * MEGABYTE);
    /* it reads, then goes, in the middle */
    assert_true(ask_for_much(fd, 8));
    assert_true(served_receive(fd, bhs, data, sizeof data, &length));
    served_reset(fd);
    fd = served_dial(&served, 4096);
    assert_true(served_login(fd, false, TEXT("MaxRecvDataSegmentLength=262144")));
    assert_true(ask_for_much(fd, 8));
    close(fd);
    /* it says that it has ended, and reads on */
    fd = served_dial(&served, 4096);
    assert_true(served_login(fd, false, TEXT("MaxRecvDataSegmentLength=262144")));
    assert_true(ask_for_much(fd, 8));
    shutdown(fd, SHUT_WR);
    sleep_ms(50);
    while (served_receive(fd, bhs, data, sizeof data, &length))
        ;
    close(fd);
    assert_true(becomes("sessions\n", "\"connections\":[]", 10000));
    assert_int_equal(served_stop(&served), SERVER_OK);
}

/* Logged out, with output that is not read: given up after a while, soon when connections are short. How much the
 * kernel takes before the server has to keep any is not known, so some connections ask for more than others. */
static void test_end_with_output(void **state)
{
    static const uint8_t read_part[16] = {0x28, 0, 0, 0, 0, 0, 0, 0, 128};
    const struct served_how how = {.target_words = {"--lun", "1M"}, .descriptors = 96};
    int fds[10], others[37];
    unsigned given_up = 0;

    (void)state;
    served_start(&served, &how);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        others[i] = served_dial(&served, 0);
    for (unsigned i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        fds[i] = served_dial(&served, 4096);
        assert_true(served_login(fds[i], false, TEXT("MaxRecvDataSegmentLength=262144")));
        for (unsigned part = 0; part < 12 * (i + 1); part++)
            assert_true(served_send(fds[i], PDU_SCSI_COMMAND, 0xc0, 100 + part, 65536, read_part, NULL, 0));
        assert_true(served_send(fds[i], PDU_LOGOUT_REQUEST, 0x80, 9, 0, NULL, NULL, 0));
    }
    sleep_ms(2000);
    for (unsigned i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        bool logged_out = false;
        while (served_receive(fds[i], bhs, data, sizeof data, &length) && !logged_out)
            logged_out = pdu_opcode(bhs) == PDU_LOGOUT_RESPONSE;
        given_up += !logged_out;
        close(fds[i]);
    }
    assert_in_range(given_up, 1, sizeof fds / sizeof fds[0] - 1);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        close(others[i]);
    assert_true(becomes("sessions\n", "\"connections\":[]", 10000));
    assert_int_equal(served_stop(&served), SERVER_OK);
}

/* A session whose connection was lost goes by itself. */
static void test_lost_session(void **state)
{
    const struct served_how how = {.words = {NULL}};
    int fd;

    (void)state;
    served_start(&served, &how);
    fd = served_dial(&served, 0);
    assert_true(served_login(fd, false, TEXT("DefaultTime2Wait=0\0DefaultTime2Retain=1")));
    served_reset(fd);
    assert_true(becomes("sessions\n", "\"sessions\":1,\"connections\":[]", 2000));
    assert_true(becomes("sessions\n", "\"sessions\":0", 6000));
    assert_int_equal(served_stop(&served), SERVER_OK);
}

/* A portal bound to every address tells the one that the initiator came to. */
static void test_wildcard_portal(void **state)
{
    const struct served_how how = {.portal = "main=0.0.0.0:0", .words = {"--portal", "six=[::]:0"}};
    char expected[64];
    int fd;

    (void)state;
    served_start(&served, &how);
    fd = served_dial(&served, 0);
    assert_true(served_login(fd, true, "", 0));
    assert_true(served_send(fd, PDU_TEXT_REQUEST, 0x80, 3, PDU_NO_TAG, NULL, TEXT("SendTargets=All")));
    assert_true(served_receive(fd, bhs, data, sizeof data, &length));
    snprintf(expected, sizeof expected, "TargetAddress=127.0.0.1:%u,1", served.port);
    assert_non_null(memmem(data, length, expected, strlen(expected)));
    assert_null(memmem(data, length, "0.0.0.0", 7));
    close(fd);
    assert_int_equal(served_stop(&served), SERVER_OK);
}

/* ---- control ---- */

static int control_dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", served_path(&served, "control"));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void test_control(void **state)
{
    static char line[VERBS_LINE_MAX + 100];
    const struct served_how how = {.words = {"--log-level", "debug"}};
    size_t oks = 0, sent = 0;
    int fd, silent[40];

    (void)state;
    served_start(&served, &how);
    assert_non_null(strstr(served_ask(&served, "\n"), "error: the line is empty"));
    assert_non_null(strstr(served_ask(&served, "force 0203 " SERVER_TARGET " more\n"), "error: write force"));
    assert_non_null(strstr(served_ask(&served, "drain main more less\n"), "error: "));
    assert_non_null(strstr(served_ask(&served, "fault nobody\n"), "error: there is no target"));
    assert_non_null(strstr(served_ask(&served, "force 0203 nobody\n"), "error: there is no target"));
    assert_non_null(strstr(served_ask(&served, "drain\nresume\n"), "ok\nok\n"));
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    assert_non_null(strstr(served_ask(&served, line), "error: the line is longer"));
    /* many verbs at once by one that reads late: each gets its answer */
    fd = control_dial();
    for (unsigned tries = 0; sent < 100000 && tries < 50;) {
        if (send(fd, "help\n", 5, MSG_DONTWAIT | MSG_NOSIGNAL) == 5) {
            sent++;
            tries = 0;
        } else {
            tries++; /* it has stopped reading, or is about to */
            sleep_ms(2);
        }
    }
    assert_in_range(sent, 100, 99999);
    shutdown(fd, SHUT_WR);
    for (ssize_t got, at = 0; (got = recv(fd, data + at, sizeof data - (size_t)at, 0)) > 0;) {
        /* count whole lines "ok"; keep what may be the start of one */
        at += got;
        for (uint8_t *ok; (ok = memmem(data, (size_t)at, "\nok\n", 4)) != NULL; oks++) {
            at -= ok + 3 - data;
            memmove(data, ok + 3, (size_t)at);
        }
        if (at > (ssize_t)sizeof data / 2)
            break;
    }
    assert_int_equal(oks, sent);
    close(fd);
    /* silent ones do not keep others out */
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
        silent[i] = control_dial();
    assert_non_null(strstr(served_ask(&served, "portals\n"), "ok"));
    /* the answer to one that is gone */
    for (size_t i = 0; i < 5; i++) {
        fd = control_dial();
        for (unsigned j = 0; j < 300; j++)
            (void)!send(fd, "help\n", 5, MSG_DONTWAIT | MSG_NOSIGNAL);
        close(fd);
    }
    assert_non_null(strstr(served_ask(&served, "quit\n"), "ok"));
    served.ends = true;
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
        close(silent[i]);
    assert_int_equal(served_stop(&served), SERVER_OK);
}

/* ---- start ---- */

/* A server that cannot start says why, on one line with the way out. */
static void test_bad_starts(void **state)
{
    static const struct {
        struct served_how how;
        int status;
        const char *why;
    } rows[] = {
        {{.target_words = {"--lun", "/nonexistent/disk"}},
         SERVER_UNREACHABLE,
         "--lun '/nonexistent/disk': No such file"},
        {{.target_words = {"--lun", "/tmp"}}, SERVER_UNREACHABLE, "--lun '/tmp'"},
        {{.portal = "main=192.0.2.1:3260"}, SERVER_UNREACHABLE, "--portal 'main=192.0.2.1:3260': .*address"},
        {{.portal = "main=[2001:db8::1]:3260"}, SERVER_UNREACHABLE, "--portal 'main=[2001:db8::1]:3260'"},
        {{.words = {"--ready-file", "/nonexistent/ready"}}, SERVER_UNREACHABLE, "--ready-file '/nonexistent/ready'"},
        {{.words = {"--control", "/nonexistent/control"}}, SERVER_UNREACHABLE, "--control '/nonexistent/control'"},
        {{.words = {"--control", "/tmp"}}, SERVER_UNREACHABLE, "something else than a socket"},
        {{.words = {"--nonsense"}}, SERVER_USAGE, "--nonsense"},
        {{.descriptors = 8}, SERVER_UNREACHABLE, "iscsispec-target: "}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[128];
        served_start(&served, &rows[i].how);
        snprintf(why, sizeof why, "%.*s", (int)strcspn(rows[i].why, "*") - (strchr(rows[i].why, '*') != NULL),
                 rows[i].why);
        if (!served_logged(&served, why))
            fail_msg("row %zu: not said: %s (exit status %d)", i, why, served_stop(&served));
        assert_int_equal(served_stop(&served), rows[i].status);
    }
}

/* A control socket that a dead process left is replaced. */
static void test_stale_socket(void **state)
{
    char path[] = "/tmp/iscsispec-stale-XXXXXX", socket_path[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_non_null(mkdtemp(path));
    snprintf(socket_path, sizeof socket_path, "%s/control", path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    const struct served_how how = {.words = {"--control", socket_path}};
    served_start(&served, &how);
    assert_true(served.port > 0);
    assert_int_equal(served_stop(&served), SERVER_OK);
    assert_int_not_equal(access(socket_path, F_OK), 0);
    rmdir(path);
}

/* A disk in a file: written through, and its loss is seen by the next login. */
static void test_file_disk(void **state)
{
    static const uint8_t write_block[16] = {0x2a, 0, 0, 0, 0, 1, 0, 0, 1},
                         read_block[16] = {0x28, 0, 0, 0, 0, 1, 0, 0, 1}, flush[16] = {0x35};
    static char zeros[4096], block[512] = "on disk";
    char path[] = "/tmp/iscsispec-disk-XXXXXX", other[64];
    int file = mkstemp(path), fd;

    (void)state;
    assert_int_equal(write(file, zeros, sizeof zeros), sizeof zeros);
    close(file);
    const struct served_how how = {.target_words = {"--lun", path}};
    served_start(&served, &how);
    fd = served_dial(&served, 0);
    assert_true(served_login(fd, false, "", 0));
    assert_true(served_send(fd, PDU_SCSI_COMMAND, 0xa0, 3, 512, write_block, block, 512));
    assert_true(served_receive(fd, bhs, data, sizeof data, &length));
    assert_int_equal(bhs[3], 0);
    assert_true(served_send(fd, PDU_SCSI_COMMAND, 0x80, 4, 0, flush, NULL, 0));
    assert_true(served_receive(fd, bhs, data, sizeof data, &length));
    assert_true(served_send(fd, PDU_SCSI_COMMAND, 0xc0, 5, 512, read_block, NULL, 0));
    assert_true(served_receive(fd, bhs, data, sizeof data, &length));
    assert_int_equal(length, 512);
    assert_string_equal((char *)data, "on disk");
    snprintf(other, sizeof other, "%s.away", path);
    assert_int_equal(rename(path, other), 0);
    int second = served_dial(&served, 0);
    assert_false(served_login(second, false, "", 0));
    close(second);
    assert_int_equal(rename(other, path), 0);
    second = served_dial(&served, 0);
    assert_true(served_login(second, false, "", 0));
    close(second);
    close(fd);
    unlink(path);
    assert_int_equal(served_stop(&served), SERVER_OK);
}

/* ---- no memory ---- */

/* A little of everything; whatever fails, the server answers or closes, and ends when told to. */
static void use(void)
{
    int fd = served_dial(&served, 4096);

    served_ask(&served, "sessions\n");
    served_ask(&served, "force 0302:iqn.x*\n");
    served_ask(&served, "portals\n");
    if (fd >= 0 && served_login(fd, false, TEXT("MaxRecvDataSegmentLength=262144"))) {
        bool asked = ask_for_much(fd, 6);
        served_ask(&served, "sessions\n");
        if (asked)
            take_much(fd, 6);
    }
    if (fd >= 0)
        close(fd);
}

static void test_no_memory(void **state)
{
    bool done = false;

    (void)state;
    for (size_t fail = 1; !done && fail < 500; fail++) {
        const struct served_how how = {.target_words = {"--lun", "1M"}, .fail_at = fail};
        served_start(&served, &how);
        if (served.port > 0) {
            use();
            /* Only one fails: of two logins the second, at the latest, is served as if nothing had been. */
            bool good = false;
            for (unsigned i = 0; !good && i < 2; i++) {
                int fd = served_dial(&served, 0);
                assert_true(fd >= 0);
                good = served_login(fd, false, "", 0);
                close(fd);
            }
            assert_true(good);
        }
        int status = served_stop(&served);
        if (status != SERVER_OK && status != SERVER_UNREACHABLE)
            fail_msg("allocation %zu: exit status %d", fail, status);
        done = status == SERVER_OK && served.allocations < fail;
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serves),          cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_end_with_output), cmocka_unit_test(test_lost_session),
        cmocka_unit_test(test_wildcard_portal), cmocka_unit_test(test_control),
        cmocka_unit_test(test_bad_starts),      cmocka_unit_test(test_stale_socket),
        cmocka_unit_test(test_file_disk),       cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
