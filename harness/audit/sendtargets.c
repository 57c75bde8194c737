/* Answers to SendTargets (RFC 7143, appendix C, 13.8, 11.10.4). */
#include "harness/audit/check.h"
#include "harness/audit/ffp.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Logins that a list is compared with; more are a flood. */
#define CONNECTIONS_MAX 16u

/* A SendTargets request and what has come in answer so far. */
struct listing {
    bool open;
    uint32_t itt;
    char asked[TEXT_NAME_MAX + 1]; /* "All", "" or a name */
    size_t first;                  /* PDU of the first response */
    struct audit_joined text;
};

/* A Text Request that asks for the list and nothing else, in one PDU. */
static void take_request(struct listing *list, const struct transcript_pdu *pdu)
{
    struct text_pair pair;
    struct pdu_request req;

    pdu_request_decode(&req, pdu->bhs);
    if (req.word20 != PDU_NO_TAG && req.data_len == 0)
        return; /* asks for the rest of a long answer */
    list->open = false;
    list->text.len = 0;
    if (req.word20 != PDU_NO_TAG || !(req.flags & PDU_FLAG_FINAL) || (req.flags & PDU_FLAG_CONTINUE) || !pdu->data ||
        text_count(pdu->data, pdu->data_len, NULL) != 1 || text_check(pdu->data, pdu->data_len, NULL) != TEXT_END ||
        !text_find(pdu->data, pdu->data_len, "SendTargets", &pair) || pair.value_len > TEXT_NAME_MAX)
        return;
    list->open = true;
    list->itt = req.itt;
    list->first = SIZE_MAX;
    memcpy(list->asked, pair.value, pair.value_len);
    list->asked[pair.value_len] = '\0';
}

/* The bytes of a string of the joined text, in the PDU where it begins. */
static struct audit_place place(const struct audit_login *login, const struct listing *list, size_t at, size_t len)
{
    for (size_t i = list->first; i < login->pdu_count; i++) {
        const struct transcript_pdu *pdu = &login->pdus[i];

        if (pdu->side != TRANSCRIPT_TARGET || !pdu->data || pdu_opcode(pdu->bhs) != PDU_TEXT_RESPONSE ||
            pdu_itt(pdu->bhs) != list->itt)
            continue;
        if (at < pdu->data_len)
            return audit_at_pdu(login, pdu, (size_t)(pdu->data - pdu->bhs) + at,
                                len < pdu->data_len - at ? len : pdu->data_len - at);
        at -= pdu->data_len;
    }
    return audit_at_conn(login);
}

static void add(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                const struct listing *list, const struct text_pair *pair, const char *allowed)
{
    struct finding *f = audit_add(run, rule, place(login, list, pair->offset, pair->len));
    char quoted[150];

    audit_was(f, "%s",
              audit_quote(quoted, sizeof quoted, list->text.bytes + pair->offset, pair->len ? pair->len - 1 : 0));
    audit_allowed(f, "%s", allowed);
}

/* Whose names the session may see (appendix C). */
static void judge_name(struct audit_run *run, const struct audit_login *login, const struct listing *list,
                       const struct text_pair *pair)
{
    const struct audit_pair *own = audit_login_said(login, KEYS_TARGET_NAME, TRANSCRIPT_INITIATOR);

    if (keys_check_value(keys_at(KEYS_TARGET_NAME), pair->value, pair->value_len) != KEYS_VALUE_OK) {
        add(run, AUDIT_SND_001, login, list, pair, "an iSCSI name");
        return;
    }
    if (login->retyped)
        return;
    if (login->discovery) {
        size_t before = run->out->count;

        if (list->asked[0] == '\0' || strcmp(list->asked, "All") == 0 ||
            text_equals(pair->value, pair->value_len, list->asked))
            return;
        add(run, AUDIT_SND_002, login, list, pair, "the target that was asked for");
        if (run->out->count > before)
            run->out->items[run->out->count - 1].tolerated = true;
        return;
    }
    if (!own || (own->value_len == pair->value_len && memcmp(own->value, pair->value, pair->value_len) == 0))
        return;
    if (list->asked[0] == '\0')
        add(run, AUDIT_SND_003, login, list, pair, "the target of the session");
    else
        add(run, strcmp(list->asked, "All") == 0 ? AUDIT_SND_004 : AUDIT_SND_010, login, list, pair,
            "no other target than that of the session");
}

