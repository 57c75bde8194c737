/* Addresses on the command line: HOST:PORT, iscsi://HOST:PORT/NAME, secrets. */
#ifndef CLI_ADDRESS_H
#define CLI_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

struct address {
    char host[256]; /* IPv6 without brackets */
    char name[256]; /* portal name of NAME=HOST:PORT, or target name of a URL; "" none */
    uint16_t port;
};

/* "[NAME=]HOST:PORT". Returns 0, or -1 with the reason in err. */
int address_parse_portal(const char *text, struct address *out, char *err, size_t err_len);
/* "iscsi://HOST[:PORT][/NAME]"; without a port 3260. Returns 0, or -1 with the reason in err. */
int address_parse_url(const char *text, struct address *out, char *err, size_t err_len);
/* The first line of a file, or $ISCSISPEC_SECRET when path is NULL; "" when there is neither. Returns 0 or -1. */
int address_read_secret(const char *path, char *out, size_t out_len, char *err, size_t err_len);

#endif
