/* What a recorded login was: see login_facts.h. */
#include "harness/login_facts.h"

#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/status.h"

#include <stdio.h>
#include <string.h>

enum { FACTS_TEXT_MAX = 1 << 20 };

static void copy_value(const struct text_buf *text, const char *key, char *out, size_t cap)
{
    struct text_pair pair;

    *out = '\0';
    if (text_find(text->data, text->len, key, &pair) && pair.value_len < cap)
        snprintf(out, cap, "%.*s", (int)pair.value_len, pair.value);
}

static bool says(const struct text_buf *text, const char *key, const char *value)
{
    struct text_pair pair;

    return text_find(text->data, text->len, key, &pair) && text_equals(pair.value, pair.value_len, value);
}

static void take_request(struct login_facts *f, const struct transcript_pdu *p)
{
    struct pdu_login_request r;

    pdu_login_request_decode(&r, p->bhs);
    if (f->requests++ == 0) {
        memcpy(f->isid, r.isid, sizeof(f->isid));
        f->tsih = r.tsih;
        f->cid = r.cid;
    }
    f->security |= r.csg == PDU_STAGE_SECURITY;
}

/* True when this PDU of the target decided the login. */
static bool take_response(struct login_facts *f, const struct transcript_pdu *p)
{
    struct pdu_login_response r;

    f->responses++;
    if (pdu_opcode(p->bhs) != PDU_LOGIN_RESPONSE) {
        f->end = LOGIN_OTHER;
        f->opcode = pdu_opcode(p->bhs);
        return true;
    }
    pdu_login_response_decode(&r, p->bhs);
    if (r.status) {
        f->end = LOGIN_REFUSED;
        f->status = r.status;
        return true;
    }
    if (r.transit && !r.cont && r.nsg == PDU_STAGE_FULL_FEATURE) {
        f->end = LOGIN_COMPLETE;
        f->tsih_given = r.tsih;
        return true;
    }
    return false;
}

static void take_endings(const struct transcript_conn *c, struct login_facts *f)
{
    for (size_t i = 0; i < c->event_count; i++)
        if (c->events[i].kind == TRANSCRIPT_END) {
            f->target_closed = c->events[i].side == TRANSCRIPT_TARGET;
            f->from_initiator = !f->target_closed;
            break;
        }
    if (f->end == LOGIN_UNFINISHED && f->target_closed)
        f->end = LOGIN_CLOSED;
}

static void take_text(struct login_facts *f)
{
    const struct text_buf *asked = &f->said[TRANSCRIPT_INITIATOR];

    copy_value(asked, "InitiatorName", f->initiator, sizeof(f->initiator));
    copy_value(asked, "TargetName", f->target, sizeof(f->target));
    copy_value(asked, "CHAP_N", f->user, sizeof(f->user));
    f->discovery = says(asked, "SessionType", "Discovery");
    f->chap = says(&f->said[TRANSCRIPT_TARGET], "AuthMethod", "CHAP") ||
              text_count(f->said[TRANSCRIPT_TARGET].data, f->said[TRANSCRIPT_TARGET].len, "CHAP_C") > 0;
    f->mutual = f->chap && text_count(asked->data, asked->len, "CHAP_C") > 0;
}

bool login_facts_read(const struct transcript_conn *c, const struct transcript_pdu *pdus, size_t count,
                      struct login_facts *out)
{
    bool decided = false, good = true;