/* Is it the address of the portal whose tag the context tells, which is that of the first connection? */
static bool first_portal(const struct audit_run *run, const struct audit_login *login,
                         const struct text_address *address)
{
    const struct transcript_conn *first = login->transcript->conns[0];

    return run->transcript->context.portal_tag >= 0 && address->port == first->remote_port &&
           text_equals(address->host, address->host_len, first->remote);
}

static void judge_address(struct audit_run *run, const struct audit_login *login, const struct listing *list,
                          const struct text_pair *pair)
{
    struct text_address address;
    enum text_address_error error = text_parse_address(pair->value, pair->value_len, &address);

    if (error != TEXT_ADDRESS_OK)
        add(run, AUDIT_SND_009, login, list, pair, text_address_error_name(error));
    else if (!address.has_tag)
        add(run, AUDIT_SND_001, login, list, pair, "host[:port],tag");
    else if (first_portal(run, login, &address) && address.tag != (unsigned)run->transcript->context.portal_tag)
        add(run, AUDIT_TPGT_006, login, list, pair, "the tag of this portal");
}

/* Is the host, which is no name of DNS, that to which this connection goes? */
static bool same_host(const struct text_address *address, const char *remote)
{
    uint8_t told[16], used[16];
    char host[64];
    int family = address->ipv6 ? AF_INET6 : AF_INET;

    if (address->host_len >= sizeof host)
        return false;
    memcpy(host, address->host, address->host_len);
    host[address->host_len] = '\0';
    return inet_pton(family, host, told) == 1 && inet_pton(family, remote, used) == 1 &&
           memcmp(told, used, family == AF_INET6 ? 16 : 4) == 0;
}

/* Does the value say where this connection goes to? *numeric: it can be told. */
static bool leads_to(const struct text_pair *pair, const struct transcript_conn *conn, struct text_address *address,
                     bool *numeric)
{
    uint8_t bytes[16];
    char host[64];

    *numeric =
        text_parse_address(pair->value, pair->value_len, address) == TEXT_ADDRESS_OK && address->host_len < sizeof host;
    if (!*numeric)
        return false;
    memcpy(host, address->host, address->host_len);
    host[address->host_len] = '\0';
    *numeric = address->ipv6 || inet_pton(AF_INET, host, bytes) == 1;
    return address->port == conn->remote_port && same_host(address, conn->remote);
}

/* The tag that a login told; false when none, or none that can be read. */
static bool told_tag(const struct audit_login *login, uint64_t *tag)
{
    const struct audit_pair *pair = audit_login_said(login, KEYS_TARGET_PORTAL_GROUP_TAG, TRANSCRIPT_TARGET);

    return pair && text_parse_number(pair->value, pair->value_len, tag) == TEXT_NUMBER_OK;
}

/*
 * Appendix C: a list that has addresses of a target has all of them, so that of a portal on which this target was
 * logged in to is among them, with its tag. What a name of DNS stands for is not known here, nor what lies between:
 * an address that is missing is tolerated.
 */
