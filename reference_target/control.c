/* The control socket; see control.h. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct control_client {
    uv_pipe_t pipe;
    uv_write_t write;
    struct control *control;
    struct control_client *previous, *next;
    uint64_t active;                    /* when it last said something */
    char *answer;                       /* being written; NULL: none */
    size_t filled;                      /* bytes of line */
    bool closing;
    bool last;                          /* close when the answer is out */
    char line[VERBS_LINE_MAX + 1];      /* what came of lines that are not carried out yet */
};

static void on_client_closed(uv_handle_t *handle)
{
    struct control_client *client = handle->data;

    free(client->answer);
    free(client);
}

static void close_client(struct control_client *client)
{
    struct control *control = client->control;

    if (client->closing)
        return;
    client->closing = true;
    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        control->first = client->next;
    if (client->next != NULL)
        client->next->previous = client->previous;
    control->count--;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct control_client *client = handle->data;

    (void)suggested;
    buffer->base = client->line + client->filled;
    buffer->len = sizeof client->line - client->filled;
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer);

static void work(struct control_client *client);

static void on_written(uv_write_t *request, int status)
{
    struct control_client *client = request->data;

    free(client->answer);
    client->answer = NULL;
    if (client->closing)
        return;
    if (status < 0 || client->last) {
        close_client(client);
        return;
    }
    uv_read_start((uv_stream_t *)&client->pipe, on_allocate, on_read);
    work(client);
}

/* Sends the answer; reading rests until it is out. */
static void send_answer(struct control_client *client, char *answer, size_t length)
{
    uv_buf_t piece = uv_buf_init(answer, (unsigned)length);
    int sent = answer != NULL ? uv_try_write((uv_stream_t *)&client->pipe, &piece, 1) : UV_ENOMEM;

    if (sent == (int)length) {
        free(answer);
        if (client->last)
            close_client(client);
        return;
    }
    if (sent < 0 && sent != UV_EAGAIN) {
        free(answer);
        close_client(client);
        return;
    }
    client->answer = answer;
    uv_read_stop((uv_stream_t *)&client->pipe);
    piece = uv_buf_init(answer + (sent > 0 ? sent : 0), (unsigned)(length - (size_t)(sent > 0 ? sent : 0)));
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &piece, 1, on_written) != 0)
        close_client(client);
}

static void answer_line(struct control_client *client, const char *line, size_t length)
{
    struct control *control = client->control;
    size_t answer_length;
    bool good;
    char *answer = verbs_run(&control->verbs, line, length, &answer_length, &good);

    log_write(control->hub->log, NODE_LOG_DEBUG, "control: '%.*s': %s", (int)(length < 256 ? length : 256), line,
              good ? "ok" : "error");
    connections_settle(control->hub);
    send_answer(client, answer, answer_length);
}

/* Carries out complete lines until an answer has to wait. */
static void work(struct control_client *client)
{
    while (!client->closing && !client->last && client->answer == NULL) {
        char *end = memchr(client->line, '\n', client->filled);
        char line[VERBS_LINE_MAX + 1];
        size_t length;
        if (end == NULL && client->filled < sizeof client->line)
            return;
        if (end == NULL) {
            client->last = true;
            answer_line(client, client->line, client->filled);
            return;
        }
        length = (size_t)(end - client->line);
        memcpy(line, client->line, length);
        client->filled -= length + 1;
        memmove(client->line, end + 1, client->filled);
        answer_line(client, line, length);
    }
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct control_client *client = stream->data;

    (void)buffer;
    if (length < 0) {
        /* The last line may lack its newline. */
        if (length == UV_EOF && client->filled > 0 && client->filled < sizeof client->line) {
            client->last = true;
            answer_line(client, client->line, client->filled);
        } else {
            close_client(client);
        }
        return;
    }
    client->filled += (size_t)length;
    client->active = uv_now(stream->loop);
    work(client);
}

/* Makes room for one more client. */
static void evict(struct control *control)
{
    struct control_client *oldest = control->first;

    for (struct control_client *c = control->first; c != NULL; c = c->next)
        if (c->active < oldest->active)
            oldest = c;
    if (oldest != NULL)
        close_client(oldest);
}

static void on_connection(uv_stream_t *stream, int status);

static void on_refused(uv_handle_t *handle)
{
    struct control *control = handle->data;

    control->refusing = false;
    if (control->waiting && control->open)
        on_connection((uv_stream_t *)&control->pipe, 0);
}

/* Takes the connection and closes it: as long as it is not taken, libuv does not look for others. */
static void refuse(struct control *control)
{
    control->waiting = control->refusing;
    if (control->refusing)
        return;
    log_write(control->hub->log, NODE_LOG_WARNING, "control: no memory for a client");
    control->refusing = true;
    uv_pipe_init(control->pipe.loop, &control->spare, 0);
    control->spare.data = control;
    uv_accept((uv_stream_t *)&control->pipe, (uv_stream_t *)&control->spare);
    uv_close((uv_handle_t *)&control->spare, on_refused);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct control *control = stream->data;
    struct control_client *client;

    if (status < 0)
        return;
    control->waiting = false;
    if (control->count >= CONTROL_CLIENTS_MAX)
        evict(control);
    client = calloc(1, sizeof *client);
    if (client == NULL) {
        refuse(control);
        return;
    }
    uv_pipe_init(stream->loop, &client->pipe, 0);
    client->pipe.data = client->write.data = client;
    client->control = control;
    client->active = uv_now(stream->loop);
    client->next = control->first;
    if (control->first != NULL)
        control->first->previous = client;
    control->first = client;
    control->count++;
    if (uv_accept(stream, (uv_stream_t *)&client->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&client->pipe, on_allocate, on_read) != 0)
        close_client(client);
}

/* Removes a socket file that nobody listens on. */
static const char *remove_dead(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    int descriptor, result;

    if (lstat(path, &status) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISSOCK(status.st_mode))
        return "there is something else than a socket";
    if (strlen(path) >= sizeof address.sun_path)
        return "the path is too long for a Unix socket";
    strcpy(address.sun_path, path);
    descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return strerror(errno);
    result = connect(descriptor, (struct sockaddr *)&address, sizeof address);
    if (result != 0 && errno == ECONNREFUSED)
        result = unlink(path) == 0 ? 1 : -1;
    else
        result = 0;
    close(descriptor);
    return result == 1 ? NULL : result == 0 ? "another process listens there" : strerror(errno);
}

const char *control_open(struct control *control, uv_loop_t *loop, const char *path, struct connections *hub,
                         const struct verbs_context *verbs)
{
    const char *reason = remove_dead(path);
    mode_t mask;
    int code;

    if (reason != NULL)
        return reason;
    control->hub = hub;
    control->verbs = *verbs;
    uv_pipe_init(loop, &control->pipe, 0);
    control->pipe.data = control;
    control->open = true;
    mask = umask(S_IRWXG | S_IRWXO); /* only the owner may command the target */
    code = uv_pipe_bind(&control->pipe, path);
    umask(mask);
    if (code == 0)
        code = uv_listen((uv_stream_t *)&control->pipe, CONTROL_CLIENTS_MAX * 4, on_connection);
    /* libuv tells a missing folder as a missing right. */
    if (code == UV_EACCES)
        return "the folder is not there or may not be written";
    return code == 0 ? NULL : uv_strerror(code);
}

void control_close(struct control *control)
{
    if (!control->open)
        return;
    control->open = false;
    while (control->first != NULL)
        close_client(control->first);
    uv_close((uv_handle_t *)&control->pipe, NULL);
}
