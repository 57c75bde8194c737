/* A whole capture in memory: see recording.h. */
#include "harness/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_first_frame(const void *a, const void *b)
{
    const struct capture_conn *const *x = a, *const *y = b;

    return (*x)->first_frame < (*y)->first_frame ? -1 : (*x)->first_frame > (*y)->first_frame;
}

static size_t size_of(const struct capture_conn *c)
{
    return c->conn->stream[0].capacity + c->conn->stream[1].capacity +
           c->conn->event_capacity * sizeof(*c->conn->events) +
           (c->pieces[0].capacity + c->pieces[1].capacity) * sizeof(*c->pieces[0].items);
}

static bool keep(struct recording *r, struct capture_conn *c, size_t *capacity)
{
    if (r->count == *capacity) {
        size_t more = *capacity ? 2 * *capacity : 16;
        struct capture_conn **conns = realloc(r->conns, more * sizeof(*conns));

        if (!conns) {
            capture_conn_free(c);
            return false;
        }
        r->conns = conns;
        *capacity = more;
    }
    r->conns[r->count++] = c;
    return true;
}

static enum recording_result read_all(struct capture *file, bool (*interrupted)(void), struct recording *out, char *err,
                                      size_t err_len)
{
    size_t capacity = 0, bytes = 0;

    for (;;) {
        struct capture_conn *c = NULL;

        if (interrupted && interrupted())
            return RECORDING_INTERRUPTED;
        switch (capture_next(file, &c)) {
        case CAPTURE_CONN:
            if (!keep(out, c, &capacity))
                return RECORDING_NO_MEMORY;
            bytes += size_of(c);
            if (out->count > TRANSCRIPT_CONN_MAX || bytes > RECORDING_BYTES_MAX) {
                snprintf(err, err_len, "more than %u connections or %zu MiB of iSCSI: choose with --filter",
                         TRANSCRIPT_CONN_MAX, RECORDING_BYTES_MAX >> 20);
                return RECORDING_UNREADABLE;
            }
            break;
        case CAPTURE_PAUSE:
            break;
        case CAPTURE_DAMAGED:
            snprintf(out->damaged, sizeof(out->damaged), "%s", capture_error(file));
            return RECORDING_READ;
        case CAPTURE_END:
            return RECORDING_READ;
        }
    }
}

/* One transcript of all. */
static bool join(struct recording *r)
{
    r->transcript = transcript_new();
    if (!r->transcript)
        return false;
    if (r->count)
        qsort(r->conns, r->count, sizeof(struct capture_conn *), by_first_frame);
    for (size_t i = 0; i < r->count; i++)
        if (!transcript_move_conn(r->transcript, r->conns[i]->transcript))
            return false;
    return true;
}

enum recording_result recording_read(const char *path, const char *filter, bool (*interrupted)(void),
                                     struct recording *out, char *err, size_t err_len)
{
    const struct capture_options options = {.filter = filter, .memory = RECORDING_BYTES_MAX, .behind = SIZE_MAX};
    struct capture *file;
    enum recording_result result;

    memset(out, 0, sizeof(*out));
    file = capture_open(path, &options, err, err_len);
    if (!file)
        return RECORDING_UNREADABLE;
    result = read_all(file, interrupted, out, err, err_len);
    out->counts = *capture_counts(file);
    capture_close(file);
    if (result == RECORDING_READ && !join(out))
        result = RECORDING_NO_MEMORY;
    return result;
}

void recording_free(struct recording *r)
{
    transcript_free(r->transcript);
    for (size_t i = 0; i < r->count; i++)
        capture_conn_free(r->conns[i]);
    free(r->conns);
    memset(r, 0, sizeof(*r));
}

uint64_t recording_frame(const struct recording *r, size_t conn, enum transcript_side side, size_t offset, size_t len)
{
    return conn < r->count && len ? capture_shown(r->conns[conn], side, offset + len) : 0;
}
