/*
 * The reference target without I/O: bytes and time in, bytes and what to do with the connection out.
 *
 * A node is one iSCSI target node with its portals, targets and sessions. The server opens a conn for every accepted
 * TCP connection, feeds it what came, writes what conn_output() gives, and does what conn_action() says. One
 * connection may change another (session reinstatement closes the old one), so after every call of conn_open,
 * conn_input, conn_output_consumed, conn_eof, conn_tick, conn_free, node_tick and every control verb the server drains
 * node_next_dirty().
 *
 * Not thread-safe: one node, one thread. No function here blocks or calls back into the server except through node_env.
 */
#ifndef ISCSISPEC_NODE_H
#define ISCSISPEC_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

struct node;
struct conn;

#define NODE_ALL SIZE_MAX               /* in place of a portal or target index: every one */
#define NODE_NO_DEADLINE UINT64_MAX

enum { NODE_PEER_MAX = 64 };            /* bytes of a peer's text */

enum node_log_level { NODE_LOG_DEBUG, NODE_LOG_INFO, NODE_LOG_WARNING };

/* All that the engine needs from outside. Every function gets context. */
struct node_env {
    void *context;
    uint64_t (*now_ms)(void *context);                                      /* monotonic */
    bool (*random)(void *context, uint8_t *bytes, size_t length);           /* false: no random, the login fails */
    void *(*allocate)(void *context, size_t size);                          /* NULL: no memory */
    void (*release)(void *context, void *memory);                           /* NULL is allowed */
    void (*log)(void *context, enum node_log_level level, const char *text); /* one line without newline; may be NULL */
    enum node_log_level log_level;                                          /* lines below it are not even made */
    void (*peer)(void *context, void *user, char *text);                    /* see conn_open(); may be NULL */
    /* Stores of targets with CONFIG_LUN_FILE. May be NULL: then such a store is always there and cannot be read. */
    bool (*store_ok)(void *context, size_t target);                         /* is the backing file there and usable */
    bool (*store_read)(void *context, size_t target, uint64_t offset, uint8_t *bytes, size_t length);
    bool (*store_write)(void *context, size_t target, uint64_t offset, const uint8_t *bytes, size_t length);
    bool (*store_flush)(void *context, size_t target);
};

/* What the server has to do with the TCP connection once the output is written. */
enum conn_action {
    CONN_KEEP,          /* go on reading */
    CONN_CLOSE,         /* write what is left, then FIN, then conn_free() */
    CONN_RESET          /* drop at once, unsent output too */
};

/* Makes a node. Both pointers are borrowed for its life; env is copied. NULL: no memory. */
struct node *node_new(const struct config *config, const struct node_env *env);

/* Frees the node, its sessions and all connections that are still open. */
void node_free(struct node *node);

/* A connection was accepted on config->portals[portal]. peer is for the log; NULL: env.peer puts it into NODE_PEER_MAX
 * bytes of text, terminated, once a line is written, from the user pointer of the connection. local is the HOST:PORT the
 * initiator connected to (IPv6 in brackets), told in SendTargets answers when the portal is bound to a wildcard address,
 * NULL if not known. Both are copied. NULL: no memory, then close. */
struct conn *conn_open(struct node *node, size_t portal, const char *peer, const char *local);

/* Bytes that came. Everything is consumed; what cannot be used is dropped with the connection. */
void conn_input(struct conn *conn, const uint8_t *bytes, size_t length);

/* The peer ended its direction. What was not answered by now will not be. */
void conn_eof(struct conn *conn);

/* Bytes to send: their number, *bytes set. They stay valid until the next call on this connection. */
size_t conn_output(const struct conn *conn, const uint8_t **bytes);

/* The first length bytes of the output were taken over by the kernel. Input that waited for room may now be worked
 * off, so there may be more output and dirty connections afterwards. */
void conn_output_consumed(struct conn *conn, size_t length);

/* Is a refusal of the login the last PDU sent? */
bool conn_refused(const struct conn *conn);

/* False while so much output waits that reading has to pause (a peer that does not read). */
bool conn_wants_input(const struct conn *conn);

enum conn_action conn_action(const struct conn *conn);

/* When conn_tick() wants to be called next (clock of node_env), or NODE_NO_DEADLINE. */
uint64_t conn_deadline(const struct conn *conn);

/* Time went by. */
void conn_tick(struct conn *conn);

/* The TCP connection is gone, by whoever. Frees conn; a session without connections ends or waits as the RFC says. */
void conn_free(struct conn *conn);

/* The server's own pointer of a connection, NULL at first. */
void conn_set_user(struct conn *conn, void *user);
void *conn_user(const struct conn *conn);

/* True in full feature phase, and for which target (its index; NODE_ALL: discovery session) when target is not NULL. */
bool conn_logged_in(const struct conn *conn, size_t *target);

/* Takes the next connection whose output, action or deadline changed off the list; NULL: none left. */
struct conn *node_next_dirty(struct node *node);

/* As conn_deadline and conn_tick, for sessions that wait without a connection. */
uint64_t node_deadline(const struct node *node);
void node_tick(struct node *node);

size_t node_count_sessions(const struct node *node);
size_t node_count_connections(const struct node *node);     /* all, also those in login */

/* Control verbs. portal, target: an index into the config, or NODE_ALL. False: no such index. */
bool node_drain(struct node *node, size_t portal);          /* new logins get 0x0301, live sessions go on */
bool node_resume(struct node *node, size_t portal);
bool node_remove(struct node *node, size_t target);         /* logins get 0x0204; its sessions are ended */
bool node_restore(struct node *node, size_t target);
bool node_fault(struct node *node, size_t target);          /* the store fails: 0x0300 */
bool node_mend(struct node *node, size_t target);

/* Adds a forced code (force is copied); NULL takes all forced codes of that target away, --force ones too. False: no
 * such target or no memory. */
bool node_force(struct node *node, size_t target, const struct config_force *force);

/* Asks every initiator in full feature phase to log out (Asynchronous Message 1, RFC 7143 11.9.1). */
void node_request_logout(struct node *node);

/* Index of a target by name, NODE_ALL when there is none. Likewise for portals. */
size_t node_find_target(const struct node *node, const char *name);
size_t node_find_portal(const struct node *node, const char *name);

/* Coverage of the login table: its rows, how often each fired since node_new, and a row in words. */
size_t node_transition_count(void);
uint64_t node_transition_hits(const struct node *node, size_t row);
const char *node_transition_text(size_t row);

#endif
