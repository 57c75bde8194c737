/* Socket addresses as text; see address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

uint16_t address_port(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    return 0;
}

bool address_format(const struct sockaddr_storage *address, char *text)
{
    char host[INET6_ADDRSTRLEN] = "";
    bool six = address->ss_family == AF_INET6;
    const void *number = six ? (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr
                             : (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;

    text[0] = '\0';
    if ((!six && address->ss_family != AF_INET) || inet_ntop(address->ss_family, number, host, sizeof host) == NULL)
        return false;
    snprintf(text, ADDRESS_TEXT_MAX, six ? "[%s]:%u" : "%s:%u", host, (unsigned)address_port(address));
    return true;
}

bool address_is_wildcard(const char *text)
{
    return strncmp(text, "0.0.0.0:", 8) == 0 || strncmp(text, "[::]:", 5) == 0;
}

bool address_parse(const char *host, uint16_t port, struct sockaddr_storage *address)
{
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)address;

    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return true;
    }
    if (inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        return true;
    }
    return false;
}
