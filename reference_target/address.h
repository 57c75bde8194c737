/* Socket addresses as text: HOST:PORT, IPv6 in brackets. */
#ifndef ISCSISPEC_ADDRESS_H
#define ISCSISPEC_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESS_TEXT_MAX = 64 };

/* Fills text, ADDRESS_TEXT_MAX bytes. False: neither IPv4 nor IPv6, text is empty. */
bool address_format(const struct sockaddr_storage *address, char *text);

/* The port, 0 when the family is another. */
uint16_t address_port(const struct sockaddr_storage *address);

/* Does the text begin with the host 0.0.0.0 or [::]? */
bool address_is_wildcard(const char *text);

/* Fills *address from a numeric host, IPv6 without brackets. False: it is not numeric. */
bool address_parse(const char *host, uint16_t port, struct sockaddr_storage *address);

#endif
