/* See server_peer.h. */
#include "server_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "reference_target/options.h"
#include "reference_target/server.h"
#include "wire/bytes.h"
#include "wire/text.h"

enum { WORDS_MAX = 64, LIMIT_MS = 20000 };

static void sleep_ms(long milliseconds)
{
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&time, NULL);
}

const char *served_path(struct served *served, const char *name)
{
    snprintf(served->path, sizeof served->path, "%s/%s", served->folder, name);
    return served->path;
}

static void add(char **words, int *count, const char *word)
{
    assert_true(*count < WORDS_MAX);
    words[*count] = strdup(word);
    assert_non_null(words[*count]);
    ++*count;
}

/* The child: never returns. */
static void serve(struct served *served, const struct served_how *how)
{
    char *words[WORDS_MAX + 1] = {NULL}, error[OPTIONS_ERROR_MAX];
    struct rlimit limit = {how->descriptors, how->descriptors};
    struct options options;
    int count = 0, result;

    /* Whoever runs the test may have left descriptors open, and a limit counts those too. */
    if (how->descriptors > 0)
        close_range(3, ~0U, 0);
    if (freopen(served_path(served, "log"), "w", stderr) == NULL || freopen("/dev/null", "w", stdout) == NULL ||
        (how->descriptors > 0 && setrlimit(RLIMIT_NOFILE, &limit) != 0))
        _exit(99);
    add(words, &count, "iscsispec-target");
    add(words, &count, "--ready-file");
    add(words, &count, served_path(served, "ready"));
    add(words, &count, "--control");
    add(words, &count, served_path(served, "control"));
    add(words, &count, "--drain-timeout=1");
    add(words, &count, "--portal");
    add(words, &count, how->portal != NULL ? how->portal : "main=127.0.0.1:0");
    for (size_t i = 0; how->words[i] != NULL; i++)
        add(words, &count, how->words[i]);
    add(words, &count, "--target");
    add(words, &count, SERVER_TARGET);
    for (size_t i = 0; how->target_words[i] != NULL; i++)
        add(words, &count, how->target_words[i]);
    if (options_parse(&options, count, words, error)) {
        alloc_fail_at(how->fail_at);
        result = server_run(&options);
        *served->shared = alloc_fail_stop();
    } else {
        fprintf(stderr, "%s\n", error);
        result = SERVER_USAGE;
    }
    options_free(&options);
    for (int i = 0; i < count; i++)
        free(words[i]);
    exit(result);
}

static bool is_gone(const struct served *served)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)served->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == served->pid;
}

