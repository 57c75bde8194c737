/* Opening a connection: see dial.h. */
#include "harness/dial.h"

#include "wire/bytes.h"

#include <stdio.h>

enum case_base dial_way(const struct case_login *login)
{
    return login->base == CASE_BASE_JOIN || login->base == CASE_BASE_DISCOVERY ? login->via : login->base;
}

void dial_note_drawn(struct conn *c)
{
    char text[800];
    int len = snprintf(text, sizeof(text), "ISID=0x%012llx%cITT=0x%lx%cCmdSN=0x%lx%cTag=0x%lx%cInitiatorName=%s%c",
                       (unsigned long long)bytes_get_be(c->live.isid, PDU_ISID_LEN), 0, (unsigned long)c->live.itt, 0,
                       (unsigned long)c->session->cmd_sn, 0, (unsigned long)c->next_tag, 0, c->initiator, 0);

    transcript_note(c->link->log, TRANSCRIPT_INITIATOR, net_now(&c->drive->net), TRANSCRIPT_INFO, 0, text,
                    len > 0 && (size_t)len < sizeof(text) ? (size_t)len : 0, "values drawn for this connection");
}

static struct tap *open_tap(struct conn *c, int *fd, char *err, size_t err_len)
{
    enum case_base way = dial_way(c->login);
    bool chap = way == CASE_BASE_CHAP || way == CASE_BASE_MUTUAL_CHAP, mutual = way == CASE_BASE_MUTUAL_CHAP;
    const struct tap_config config = {
        .initiator = c->initiator,
        .target = c->session->discovery ? NULL : c->target,
        .discovery = c->session->discovery,
        /* with a user libiscsi goes through the security stage; base_adjust() makes it AuthMethod=None */
        .user = chap                        ? c->user
                : way == CASE_BASE_SECURITY ? "none"
                                            : NULL,
        .secret = chap ? c->secret : "none",
        .mutual_user = mutual ? c->mutual_user : NULL,
        .mutual_secret = mutual ? c->mutual_secret : NULL,
        .isid_random = (uint32_t)bytes_get_be(c->live.isid + 1, 3),
        .isid_qualifier = bytes_get_be16(c->live.isid + 4),
    };

    return tap_open(&config, c->live.portal, fd, err, err_len);
}

bool dial_open(struct conn *c, struct tap **tap)
{
    struct drive *d = c->drive;
    char err[256] = "";
    int fd = -1;

    *tap = NULL;
    if (c->login->base == CASE_BASE_RAW) {
        c->link = net_connect(&d->net, c->name, c->portal->address, c->portal->port, err, sizeof(err));
    } else {
        *tap = open_tap(c, &fd, err, sizeof(err));
        if (*tap && !(c->link = net_add(&d->net, c->name, fd)))
            snprintf(d->error, sizeof(d->error), "too many connections in one case");
    }
    if (!c->link && !*d->error)
        return conn_finish(c, CONN_UNREACHABLE, "could not be reached: %s", err);
    if (!c->link)
        return false;
    c->link->limit = LINK_LOGIN_MAX;
    /* also for a connection that is gone before the kernel can be asked */
    snprintf(c->link->log->remote, sizeof(c->link->log->remote), "%s", c->portal->address);
    c->link->log->remote_port = c->portal->port;
    if (!link_wait_connected(&d->net, c->link, conn_deadline(c), err, sizeof(err)))
        return conn_finish(c, CONN_UNREACHABLE, "could not be reached at %s: %s", c->live.portal, err);
    if (c->login->base == CASE_BASE_RAW)
        dial_note_drawn(c); /* otherwise libiscsi has yet to draw */
    return true;
}