    memset(out, 0, sizeof(*out));
    for (int side = 0; side < 2; side++)
        text_buf_init_growing(&out->said[side], FACTS_TEXT_MAX, NULL, NULL);
    out->end = LOGIN_UNFINISHED;
    for (size_t i = 0; i < count && !decided && !out->missing; i++) {
        const struct transcript_pdu *p = &pdus[i];
        bool request = p->side == TRANSCRIPT_INITIATOR;

        if (p->gap) {
            bool begun = out->requests || (request && p->bhs && pdu_opcode(p->bhs) == PDU_LOGIN_REQUEST);

            out->missing = begun ? LOGIN_MISSING_BYTES : LOGIN_MISSING_BEGINNING;
        } else if (out->requests == 0 && (!request || !p->bhs || pdu_opcode(p->bhs) != PDU_LOGIN_REQUEST)) {
            out->end = LOGIN_NONE;
            out->missing = c->connected ? LOGIN_MISSING_NOTHING : LOGIN_MISSING_BEGINNING;
            return true;
        } else if (!p->bhs || !p->whole) {
            continue;
        } else if (request) {
            take_request(out, p);
        } else {
            decided = take_response(out, p);
        }
        if (!p->gap && p->data && p->data_len && out->said[p->side].len + p->data_len <= FACTS_TEXT_MAX)
            good &= text_buf_add_raw(&out->said[p->side], p->data, p->data_len);
    }
    if (out->requests == 0)
        out->end = LOGIN_NONE;
    take_endings(c, out);
    take_text(out);
    return good;
}

void login_facts_free(struct login_facts *facts)
{
    for (int side = 0; side < 2; side++)
        text_buf_free(&facts->said[side]);
}

const char *login_facts_outcome(const struct login_facts *facts, char *out, size_t cap)
{
    switch (facts->end) {
    case LOGIN_NONE:
        snprintf(out, cap, "no login");
        break;
    case LOGIN_COMPLETE:
        snprintf(out, cap, "full feature phase");
        break;
    case LOGIN_REFUSED:
        snprintf(out, cap, "0x%04x %s", facts->status, status_name_or_class(facts->status));
        break;
    case LOGIN_CLOSED:
        snprintf(out, cap, "closed without an answer");
        break;
    case LOGIN_OTHER:
        snprintf(out, cap, "answered with a %s PDU", pdu_opcode_name(facts->opcode));
        break;
    case LOGIN_UNFINISHED:
        snprintf(out, cap, "left undecided");
        break;
    }
    return out;
}

enum login_chap login_facts_check_secret(const struct login_facts *facts, const char *secret)
{
    const struct text_buf *came = &facts->said[TRANSCRIPT_TARGET], *went = &facts->said[TRANSCRIPT_INITIATOR];
    struct text_pair a, i, c, r;
    uint8_t challenge[CHAP_MAX_BINARY], response[CHAP_MAX_BINARY], hash[CHAP_MAX_HASH_LEN];
    size_t challenge_len = 0, response_len = 0, hash_len = 0;
    uint64_t algorithm = 0, id = 0;
    const struct chap_algorithm *found;

    if (!text_find(came->data, came->len, "CHAP_A", &a) || !text_find(came->data, came->len, "CHAP_I", &i) ||
        !text_find(came->data, came->len, "CHAP_C", &c) || !text_find(went->data, went->len, "CHAP_R", &r) ||
        text_parse_number(a.value, a.value_len, &algorithm) != TEXT_NUMBER_OK ||
        text_parse_number(i.value, i.value_len, &id) != TEXT_NUMBER_OK || id > 255 ||
        text_decode_binary(c.value, c.value_len, challenge, sizeof(challenge), &challenge_len) != TEXT_BINARY_OK)
        return LOGIN_CHAP_UNKNOWN;
    found = chap_algorithm_find(algorithm);
    if (!found || chap_response(found, (uint8_t)id, secret, strlen(secret), challenge, challenge_len, hash,
                                sizeof(hash), &hash_len) != CHAP_OK)
        return LOGIN_CHAP_UNKNOWN;
    if (text_decode_binary(r.value, r.value_len, response, sizeof(response), &response_len) != TEXT_BINARY_OK)
        return LOGIN_CHAP_WRONG;
    return chap_equal(response, response_len, hash, hash_len) ? LOGIN_CHAP_FITS : LOGIN_CHAP_WRONG;
}
