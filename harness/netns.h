/* Network namespaces: a target that lives in one of its own is reached by entering it. */
#ifndef HARNESS_NETNS_H
#define HARNESS_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * This process, and what it starts from now on, goes to the network namespace of another process, and to its user
 * namespace when that is another one (without which an ordinary user may not enter). There is no way back, and this
 * process must have one thread only. Does nothing when it is there already. False with err.
 */
bool netns_enter(pid_t pid, char *err, size_t err_len);

#endif
