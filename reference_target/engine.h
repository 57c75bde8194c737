/*
 * What the modules of the engine share and nobody else sees: the node, its sessions, its connections.
 *
 * Ownership: the node owns sessions and connections. A connection belongs to at most one session, which it points to
 * and whose list it is in; both links are cut together in sessions_detach().
 */
#ifndef ISCSISPEC_ENGINE_H
#define ISCSISPEC_ENGINE_H

#include "buffer.h"
#include "negotiate.h"
#include "node.h"
#include "wire/pdu.h"
#include "wire/text.h"

enum {
    ENGINE_GRUDGES = 64,            /* refused ISIDs that a defect keeps */
    ENGINE_HASH_FIRST = 16,         /* buckets of the session tables at first: a power of two */
    ENGINE_COMMAND_WINDOW = 128,    /* MaxCmdSN - ExpCmdSN + 1, RFC 7143 4.2.2.1 */
    ENGINE_OUTPUT_HIGH = 1 << 20,   /* waiting output above which conn_wants_input() is false */
    ENGINE_HELD_MS = 30000,         /* how long a command waits for those before it */
    ENGINE_INPUT_MAX = 4 << 20      /* input held back while commands of other connections are waited for */
};

struct login;
struct scsi_task;
struct disk;

/* A session from the final Login Response on, RFC 7143 4.4.3. */
struct session {
    struct session *next_by_tsih;
    struct session *next_by_isid;
    struct conn *conns;             /* linked by session_next; NULL: waits for time2retain */
    size_t conn_count;
    uint64_t deadline;              /* when a session without connections ends */
    uint16_t tsih;
    uint16_t tag;                   /* portal group it lives in */
    size_t portal;                  /* of its leading connection */
    size_t target;                  /* NODE_ALL: discovery */
    size_t named;                   /* named discovery session: the target; else NODE_ALL */
    uint32_t exp_cmd_sn;
    struct negotiate_params params; /* session-wide results */
    uint8_t isid[PDU_ISID_LEN];
    bool authenticated;
    char initiator[TEXT_NAME_MAX + 1];
    char user[TEXT_VALUE_MAX + 1];  /* CHAP_N, empty without authentication */
};

struct conn {
    struct node *node;
    struct conn *next, *previous;   /* all of the node */
    struct conn *dirty_next;
    struct conn *session_next;
    bool dirty;
    bool held;                      /* the PDU at the start of `in` waits for an earlier CmdSN */
    bool busy;                      /* conn_process() runs */
    bool logged_out;                /* a Logout Response is the last PDU sent */
    bool output_lost;             /* output lost for want of memory */
    bool refused;                   /* a refusal is the last PDU sent */
    enum conn_action action;
    size_t portal;
    void *user;
    struct buffer in;
    struct buffer out;
    uint64_t deadline;
    struct login *login;            /* during the login phase, else NULL */
    struct session *session;        /* in full feature phase, else NULL */
    uint16_t cid;
    uint32_t stat_sn;               /* of the next response */
    uint32_t max_send;              /* the initiator's MaxRecvDataSegmentLength */
    bool header_digest;             /* in force from the first full feature PDU on */
    bool data_digest;
    bool digest_unasked;            /* defect digest-after-reject: header digests are sent all the same */
    struct buffer text_in;          /* Text Request with C=1, so far */
    struct buffer text_out;         /* Text Response, what is still to be sent */
    uint32_t text_itt;
    uint32_t text_ttt;              /* PDU_NO_TAG: no text exchange is open */
    struct scsi_task *tasks;
    char peer[NODE_PEER_MAX];       /* empty: not asked for yet */
    char local[64];
};

struct node_target {
    bool removed;
    bool fault;
    bool forces_off;                /* those of the config were taken away */
    struct config_force *forces;    /* added at run time, owned */
    size_t force_count;
    struct disk *disk;              /* NULL until it is first used */
};

struct node_portal {
    bool drain;
    size_t sessions;                /* that have a connection */
};

