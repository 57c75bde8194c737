/*
 * What a reference target is configured to be: the process, its portals, its targets.
 *
 * A plain model: the command line fills it, the engine reads it and never changes it. All text and arrays in it
 * belong to the config. It has to outlive the node that was made from it. What changes while the target runs (removed,
 * fault, drain, forced codes) is copied into the node when it starts and lives there.
 */
#ifndef ISCSISPEC_CONFIG_H
#define ISCSISPEC_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "benign.h"
#include "defects.h"

enum {
    CONFIG_PORTALS_MAX = 64,            /* portals are also kept as bits of an uint64_t */
    CONFIG_NAME_MAX = 223,              /* bytes of an iSCSI name, RFC 7143 4.2.7.1 */
    CONFIG_TIMEOUT_LOGIN_MS = 15000,    /* default of login_timeout_ms */
    CONFIG_CONNECTIONS_DEFAULT = 8      /* default of max_connections of a target */
};

enum config_session_types {             /* bits of config_portal.session_types */
    CONFIG_SESSION_NORMAL = 1,
    CONFIG_SESSION_DISCOVERY = 2,
    CONFIG_SESSION_ALL = 3
};

enum config_moved { CONFIG_MOVED_NO, CONFIG_MOVED_TEMPORARILY, CONFIG_MOVED_PERMANENTLY };

enum config_lun_kind { CONFIG_LUN_RAM, CONFIG_LUN_FILE };

/* At which Login Request a forced code is answered. FIRST is the default of --force CODE. */
enum config_stage {
    CONFIG_STAGE_FIRST,                 /* the first complete request, once the target is known */
    CONFIG_STAGE_SECURITY,              /* the first request whose CSG is SecurityNegotiation */
    CONFIG_STAGE_OPERATIONAL,           /* the first request whose CSG is LoginOperationalNegotiation */
    CONFIG_STAGE_FINAL                  /* instead of the response that would enter full feature phase */
};

/* A status answered without a cause: --force CODE[@STAGE][:INITIATOR-GLOB]. */
struct config_force {
    uint16_t status;                    /* Status-Class << 8 | Status-Detail */
    enum config_stage stage;
    char *initiators;                   /* glob (* and ?) on InitiatorName; NULL: any initiator */
};

struct config_credential {
    char *user;                         /* CHAP_N */
    uint8_t *secret;
    size_t secret_length;
};

/* Who is asked to prove what. No credentials: no authentication is asked for. */
struct config_auth {
    struct config_credential *users;    /* initiators that may log in */
    size_t user_count;
    struct config_credential mutual;    /* what the target answers with; mutual.user NULL: no mutual CHAP */
    unsigned algorithms;                /* bit (1u << CHAP_A number); 0: all that wire/chap knows */
};

struct config_portal {
    char *name;                         /* of --portal NAME=...; never NULL */
    char *host;                         /* as given: what to bind; IPv6 without brackets */
    uint16_t port;                      /* as given; 0: the kernel picks one */
    char *address;                      /* HOST:PORT as told to initiators, IPv6 in brackets; set after bind */
    uint16_t tag;                       /* TargetPortalGroupTag, RFC 7143 13.9 */
    unsigned session_types;             /* enum config_session_types */
    bool drain;                         /* starts drained: 0x0301 for new logins */
    uint32_t max_sessions;              /* 0: no limit; one more: 0x0302 */
    struct config_auth discovery;       /* of discovery sessions here; without users: that of the process */
};

struct config_target {
    char *name;
    char *alias;                        /* TargetAlias; NULL: that of the process, which may be NULL too */
    uint64_t portals;                   /* bit i: served on portals[i]; 0: on all */
    enum config_moved moved;
    char *moved_to;                     /* HOST:PORT; NULL: moved_portal */
    size_t moved_portal;                /* index of the portal whose address is told, read when it is needed */
    struct config_auth auth;
    char **allow;                       /* InitiatorNames that may log in */
    size_t allow_count;                 /* 0: all may */
    bool removed;                       /* starts removed: 0x0204 */
    bool fault;                         /* starts with a failed store: 0x0300 */
    uint32_t max_connections;           /* of one session, 1..65535 */
    enum config_lun_kind lun;
    uint64_t lun_size;                  /* bytes of the RAM disk (or of the file, filled at start) */
    char *lun_path;                     /* CONFIG_LUN_FILE: looked at through node_env.store_ok in each login */
    struct config_force *forces;
    size_t force_count;
};

/* What the target itself offers, admits and declares; ranges of RFC 7143 chapter 13. */
struct config_params {
    uint32_t max_recv_data_segment_length;
    uint32_t max_burst_length;
    uint32_t first_burst_length;
    uint32_t default_time2wait;
    uint32_t default_time2retain;
    uint32_t max_outstanding_r2t;
    bool initial_r2t;                   /* true: insists on R2T */
    bool immediate_data;                /* false: refuses immediate data */
    bool header_digest;                 /* CRC32C may be chosen */
    bool data_digest;
    bool header_digest_required;        /* and None may not */
    bool data_digest_required;
};

struct config {
    struct defects defects;             /* --defect */
    struct benigns benigns;             /* --benign */
    uint32_t codes;                     /* --codes: bits config_code_bit(); CONFIG_CODES_ALL by default */
    char *alias;                        /* TargetAlias of targets without one; NULL: none */
    uint32_t login_timeout_ms;          /* from accept to full feature phase */
    bool strict_redeclare;              /* an identical repetition of a name is a duplicate key too */
    struct config_params params;
    struct config_auth discovery;       /* for discovery sessions */
    struct config_force *forces;        /* for every target, and for discovery */
    size_t force_count;
    struct config_portal *portals;
    size_t portal_count;
    struct config_target *targets;
    size_t target_count;
};

#define CONFIG_CODES_ALL UINT32_MAX

/* The bit of a status in config.codes, 0 when the status is none of the 18 of RFC 7143 11.13.5. */
static inline uint32_t config_code_bit(uint16_t status)
{
    unsigned detail = status & 0xffU;

    switch (status >> 8) {
    case 0: return detail == 0 ? UINT32_C(1) : 0;
    case 1: return detail == 1 || detail == 2 ? UINT32_C(1) << detail : 0;
    case 2: return detail <= 11 ? UINT32_C(1) << (4 + detail) : 0;
    case 3: return detail <= 2 ? UINT32_C(1) << (16 + detail) : 0;
    default: return 0;
    }
}

/* The defaults of every field; no portal, no target. */
void config_init(struct config *config);

/* The defaults of one target (all portals, RAM disk, CONFIG_CONNECTIONS_DEFAULT); name is copied. NULL: no memory. The
 * pointer is good until the next call. */
struct config_target *config_add_target(struct config *config, const char *name);

/* A portal with the defaults (tag 1, all session types); name and host are copied. NULL: no memory or too many. */
struct config_portal *config_add_portal(struct config *config, const char *name, const char *host, uint16_t port);

/* Frees all that the config owns, secrets wiped first. */
void config_free(struct config *config);

#endif
