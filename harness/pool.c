#include "harness/pool.h"

#include "harness/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define POOL_TEXT_MAX (16u << 20)
#define POOL_CHUNK    65536u

bool pool_init(struct pool *p, size_t size)
{
    sigset_t set;

    memset(p, 0, sizeof(*p));
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    p->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    p->slots = calloc(size, sizeof(*p->slots));
    p->chunk = malloc(POOL_CHUNK);
    p->size = size;
    if (p->signal_fd < 0 || p->slots == NULL || p->chunk == NULL) {
        pool_free(p);
        return false;
    }
    return true;
}

/* The worker's whole process group, and what it started. */
static void slot_kill(struct pool_slot *slot)
{
    kill(-slot->pid, SIGKILL);
    kill(slot->pid, SIGKILL); /* when it had no time for its process group */
}

static void slot_clear(struct pool *p, struct pool_slot *slot)
{
    close(slot->task_fd);
    close(slot->answer_fd);
    free(slot->text);
    p->busy -= slot->job != NULL;
    memset(slot, 0, sizeof(*slot));
}

static void slot_end(struct pool *p, struct pool_slot *slot)
{
    slot_kill(slot);
    waitpid(slot->pid, NULL, 0);
    slot_clear(p, slot);
}

void pool_free(struct pool *p)
{
    for (size_t i = 0; p->slots != NULL && i < p->size; i++) {
        if (p->slots[i].pid > 0) {
            slot_end(p, &p->slots[i]);
        }
    }
    free(p->slots);
    free(p->chunk);
    if (p->signal_fd >= 0) {
        close(p->signal_fd);
    }
    memset(p, 0, sizeof(*p));
    p->signal_fd = -1;
}

void pool_renew(struct pool *p)
{
    for (size_t i = 0; i < p->size; i++) {
        if (p->slots[i].pid > 0 && p->slots[i].job == NULL) {
            slot_end(p, &p->slots[i]);
        }
    }
}

/* An idle worker, else room for one. */
static struct pool_slot *slot_free(struct pool *p)
{
    struct pool_slot *room = NULL;

    for (size_t i = 0; i < p->size; i++) {
        if (p->slots[i].pid > 0 && p->slots[i].job == NULL) {
            return &p->slots[i];
        }
        if (p->slots[i].pid == 0 && room == NULL) {
            room = &p->slots[i];
        }
    }
    return room;
}

bool pool_start(struct pool *p, const struct worker_task *task, void *job)
{
    struct pool_slot *slot = slot_free(p);

    if (slot == NULL) {
        errno = EAGAIN;
        return false;
    }
    /* A worker that died while it was idle shows here: another one in its place. */
    if (slot->pid > 0 && write(slot->task_fd, task, sizeof(*task)) != (ssize_t)sizeof(*task)) {
        slot_end(p, slot);
    }
    if (slot->pid == 0) {
        pid_t pid = worker_start(&slot->task_fd, &slot->answer_fd);

        if (pid < 0) {
            return false;
        }
        slot->pid = pid;
        if (write(slot->task_fd, task, sizeof(*task)) != (ssize_t)sizeof(*task)) {
            slot_end(p, slot);
            return false;
        }
    }
    slot->job = job;
    slot->deadline_ms = process_now_ms() + worker_deadline_ms(task);
    p->busy++;
    return true;
}

static bool slot_append(struct pool_slot *slot, const char *bytes, size_t len)
{
    size_t room = slot->len + len + 1;
    char *more = room > POOL_TEXT_MAX ? NULL : realloc(slot->text, room);

    if (more == NULL) {
        return false;
    }
    memcpy(more + slot->len, bytes, len);
    slot->text = more;
    slot->len += len;
    slot->text[slot->len] = '\0';
    return true;
}

enum slot_state { SLOT_WORKING, SLOT_ANSWERED, SLOT_ENDED };

/* Takes what the worker wrote. */
static enum slot_state slot_read(struct pool *p, struct pool_slot *slot)
{
    ssize_t got = read(slot->answer_fd, p->chunk, POOL_CHUNK);
    struct worker_answer_head head;

    if (got < 0 && errno == EINTR) {
        return SLOT_WORKING;
    }
    if (got <= 0 || !slot_append(slot, p->chunk, (size_t)got)) {
        return SLOT_ENDED;
    }
    if (slot->len < sizeof(head)) {
        return SLOT_WORKING;
    }
    memcpy(&head, slot->text, sizeof(head));
    return slot->len - sizeof(head) < head.len ? SLOT_WORKING : SLOT_ANSWERED;
}

