#include "harness/probe.h"

#include "harness/decoder.h"
#include "harness/process.h"
#include "harness/scenario.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_LINE_MAX (1u << 20)

struct probe_work {
    struct hooks *hooks;
    const char *initiator;
    uint64_t seed;
    int timeout_ms;
};

static json_t *measure_login(const void *user)
{
    const struct probe_work *work = user;
    struct scenario_env env = {
        .profile = work->hooks->profile,
        .initiator = work->initiator,
        .seed = work->seed,
        .timeout_ms = work->timeout_ms,
        .close_grace_ms = 0,
    };
    char err[256] = "";
    int64_t rtt_us = 0;
    int rc = scenario_plain_login(&env, &rtt_us, err, sizeof(err));

    return json_pack("{s:b, s:I, s:o}", "good", rc == 0, "rtt_us", (json_int_t)rtt_us, "err", result_text(err));
}

static json_t *measure_decoder(const void *user)
{
    struct decoder_cell cells[STATUS_COUNT];
    json_t *codes = json_object();
    char code[8];

    (void)user;
    decoder_measure(cells, NULL);
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        snprintf(code, sizeof(code), "0x%04x", (unsigned)cells[i].code);
        json_object_set_new(codes, code,
                            json_pack("{s:b, s:o}", "ok", cells[i].ok, "reported", result_text(cells[i].reported)));
    }
    return json_pack("{s:s, s:o}", "name", decoder_name(), "codes", codes);
}

static int write_fd(const char *bytes, size_t len, void *user)
{
    return write(*(int *)user, bytes, len) == (ssize_t)len ? 0 : -1;
}

/* What the child writes until its end, within the deadline. */
static json_t *read_answer(int fd, int deadline_ms)
{
    int64_t deadline = process_now_ms() + deadline_ms;
    char *text = malloc(PROBE_LINE_MAX);
    json_t *answer = NULL;
    size_t len = 0;

    while (text != NULL && len < PROBE_LINE_MAX) {
        struct pollfd item = {.fd = fd, .events = POLLIN};
        int64_t left = deadline - process_now_ms();
        ssize_t got;

        if (left <= 0 || process_interrupted()) {
            break;
        }
        if (poll(&item, 1, left < 100 ? (int)left : 100) <= 0) {
            continue;
        }
        got = read(fd, text + len, PROBE_LINE_MAX - len);
        if (got <= 0) {
            answer = json_loadb(text, len, 0, NULL);
            break;
        }
        len += (size_t)got;
    }
    free(text);
    return answer;
}

json_t *probe_in_child(json_t *(*measure)(const void *user), const void *user, int deadline_ms)
{
    pid_t parent = getpid();
    json_t *answer = NULL;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return NULL;
    }
    pid = fork();
    if (pid == 0) {
        process_child_setup(parent);
        close(ends[0]);
        answer = measure(user);
        _exit(answer != NULL && json_dump_callback(answer, write_fd, &ends[1], JSON_COMPACT) == 0 ? 0 : 1);
    }
    close(ends[1]);
    if (pid > 0) {
        answer = read_answer(ends[0], deadline_ms);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    close(ends[0]);
    return answer;
}

bool probe_login(struct hooks *hooks, const char *initiator, uint64_t seed, int timeout_ms, int64_t *rtt_us, char *err,
                 size_t err_len)
{
    struct probe_work work = {hooks, initiator, seed, timeout_ms};
    json_t *answer = probe_in_child(measure_login, &work, timeout_ms * 4 + 1000);
    const char *text = json_string_value(json_object_get(answer, "err"));
    bool good = json_is_true(json_object_get(answer, "good"));

    *rtt_us = json_integer_value(json_object_get(answer, "rtt_us"));
    snprintf(err, err_len, "%s", answer == NULL ? "it brought the probe down or gave no answer" : text);
    json_decref(answer);
    return good;
}

json_t *probe_decoder(int deadline_ms)
{
    return probe_in_child(measure_decoder, NULL, deadline_ms);
}