/* What some defects keep in mind from one connection to the next; all zero without them. */
struct node_grudge {
    uint8_t isids[ENGINE_GRUDGES][PDU_ISID_LEN];    /* of the last logins that were refused */
    unsigned refused;               /* how many there were */
    unsigned unfinished;            /* logins whose connection was lost */
};

struct node {
    const struct config *config;
    struct node_env env;
    struct node_target *targets;
    struct node_portal *portals;
    struct node_target all;         /* forced codes of NODE_ALL; only the forces are used */
    struct conn *conns;
    struct conn *dirty_first, *dirty_last;
    size_t conn_count;
    size_t session_count;
    struct session **by_tsih, **by_isid;    /* hash tables, grow with the sessions; one block of memory */
    size_t buckets;                 /* of each: a power of two */
    uint64_t session_deadline;      /* the earliest of waiting sessions */
    uint16_t last_tsih;
    struct negotiate defaults;      /* how a negotiation begins */
    struct negotiate_request request;   /* the text that is being worked off */
    struct node_grudge grudge;
    uint64_t *hits;                 /* by row of the login table */
};

static inline bool node_has(const struct node *node, enum defect defect)
{
    return defects_has(&node->config->defects, defect);
}

static inline bool node_benign(const struct node *node, enum benign benign)
{
    return benign_has(&node->config->benigns, benign);
}

static inline bool conn_has(const struct conn *conn, enum defect defect)
{
    return node_has(conn->node, defect);
}

/* No defect is on: what only looks for defects can be left out. */
static inline bool conn_flawless(const struct conn *conn)
{
    return !conn->node->config->defects.any;
}

static inline bool conn_benign(const struct conn *conn, enum benign benign)
{
    return node_benign(conn->node, benign);
}

static inline uint64_t node_now(const struct node *node)
{
    return node->env.now_ms(node->env.context);
}

void *node_allocate(const struct node *node, size_t size);      /* zeroed; NULL: no memory */
void node_release(const struct node *node, void *memory);

/* One line for the log; the peer of conn goes first when conn is not NULL. */
void node_log(const struct node *node, struct conn *conn, enum node_log_level level, const char *format, ...)
    TEXT_PRINTF(4, 5);

/* MaxCmdSN that goes with an ExpCmdSN, RFC 7143 4.2.2.1. */
static inline uint32_t node_max_cmd_sn(const struct node *node, uint32_t exp_cmd_sn)
{
    uint32_t window = ENGINE_COMMAND_WINDOW;

    if (node_benign(node, BENIGN_WIDE_WINDOW))
        window = UINT32_C(1) << 30;
    if (node_benign(node, BENIGN_NARROW_WINDOW))
        window = 1;
    return exp_cmd_sn + window - 1;
}

/* Puts the connection on the list for the server. */
void conn_mark(struct conn *conn);

/* The engine is done with the connection: no more input is looked at. It leaves its session. */
void conn_end(struct conn *conn, enum conn_action action);

/* Appends one PDU as it is, digests and padding included when they are in force. bhs gets DataSegmentLength. */
void conn_send(struct conn *conn, uint8_t *bhs, const void *data, size_t length);

/* Appends bytes as they are. */
void conn_send_raw(struct conn *conn, const void *bytes, size_t length);

/* Works off complete PDUs in the input. */
void conn_process(struct conn *conn);

/* Index of the target of a TargetName, NODE_ALL when there is none. */
size_t node_target_by_name(const struct node *node, const char *name, size_t length);

/* Is target served on portal? */
bool node_serves(const struct node *node, size_t target, size_t portal);

/* May this initiator log in to target (--allow)? */
bool node_allows(const struct node *node, size_t target, const char *initiator);

/* The forced code for this initiator at this stage, 0 when there is none. target may be NODE_ALL. */
uint16_t node_forced(const struct node *node, size_t target, enum config_stage stage, const char *initiator);

#endif