/* The worker is done with its case, and idle. */
static void slot_take(struct pool *p, struct pool_slot *slot, struct pool_outcome *out)
{
    memset(out, 0, sizeof(*out));
    out->job = slot->job;
    out->text = strdup(slot->text + sizeof(struct worker_answer_head));
    if (out->text == NULL) {
        snprintf(out->reason, sizeof(out->reason), "out of memory");
    }
    free(slot->text);
    slot->text = NULL;
    slot->len = 0;
    slot->job = NULL;
    p->busy--;
}

/* The worker is at its end, or is brought there. */
static void slot_finish(struct pool *p, struct pool_slot *slot, bool late, struct pool_outcome *out)
{
    int state = 0;

    memset(out, 0, sizeof(*out));
    out->job = slot->job;
    if (late) {
        slot_kill(slot);
    }
    waitpid(slot->pid, &state, 0);
    if (late) {
        snprintf(out->reason, sizeof(out->reason), "the worker did not end in time and was killed");
    } else if (WIFSIGNALED(state)) {
        snprintf(out->reason, sizeof(out->reason), "the worker died of signal %d (%s)", WTERMSIG(state),
                 strsignal(WTERMSIG(state)));
    } else {
        snprintf(out->reason, sizeof(out->reason), "the worker ended with status %d without a result",
                 WEXITSTATUS(state));
    }
    slot_clear(p, slot);
}

static struct pool_slot *slot_of(struct pool *p, int fd)
{
    for (size_t i = 0; i < p->size; i++) {
        if (p->slots[i].job != NULL && p->slots[i].answer_fd == fd) {
            return &p->slots[i];
        }
    }
    return NULL;
}

static struct pool_slot *slot_next_late(struct pool *p, int64_t now, int *wait_ms)
{
    *wait_ms = -1;
    for (size_t i = 0; i < p->size; i++) {
        struct pool_slot *slot = &p->slots[i];

        if (slot->job == NULL) {
            continue;
        }
        if (slot->deadline_ms <= now) {
            return slot;
        }
        if (*wait_ms < 0 || slot->deadline_ms - now < *wait_ms) {
            *wait_ms = (int)(slot->deadline_ms - now);
        }
    }
    return NULL;
}

static enum pool_event poll_once(struct pool *p, struct pollfd *items, int wait_ms, struct pool_outcome *out,
                                 bool *done)
{
    nfds_t count = 1;

    items[0] = (struct pollfd){.fd = p->signal_fd, .events = POLLIN};
    for (size_t i = 0; i < p->size; i++) {
        if (p->slots[i].job != NULL) {
            items[count++] = (struct pollfd){.fd = p->slots[i].answer_fd, .events = POLLIN};
        }
    }
    *done = false;
    if (poll(items, count, wait_ms) <= 0) {
        return POOL_IDLE;
    }
    if (items[0].revents != 0) {
        process_take_interrupt();
        *done = true;
        return POOL_INTERRUPTED;
    }
    for (nfds_t i = 1; i < count; i++) {
        struct pool_slot *slot = items[i].revents != 0 ? slot_of(p, items[i].fd) : NULL;
        enum slot_state state = slot != NULL ? slot_read(p, slot) : SLOT_WORKING;

        if (state == SLOT_WORKING) {
            continue;
        }
        if (state == SLOT_ANSWERED) {
            slot_take(p, slot, out);
        } else {
            slot_finish(p, slot, false, out);
        }
        *done = true;
        return POOL_FINISHED;
    }
    return POOL_IDLE;
}

enum pool_event pool_wait(struct pool *p, struct pool_outcome *out)
{
    struct pollfd *items = calloc(p->size + 1, sizeof(*items));
    enum pool_event event = POOL_IDLE;
    bool done = items == NULL;

    while (!done && p->busy > 0) {
        int wait_ms;
        struct pool_slot *late = slot_next_late(p, process_now_ms(), &wait_ms);

        if (late != NULL) {
            slot_finish(p, late, true, out);
            event = POOL_FINISHED;
            break;
        }
        if (p->until_ms > 0) {
            int64_t left = p->until_ms - process_now_ms();

            if (left <= 0) {
                event = POOL_TIME_OVER;
                break;
            }
            wait_ms = wait_ms < 0 || left < wait_ms ? (int)left : wait_ms;
        }
        event = poll_once(p, items, wait_ms, out, &done);
    }
    free(items);
    return event;
}

void pool_each(const struct pool *p, void (*see)(void *user, void *job), void *user)
{
    for (size_t i = 0; i < p->size; i++) {
        if (p->slots[i].job != NULL) {
            see(user, p->slots[i].job);
        }
    }
}
