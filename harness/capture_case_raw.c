/* A recorded login as steps of a case: see capture_case_raw.h. */
#include "harness/capture_case_raw.h"

#include "harness/case_live_text.h"
#include "harness/case_yaml.h"
#include "wire/bytes.h"
#include "wire/pdu.h"
#include "wire/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct raw_case {
    const struct replay_source *source;
    const char *secret;
    const char *of; /* connection of the case whose session the login joins, NULL none */
    FILE *yaml;
    const uint8_t *first; /* header of the first request */
    bool answered;        /* an answer has come: */
    uint32_t next_sn;     /* ExpStatSN that is due then */
    uint16_t given;       /* TSIH that an answer gave, 0 none yet */
};

/* The connection that opened the session which this one joins or takes over; SIZE_MAX: it is not in the capture. */
static size_t leader_of(const struct replay_script *script, size_t conn)
{
    const struct login_facts *f = &script->sources[conn].facts;

    for (size_t i = conn; f->tsih && i > 0; i--) {
        const struct login_facts *other = &script->sources[i - 1].facts;

        if (other->end == LOGIN_COMPLETE && other->tsih_given == f->tsih &&
            memcmp(other->isid, f->isid, PDU_ISID_LEN) == 0 && strcmp(other->initiator, f->initiator) == 0 &&
            strcmp(other->target, f->target) == 0)
            return i - 1;
    }
    return SIZE_MAX;
}

/* Had the leader logged out before the login of `conn` began? */
static bool had_logged_out(const struct replay_script *script, size_t leader, size_t conn)
{
    const struct replay_source *source = &script->sources[leader];
    int64_t begin = script->sources[conn].count ? script->sources[conn].pdus[0].first_us : 0;

    for (size_t i = 0; i < source->count; i++) {
        const struct transcript_pdu *p = &source->pdus[i];

        if (p->side == TRANSCRIPT_INITIATOR && p->bhs && p->at_us <= begin &&
            pdu_opcode(p->bhs) == PDU_LOGOUT_REQUEST && (p->bhs[1] & 0x7f) == PDU_LOGOUT_CLOSE_SESSION)
            return true;
    }
    return false;
}

/* The login of the session that this one needs, and where the other portal is, if it is another. */
static const char *put_leader(struct raw_case *r, const struct replay_script *script, size_t leader, size_t conn)
{
    const struct transcript_conn *a = script->sources[leader].conn, *b = script->sources[conn].conn;
    bool elsewhere = a->remote_port != b->remote_port || strcmp(a->remote, b->remote) != 0;

    r->of = "L";
    fputs("    - login: { as: L, base: plain, set: [\"MaxConnections=8\"] }\n"
          "    - expect: { on: L, ffp: true }\n",
          r->yaml);
    if (had_logged_out(script, leader, conn))
        fputs("    - logout: { on: L, reason: session }\n", r->yaml);
    return elsewhere ? capture_case_portal(&script->sources[conn].facts) : NULL;
}

const char *capture_case_portal(const struct login_facts *facts)
{
    return facts->end == LOGIN_REFUSED && facts->status == STATUS_CANT_INCLUDE_IN_SESSION ? "second-group"
                                                                                          : "second-portal";
}

static void put_field(struct raw_case *r, size_t *count, const char *name, const char *value)
{
    fprintf(r->yaml, "%s%s: %s", (*count)++ ? ", " : ", header: { ", name, value);
}

static void put_number(struct raw_case *r, size_t *count, const char *name, uint64_t number)
{
    char text[32];

    snprintf(text, sizeof(text), number < 10 ? "%llu" : "0x%llx", (unsigned long long)number);
    put_field(r, count, name, text);
}

/* Fields that a case fills with the values of its own login, unless the recorded ones broke the order. */
static void put_live_fields(struct raw_case *r, const uint8_t *bhs, size_t *count)
{
    uint16_t tsih = bytes_get_be16(bhs + 14), due = r->given;
    char text[48];

    if (r->of) {
        snprintf(text, sizeof(text), "\"{isid:%s}\"", r->of);
        put_field(r, count, "ISID", text);
    } else if (memcmp(bhs + 8, r->first + 8, PDU_ISID_LEN) != 0 || bhs[8] >> 6 == 3) {
        put_number(r, count, "ISID", bytes_get_be(bhs + 8, PDU_ISID_LEN));
    }
    if (r->of && tsih == bytes_get_be16(r->first + 14)) {
        snprintf(text, sizeof(text), "\"{tsih:%s}\"", r->of);
        put_field(r, count, "TSIH", text);
    } else if (tsih != due) {
        put_number(r, count, "TSIH", tsih);
    }
    if (pdu_itt(bhs) != pdu_itt(r->first) || pdu_itt(bhs) == PDU_NO_TAG)
        put_number(r, count, "ITT", pdu_itt(bhs));
    if (bytes_get_be32(bhs + 24) != bytes_get_be32(r->first + 24))
        put_number(r, count, "CmdSN", bytes_get_be32(bhs + 24));
    if (r->answered && bytes_get_be32(bhs + 28) != r->next_sn)
        put_number(r, count, "ExpStatSN", bytes_get_be32(bhs + 28));
}

