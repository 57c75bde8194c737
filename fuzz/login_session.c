/*
 * Fuzz entry: a talk of initiators with the reference target's engine. Beyond crashes and sanitizers the oracles are:
 * output bounded by the input, everything freed on close, and no full feature phase on the CHAP target for an initiator
 * that cannot know the secret's digest.
 */
#include "fuzz/entry.h"
#include "harness/session_input.h"
#include "reference_target/config.h"
#include "reference_target/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OUTPUT_PER_CONN_MAX = 4 << 20, /* what one input may make the target send on a connection */
    STEP_MS = 5000,
};

struct session {
    uint64_t now_ms;
    uint32_t random;
    size_t allocated;
};

static uint64_t session_now(void *context)
{
    return ((struct session *)context)->now_ms;
}

/* A fixed sequence, so that an input always means the same: what comes out here stands in for real random bytes. */
static bool session_random(void *context, uint8_t *bytes, size_t length)
{
    struct session *session = context;

    for (size_t i = 0; i < length; i++) {
        session->random = session->random * 1664525U + 1013904223U;
        bytes[i] = (uint8_t)(session->random >> 24);
    }
    return true;
}

static void *session_allocate(void *context, size_t size)
{
    struct session *session = context;
    void *memory = malloc(size);

    if (memory != NULL)
        session->allocated++;
    return memory;
}

static void session_release(void *context, void *memory)
{
    struct session *session = context;

    if (memory != NULL)
        session->allocated--;
    free(memory);
}

static void finding(const char *what)
{
    fprintf(stderr, "finding: %s\n", what);
    abort();
}

/* Takes the output of every connection that changed; closes what wants to be closed. */
static void drain(struct node *node, struct conn **conns, size_t *sent)
{
    struct conn *conn;

    while ((conn = node_next_dirty(node)) != NULL) {
        const uint8_t *bytes;
        size_t length;
        size_t i = 0;

        while (i < SESSION_INPUT_CONNS && conns[i] != conn)
            i++;
        if (i == SESSION_INPUT_CONNS)
            finding("a connection that was freed is dirty");
        while ((length = conn_output(conn, &bytes)) > 0) {
            sent[i] += length;
            if (sent[i] > OUTPUT_PER_CONN_MAX)
                finding("output without bound");
            conn_output_consumed(conn, length);
        }
        if (conn_action(conn) != CONN_KEEP) {
            conn_free(conn);
            conns[i] = NULL;
        }
    }
}

static bool configure(struct config *config)
{
    static const uint8_t secret[] = "a secret that no input knows";
    struct config_portal *portal;
    struct config_target *target;

    config_init(config);
    for (unsigned tag = 1; tag <= 2; tag++) {
        portal = config_add_portal(config, tag == 1 ? "main" : "second", "127.0.0.1", 3260);
        if (portal == NULL)
            return false;
        portal->tag = (uint16_t)tag;
        portal->address = strdup("127.0.0.1:3260");
    }
    if (config_add_target(config, "iqn.2026-01.example.iscsispec:open") == NULL)
        return false;
    target = config_add_target(config, "iqn.2026-01.example.iscsispec:chap");
    if (target == NULL)
        return false;
    target->auth.users = calloc(1, sizeof *target->auth.users);
    if (target->auth.users == NULL)
        return false;
    target->auth.user_count = 1;
    target->auth.users[0].user = strdup("alice");
    target->auth.users[0].secret = malloc(sizeof secret);
    target->auth.users[0].secret_length = sizeof secret;
    if (target->auth.users[0].secret != NULL)
        memcpy(target->auth.users[0].secret, secret, sizeof secret);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session session = {.now_ms = 1, .random = 1};
    struct node_env env = {.context = &session,
                           .now_ms = session_now,
                           .random = session_random,
                           .allocate = session_allocate,
                           .release = session_release};
    struct conn *conns[SESSION_INPUT_CONNS] = {NULL};
    size_t sent[SESSION_INPUT_CONNS] = {0};
    const uint8_t *end = data + size;
    struct session_input_record record;
    struct config config;

    if (!configure(&config))
        abort();
    struct node *node = node_new(&config, &env);
    if (node == NULL)
        abort();
    while (session_input_next(&data, end, &record)) {
        struct conn **conn = &conns[record.conn];
        size_t target;

        if (*conn == NULL) {
            *conn = conn_open(node, record.conn & 1U, "fuzz", "127.0.0.1:3260");
            sent[record.conn] = 0;
        }
        if (*conn == NULL)
            break;
        if (record.kind == SESSION_INPUT_DATA) {
            conn_input(*conn, record.bytes, record.len);
        } else if (record.kind == SESSION_INPUT_EOF) {
            conn_eof(*conn);
        } else if (record.kind == SESSION_INPUT_RESET) {
            conn_free(*conn);
            *conn = NULL;
        } else {
            session.now_ms += STEP_MS;
            node_tick(node);
            for (size_t i = 0; i < SESSION_INPUT_CONNS; i++)
                if (conns[i] != NULL && conn_deadline(conns[i]) <= session.now_ms)
                    conn_tick(conns[i]);
        }
        if (*conn != NULL && conn_logged_in(*conn, &target) && target == 1)
            finding("full feature phase on the CHAP target without its secret");
        drain(node, conns, sent);
    }
    for (size_t i = 0; i < SESSION_INPUT_CONNS; i++)
        if (conns[i] != NULL)
            conn_free(conns[i]);
    node_free(node);
    config_free(&config);
    if (session.allocated != 0)
        finding("memory was not freed");
    return 0;
}