void served_start(struct served *served, const struct served_how *how)
{
    char text[4096] = "";
    const char *port;

    memset(served, 0, sizeof *served);
    strcpy(served->folder, "/tmp/iscsispec-served-XXXXXX");
    assert_non_null(mkdtemp(served->folder));
    served->shared = mmap(NULL, sizeof *served->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(served->shared != MAP_FAILED);
    fflush(NULL);
    served->pid = fork();
    assert_true(served->pid >= 0);
    if (served->pid == 0)
        serve(served, how);
    for (int waited = 0; !is_gone(served) && access(served_path(served, "ready"), R_OK) != 0; waited += 2) {
        assert_true(waited < LIMIT_MS);
        sleep_ms(2);
    }
    FILE *file = fopen(served_path(served, "ready"), "r");
    if (file == NULL)
        return;
    (void)!fgets(text, sizeof text, file);
    fclose(file);
    port = strstr(text, "\"port\":");
    served->port = port != NULL ? (unsigned)strtoul(port + 7, NULL, 10) : 0;
}

int served_stop(struct served *served)
{
    static const char *const names[] = {"ready", "control", "log", "disk"};
    int status = 0;

    if (!served->ends && !is_gone(served))
        kill(served->pid, SIGTERM);
    for (int waited = 0; !is_gone(served); waited += 2) {
        if (waited >= LIMIT_MS)
            kill(served->pid, SIGABRT);
        sleep_ms(2);
    }
    waitpid(served->pid, &status, 0);
    if (!WIFEXITED(status))
        fail_msg("the server ended by signal %d", WTERMSIG(status));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(served_path(served, names[i]));
    rmdir(served->folder);
    served->allocations = *served->shared;
    munmap(served->shared, sizeof *served->shared);
    return WEXITSTATUS(status);
}

bool served_logged(struct served *served, const char *text)
{
    static char log[1 << 20];
    FILE *file = fopen(served_path(served, "log"), "r");
    size_t length;

    assert_non_null(file);
    length = fread(log, 1, sizeof log - 1, file);
    log[length] = '\0';
    fclose(file);
    return strstr(log, text) != NULL;
}

static void limit_calls(int fd)
{
    const struct timeval limit = {.tv_sec = 10};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

const char *served_ask(struct served *served, const char *line)
{
    static char answer[1 << 16];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    size_t length = 0;
    ssize_t got;

    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", served_path(served, "control"));
    limit_calls(fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line) && shutdown(fd, SHUT_WR) == 0)
        while (length < sizeof answer - 1 && (got = recv(fd, answer + length, sizeof answer - 1 - length, 0)) > 0)
            length += (size_t)got;
    answer[length] = '\0';
    close(fd);
    return answer;
}

int served_dial(const struct served *served, int receive_size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)served->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (receive_size > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_size, sizeof receive_size);
    limit_calls(fd);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool send_whole(int fd, const uint8_t *bhs, const void *data, size_t length)
{
    static const uint8_t zero[4];

    return send(fd, bhs, PDU_BHS_LEN, MSG_NOSIGNAL) == PDU_BHS_LEN &&
           (length == 0 || send(fd, data, length, MSG_NOSIGNAL) == (ssize_t)length) &&
           (pdu_padding(length) == 0 ||
            send(fd, zero, pdu_padding(length), MSG_NOSIGNAL) == (ssize_t)pdu_padding(length));
}

bool served_login(int fd, bool discovery, const char *more, size_t length)
{
    static uint16_t number;
    uint8_t text[4096], bhs[PDU_BHS_LEN];
    struct pdu_login_request request = {.immediate = true,
                                        .transit = true,
                                        .csg = PDU_STAGE_OPERATIONAL,
                                        .nsg = PDU_STAGE_FULL_FEATURE,
                                        .isid = {0x80, 1, 2, 3, (uint8_t)(number >> 8), (uint8_t)number},
                                        .itt = 1,
                                        .cid = 7,
                                        .cmd_sn = 1};
    struct pdu_login_response response;
    struct text_buf out;

    number++;
    text_buf_init_fixed(&out, text, sizeof text);
    text_buf_add(&out, "InitiatorName", "iqn.2026-01.example:initiator");
    text_buf_add(&out, "SessionType", discovery ? "Discovery" : "Normal");
    if (!discovery)
        text_buf_add(&out, "TargetName", SERVER_TARGET);
    text_buf_add_raw(&out, more, length);
    request.data_len = (uint32_t)out.len;
    pdu_login_request_encode(&request, bhs);
    if (!send_whole(fd, bhs, text, out.len) || !served_receive(fd, bhs, text, sizeof text, &length))
        return false;
    pdu_login_response_decode(&response, bhs);
    return response.status == 0 && response.transit;
}

bool served_send(int fd, uint8_t opcode, unsigned flags, uint32_t itt, uint32_t word20, const uint8_t *cdb,
                 const void *data, size_t length)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request request = {
        .opcode = opcode, .immediate = true, .flags = (uint8_t)flags, .itt = itt, .word20 = word20, .cmd_sn = 1};

    if (cdb != NULL)
        memcpy(request.tail, cdb, sizeof request.tail);
    pdu_request_encode(&request, bhs);
    pdu_set_data_len(bhs, length);
    return send_whole(fd, bhs, data, length);
}

/* Takes length bytes; what does not fit in size is dropped. */
static bool take(int fd, uint8_t *bytes, size_t size, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint8_t dropped[4096];
        size_t room = at < size ? size - at : 0, want = length - at;
        uint8_t *into = room > 0 ? bytes + at : dropped;
        size_t most = room > 0 ? room : sizeof dropped;
        ssize_t got = recv(fd, into, want < most ? want : most, 0);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

bool served_receive(int fd, uint8_t *bhs, void *data, size_t size, size_t *length)
{
    if (!take(fd, bhs, PDU_BHS_LEN, PDU_BHS_LEN))
        return false;
    *length = pdu_data_len(bhs);
    return take(fd, data, size, pdu_padded_len(*length));
}

void served_reset(int fd)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}