/* A Login Request of the case has T, CSG 1, NSG 3 and I unless it says otherwise. */
static void put_header(struct raw_case *r, const uint8_t *bhs)
{
    static const char *const live[] = {"ISID", "TSIH", "ITT", "CmdSN", "ExpStatSN", "DataSegmentLength"};
    uint8_t usual[PDU_BHS_LEN] = {PDU_LOGIN_REQUEST | PDU_IMMEDIATE, 0x87};
    size_t field_count, count = 0;
    const struct pdu_field *fields = pdu_fields(PDU_LOGIN_REQUEST, &field_count);

    for (size_t i = 0; i < field_count; i++) {
        uint64_t value = pdu_field_get(&fields[i], bhs);
        bool skip = fields[i].flags & PDU_FIELD_PART || value == pdu_field_get(&fields[i], usual);

        for (size_t k = 0; k < sizeof(live) / sizeof(live[0]); k++)
            skip |= strcmp(fields[i].name, live[k]) == 0;
        if (!skip)
            put_number(r, &count, fields[i].name, value);
    }
    put_live_fields(r, bhs, &count);
    fputs(count ? " }" : "", r->yaml);
}

/* False when it cannot be written. */
static bool put_text(struct raw_case *r, const struct transcript_pdu *p)
{
    struct text_buf text;
    bool good;

    text_buf_init_growing(&text, 1u << 24, NULL, NULL);
    good = case_live_text(p->data, p->data_len, &r->source->facts, r->secret, &text) &&
           case_yaml_writable(text.data, text.len);
    if (good && case_yaml_is_keys(text.data, text.len)) {
        fputs(", keys: ", r->yaml);
        case_yaml_keys(r->yaml, text.data, text.len);
    } else if (good && text.len) {
        fputs(", text: ", r->yaml);
        case_yaml_text(r->yaml, text.data, text.len);
    }
    text_buf_free(&text);
    return good;
}

static void put_hex(struct raw_case *r, const struct transcript_pdu *p)
{
    fputs(", hex: \"", r->yaml);
    for (size_t i = 0; i < p->len; i++)
        fprintf(r->yaml, "%02x", r->source->conn->stream[TRANSCRIPT_INITIATOR].bytes[p->offset + i]);
    fputc('"', r->yaml);
}

static bool is_answered(const struct raw_case *r, size_t at)
{
    return at + 1 < r->source->count && r->source->pdus[at + 1].side == TRANSCRIPT_TARGET;
}

static bool put_send(struct raw_case *r, size_t at)
{
    const struct transcript_pdu *p = &r->source->pdus[at];
    bool good = true;

    fputs("    - send: { on: A", r->yaml);
    if (pdu_opcode(p->bhs) == PDU_LOGIN_REQUEST && pdu_ahs_len(p->bhs) == 0 && !(p->bhs[0] & 0x80u)) {
        fputs(", pdu: login", r->yaml);
        put_header(r, p->bhs);
        good = put_text(r, p);
    } else {
        put_hex(r, p);
    }
    if (!is_answered(r, at) && r->source->facts.requests != p->number)
        fputs(", answer: no", r->yaml);
    fputs(" }\n", r->yaml);
    return good;
}

static void take_answer(struct raw_case *r, const struct transcript_pdu *p)
{
    if (!p->bhs || pdu_opcode(p->bhs) != PDU_LOGIN_RESPONSE)
        return;
    r->answered = true;
    r->next_sn = bytes_get_be32(p->bhs + 24) + 1;
    if (bytes_get_be16(p->bhs + 14))
        r->given = bytes_get_be16(p->bhs + 14);
    if (p->number < r->source->facts.responses)
        fputs("    - expect: { on: A, any: [accept] }\n", r->yaml);
}

static bool put_steps(struct raw_case *r)
{
    const struct login_facts *f = &r->source->facts;
    bool good = true;

    for (size_t i = 0; i < r->source->count && good; i++) {
        const struct transcript_pdu *p = &r->source->pdus[i];

        if (p->side == TRANSCRIPT_TARGET && p->number <= f->responses)
            take_answer(r, p);
        if (p->side == TRANSCRIPT_TARGET || p->number > f->requests)
            continue;
        r->first = r->first ? r->first : p->bhs;
        good = put_send(r, i);
    }
    return good;
}

int capture_case_raw(const struct replay_script *script, size_t conn, const char *secret, char **yaml,
                     const char **portal, char *why, size_t why_len)
{
    struct raw_case r = {.source = &script->sources[conn], .secret = secret};
    size_t size = 0, leader = leader_of(script, conn);
    bool good;

    *portal = NULL;
    r.yaml = open_memstream(yaml, &size);
    if (!r.yaml)
        return -1;
    if (leader != SIZE_MAX)
        *portal = put_leader(&r, script, leader, conn);
    fprintf(r.yaml, *portal ? "    - login: { as: A, base: raw, portal: %s }\n" : "    - login: { as: A, base: raw }\n",
            *portal);
    good = put_steps(&r);
    if (fclose(r.yaml) != 0)
        return -1;
    if (!good)
        snprintf(why, why_len, "its text holds a brace that a case would take for a live value");
    if (!good) {
        free(*yaml);
        *yaml = NULL;
    }
    return good;
}
