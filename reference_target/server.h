/* The server: a libuv loop around the engine, its portals, its control socket, its end. */
#ifndef ISCSISPEC_SERVER_H
#define ISCSISPEC_SERVER_H

#include "options.h"

/* Exit statuses of iscsispec-target. */
enum { SERVER_OK = 0, SERVER_REFUSED = 1, SERVER_USAGE = 2, SERVER_UNREACHABLE = 4 };

/*
 * Serves until a signal or the verb quit ends it. options is borrowed; addresses of portals and sizes of files are
 * filled in. Returns SERVER_OK, or SERVER_UNREACHABLE with a message on standard error when an address, a file or the
 * control socket cannot be used.
 */
int server_run(struct options *options);

#endif
