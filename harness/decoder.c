/* What libiscsi makes of each status code: see decoder.h. */
#include "harness/decoder.h"

#include "harness/edit.h"
#include "harness/tap.h"
#include "wire/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef LIBISCSI_VERSION
#define LIBISCSI_VERSION "(unknown version)"
#endif

#define DECODER_ADDRESS "127.0.0.1:3260"

enum { DECODER_REDIRECT = 0x101 }; /* SCSI_STATUS_REDIRECT of libiscsi */

const char *decoder_name(void)
{
    return "libiscsi " LIBISCSI_VERSION;
}

/* libiscsi only starts a login on a TCP connection: a socket that listens and never answers. */
static int listen_somewhere(char *portal, size_t cap)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&a, len) || listen(fd, 4) || getsockname(fd, (struct sockaddr *)&a, &len)) {
        close(fd);
        return -1;
    }
    snprintf(portal, cap, "127.0.0.1:%u", (unsigned)ntohs(a.sin_port));
    return fd;
}

/* The canned answer to a request: the code, with all else in order. */
static bool answer(struct tap *tap, const uint8_t *request, uint16_t code, const char *address)
{
    struct pdu_login_request in;
    struct pdu_login_response out = {.csg = PDU_STAGE_OPERATIONAL, .status = code, .exp_cmd_sn = 1, .max_cmd_sn = 1};
    struct edit_pdu p = {.wire = NULL};
    bool given = false;

    pdu_login_request_decode(&in, request);
    memcpy(out.isid, in.isid, sizeof(out.isid));
    out.itt = in.itt;
    out.exp_cmd_sn = out.max_cmd_sn = in.cmd_sn;
    if (code == STATUS_SUCCESS) {
        out.transit = true;
        out.nsg = PDU_STAGE_FULL_FEATURE;
        out.tsih = 1;
    }
    pdu_login_response_encode(&out, p.bhs);
    text_buf_init_growing(&p.text, 4096, NULL, NULL);
    if ((!address || text_buf_add(&p.text, "TargetAddress", address)) && edit_render(&p))
        given = tap_give(tap, p.wire, p.wire_len);
    edit_free(&p);
    return given;
}

static int report(struct tap *tap, char *text, size_t cap)
{
    int status = -1;

    if (!tap_finished(tap, &status)) {
        snprintf(text, cap, "libiscsi did not come to a result: %s", tap_error(tap));
        return -1;
    }
    if (status == 0)
        snprintf(text, cap, "logged in");
    else if (status == DECODER_REDIRECT && *tap_target_address(tap))
        snprintf(text, cap, "redirect to %s", tap_target_address(tap));
    else
        snprintf(text, cap, "%s", tap_error(tap));
    return status;
}

int initiator_decode_status(uint16_t code, const char *address, const struct decoder_corruption *corrupt, char *text,
                            size_t cap)
{
    const struct tap_config config = {
        .initiator = "iqn.2024-01.org.iscsispec:decoder",
        .target = "iqn.2024-01.org.iscsispec:none",
    };
    char portal[32], err[200];
    int listener = listen_somewhere(portal, sizeof(portal)), real = -1, status = -1;
    struct tap *tap = listener >= 0 ? tap_open(&config, portal, &real, err, sizeof(err)) : NULL;
    const uint8_t *request;

    if (corrupt && corrupt->from == code)
        code = (uint16_t)corrupt->to;
    snprintf(text, cap, "the login for the measurement could not be started");
    if (tap && tap_take(tap, &request) > 0) {
        answer(tap, request, code, address);
        status = report(tap, text, cap);
    }
    tap_close(tap);
    if (real >= 0)
        close(real);
    if (listener >= 0)
        close(listener);
    return status;
}

static void measure(struct decoder_cell *cell, const struct status_entry *entry,
                    const struct decoder_corruption *corrupt)
{
    bool moved = entry->code == STATUS_MOVED_TEMPORARILY;
    char expected[300];
    int status = initiator_decode_status(entry->code, moved ? DECODER_ADDRESS : NULL, corrupt, cell->reported,
                                         sizeof(cell->reported));

    cell->code = entry->code;
    if (entry->code == STATUS_SUCCESS) {
        cell->ok = status == 0;
    } else if (moved) {
        cell->ok = status == DECODER_REDIRECT && strcmp(cell->reported, "redirect to " DECODER_ADDRESS) == 0;
    } else {
        snprintf(expected, sizeof(expected), "Status: %s(%u)", entry->libiscsi, (unsigned)entry->code);
        cell->ok = status != 0 && strstr(cell->reported, expected) != NULL;
    }
}

void decoder_measure(struct decoder_cell cells[STATUS_COUNT], const struct decoder_corruption *corrupt)
{
    const char *wish = getenv("ISCSISPEC_CORRUPT_DECODER");
    struct decoder_corruption from_environment = {-1, -1};
    unsigned from, to;

    if (!corrupt && wish && sscanf(wish, "%4x:%4x", &from, &to) == 2)
        from_environment = (struct decoder_corruption){(int)from, (int)to};
    for (size_t i = 0; i < STATUS_COUNT; i++)
        measure(&cells[i], status_at(i), corrupt ? corrupt : &from_environment);
}
