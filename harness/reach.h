/* TCP reachability of portals, with deadlines: free ports, name resolution, one connection. */
#ifndef HARNESS_REACH_H
#define HARNESS_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A free port on the address (numeric); 0 when none can be had. */
uint16_t reach_free_port(const char *address);

/* One TCP connection to a numeric address, closed at once. Returns 0, or an errno. */
int reach_connect(const char *address, uint16_t port, int timeout_ms);

/*
 * Resolves a host name to a numeric address (the first that accepts a connection on port, else the first), within
 * timeout_ms whatever the resolver does. Returns true when one accepted; numeric and err are filled accordingly.
 */
bool reach_resolve(const char *host, uint16_t port, int timeout_ms, char *numeric, size_t numeric_len, char *err,
                   size_t err_len);

#endif
