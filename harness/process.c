#include "harness/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t process_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t process_now_ms(void)
{
    return process_now_us() / 1000;
}

void process_sleep_ms(int ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};

    nanosleep(&pause, NULL);
}

bool process_interrupted(void)
{
    sigset_t pending;

    if (sigpending(&pending) != 0) {
        return false;
    }
    return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1;
}

bool process_take_interrupt(void)
{
    struct timespec at_once = {0};
    bool any = false;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    while (sigtimedwait(&set, NULL, &at_once) > 0) {
        any = true;
    }
    return any;
}

void process_block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

void process_child_setup(pid_t parent)
{
    sigset_t none;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(127); /* the parent died before the line above */
    }
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: standard streams, environment, exec. Only 0, 1 and 2 go over. */
static void child_exec(const char *command, int out_fd, const char *const *env)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(out_fd, 2) < 0) {
        _exit(127);
    }
    close_range(3, ~0U, 0);
    for (; env != NULL && *env != NULL; env++) {
        if (putenv((char *)(uintptr_t)*env) != 0) {
            _exit(127);
        }
    }
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

pid_t process_start(const char *command, int log_fd, const char *const *env)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0) {
        setsid(); /* before the line below: the leader of a group cannot */
        process_child_setup(parent);
        child_exec(command, log_fd, env);
    }
    return pid;
}

/* Keeps the end of what came when it is more than the room. */
static void output_append(struct process_result *out, size_t *used, const char *bytes, size_t len)
{
    size_t room = sizeof(out->output) - 1;

    if (len > room) {
        bytes += len - room;
        len = room;
    }
    if (*used + len > room) {
        size_t drop = *used + len - room;

        memmove(out->output, out->output + drop, *used - drop);
        *used -= drop;
    }
    memcpy(out->output + *used, bytes, len);
    *used += len;
    out->output[*used] = '\0';
}

void process_last_line(const char *text, char *out, size_t out_len)
{
    size_t end = strlen(text);
    size_t start;

    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' ' || text[end - 1] == '\r')) {
        end--;
    }
    for (start = end; start > 0 && text[start - 1] != '\n'; start--) {
    }
    snprintf(out, out_len, "%.*s", (int)(end - start), text + start);
}

/* Waits a little for output and collects it. Returns false once the pipe is at its end. */
static bool collect(int fd, int wait_ms, struct process_result *out, size_t *used)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    char chunk[4096];
    ssize_t got;

    if (poll(&item, 1, wait_ms) <= 0) {
        return true;
    }
    got = read(fd, chunk, sizeof(chunk));
    if (got > 0) {
        output_append(out, used, chunk, (size_t)got);
    }
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/*
 * Until the command itself ended: one that left something running in the background may keep the pipe open, so the end
 * of the process counts, not the end of the pipe.
 */
static void await(pid_t pid, int fd, int64_t deadline, struct process_result *out)
{
    size_t used = 0;
    bool open = true;
    int state = 0;
    pid_t got;

    for (;;) {
        if (open) {
            open = collect(fd, 5, out, &used);
        } else {
            process_sleep_ms(1);
        }
        got = waitpid(pid, &state, WNOHANG);
        if (got == pid) {
            break;
        }
        if (process_now_ms() >= deadline || process_interrupted()) {
            out->status = process_interrupted() ? PROCESS_INTERRUPTED : PROCESS_TIMEOUT;
            kill(-pid, SIGKILL);
            waitpid(pid, &state, 0);
            return;
        }
    }
    while (open && collect(fd, 0, out, &used)) {
        struct pollfd item = {.fd = fd, .events = POLLIN};

        if (poll(&item, 1, 0) <= 0) {
            break;
        }
    }
    out->status = PROCESS_DONE;
    out->code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

void process_run(const char *command, const char *const *env, int deadline_ms, struct process_result *out)
{
    int64_t deadline = process_now_ms() + deadline_ms;
    int ends[2];
    pid_t pid;

    memset(out, 0, sizeof(*out));
    out->status = PROCESS_FAILED;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return;
    }
    pid = process_start(command, ends[1], env);
    close(ends[1]);
    if (pid > 0) {
        await(pid, ends[0], deadline, out);
    }
    close(ends[0]);
    process_last_line(out->output, out->tail, sizeof(out->tail));
}