static void judge_path(struct audit_run *run, const struct audit_login *login, const struct listing *list,
                       const struct audit_login *there, const struct audit_pair *target)
{
    struct text_cursor cursor;
    struct text_pair pair, name = {.len = 0};
    bool within = false, numeric = true, found = false;
    size_t addresses = 0;
    uint64_t tag = 0;

    text_cursor_init(&cursor, list->text.bytes, list->text.len);
    while (text_next(&cursor, &pair) == TEXT_PAIR && numeric) {
        struct text_address address;

        if (text_pair_is(&pair, "TargetName")) {
            within = pair.value_len == target->value_len && memcmp(pair.value, target->value, pair.value_len) == 0;
            name = within ? pair : name;
            continue;
        }
        if (!within || !text_pair_is(&pair, "TargetAddress"))
            continue;
        addresses++;
        if (!leads_to(&pair, there->conn, &address, &numeric))
            continue;
        found = true;
        if (address.has_tag && told_tag(there, &tag) && tag != address.tag && !first_portal(run, login, &address))
            add(run, AUDIT_TPGT_006, login, list, &pair, "the tag that was told in the login on this portal");
    }
    if (addresses == 0 || found || !numeric)
        return;
    add(run, AUDIT_SND_011, login, list, &name, "the address of the portal that has served this target among others");
}

static void judge_paths(struct audit_run *run, const struct audit_login *login, const struct listing *list)
{
    for (size_t i = 0; i < run->transcript->conn_count && i < CONNECTIONS_MAX; i++) {
        const struct audit_login *there = &run->logins[i];
        const struct audit_pair *target = audit_login_said(there, KEYS_TARGET_NAME, TRANSCRIPT_INITIATOR);

        if (audit_ffp_judged(there) && !there->discovery && target && there->conn->remote_port != 0)
            judge_path(run, login, list, there, target);
    }
}

static void judge(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                  const struct listing *list)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;
    struct text_pair turned_down = {.len = 0};
    bool named = false;

    text_cursor_init(&cursor, list->text.bytes, list->text.len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END && !run->out->truncated) {
        if (result != TEXT_PAIR)
            return; /* the form of the text has a rule of its own */
        if (text_pair_is(&pair, "TargetName")) {
            named = true;
            judge_name(run, login, list, &pair);
        } else if (text_pair_is(&pair, "TargetAddress")) {
            if (!named)
                add(run, rule, login, list, &pair, "TargetName before its addresses");
            judge_address(run, login, list, &pair);
        } else if (text_pair_is(&pair, "SendTargets") && keys_word(pair.value, pair.value_len) != KEYS_WORD_VALUE) {
            turned_down = pair;
        } else {
            add(run, rule, login, list, &pair, "TargetName and TargetAddress only");
        }
    }
    if (named && turned_down.len > 0)
        add(run, rule, login, list, &turned_down, "a list, or a word that there is none");
}

static void listings(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    struct listing list = {.open = false};

    if (!audit_ffp_judged(login))
        return;
    for (size_t i = 0; i < login->pdu_count && !run->no_memory; i++) {
        const struct transcript_pdu *pdu = &login->pdus[i];

        if (pdu->gap || !pdu->whole || !pdu->bhs || i == login->unagreed)
            break;
        if (!pdu->full_feature)
            continue;
        if (pdu->side == TRANSCRIPT_INITIATOR && pdu_opcode(pdu->bhs) == PDU_TEXT_REQUEST)
            take_request(&list, pdu);
        if (!list.open || pdu->side != TRANSCRIPT_TARGET || pdu_opcode(pdu->bhs) != PDU_TEXT_RESPONSE ||
            pdu_itt(pdu->bhs) != list.itt)
            continue;
        if (list.first == SIZE_MAX)
            list.first = i;
        if (!audit_joined_add(&list.text, pdu)) {
            run->no_memory = true;
        } else if (pdu->bhs[1] & PDU_FLAG_FINAL) {
            judge(run, rule, login, &list);
            judge_paths(run, login, &list);
            list.open = false;
        }
    }
    free(list.text.bytes);
}

static const struct audit_login_check sendtargets_checks[] = {
    {AUDIT_SND_006, listings},
};

const struct audit_subject audit_sendtargets = {NULL, 0, sendtargets_checks, AUDIT_COUNT(sendtargets_checks)};
