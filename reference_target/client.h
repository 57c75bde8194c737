/* The client of the control socket: iscsispec-target --ctl PATH VERB [ARG]... */
#ifndef ISCSISPEC_CLIENT_H
#define ISCSISPEC_CLIENT_H

/*
 * Sends one line to the target that listens on path and copies the lines of data it answers to standard output, an
 * error to standard error. Returns an exit status of server.h: SERVER_OK, SERVER_REFUSED for an error answer,
 * SERVER_UNREACHABLE when no whole answer comes within CLIENT_TIMEOUT_S.
 */
int client_run(const char *path, const char *line);

enum { CLIENT_TIMEOUT_S = 10 };

#endif
