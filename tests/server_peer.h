/*
 * A reference target in a child process, for tests that need its real loop: started through its command line, with an
 * allocation that fails, and spoken to by bytes.
 */
#ifndef ISCSISPEC_TESTS_SERVER_PEER_H
#define ISCSISPEC_TESTS_SERVER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/pdu.h"

#define SERVER_TARGET "iqn.2026-01.example:test"

struct served {
    pid_t pid;
    char folder[64];    /* holds ready, control, log */
    char path[128];     /* of served_path() */
    unsigned port;      /* of the first portal; 0: it ended before it was ready */
    bool ends;          /* set by the test: it was told to end, and needs no signal */
    size_t *shared;     /* with the child */
    size_t allocations; /* of the server, once it has ended */
};

/* How the child is to be started. All zero is good. */
struct served_how {
    const char *words[16];        /* more flags, behind the portal main and before the target */
    const char *target_words[16]; /* flags of SERVER_TARGET */
    const char *portal;           /* instead of main=127.0.0.1:0 */
    size_t fail_at;               /* the allocation of the server that fails */
    size_t descriptors;           /* limit of the process; 0: as it is */
};

/* Starts it and waits until it is ready or gone. */
void served_start(struct served *served, const struct served_how *how);

/* SIGTERM unless it is gone already, waits for its end, removes the folder. Returns the exit status; the test fails
 * when it crashed or takes more than 20 s. */
int served_stop(struct served *served);

/* folder/name, until the next call. */
const char *served_path(struct served *served, const char *name);

/* Does its log hold the text? */
bool served_logged(struct served *served, const char *text);

/* The answer to a control verb, static; "" when there is none. */
const char *served_ask(struct served *served, const char *line);

/* A TCP connection; receive_size is SO_RCVBUF, 0 for the default. Calls on it end after 10 s. -1: none. */
int served_dial(const struct served *served, int receive_size);

/* Logs in to SERVER_TARGET, or for discovery. more are further pairs of length bytes. True: full feature phase. */
bool served_login(int fd, bool discovery, const char *more, size_t length);

/* Sends an immediate request with data, whole. */
bool served_send(int fd, uint8_t opcode, unsigned flags, uint32_t itt, uint32_t word20, const uint8_t *cdb,
                 const void *data, size_t length);

/* Takes one PDU, its data too (at most size bytes are kept). False: the connection ended. */
bool served_receive(int fd, uint8_t *bhs, void *data, size_t size, size_t *length);

/* Ends a connection with RST. */
void served_reset(int fd);

#endif
