/* Text Responses of full feature phase: F, C, transfer tag and form (RFC 7143, 11.11, 11.10.4, 6.1, 6.2). */
#include "harness/audit/check.h"
#include "harness/audit/ffp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* 11.11.1: a part of a longer answer has a tag with which to ask for the rest, the last one has none. */
static void transfer_tag(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                         const struct transcript_pdu *pdu, const struct pdu_response *rsp)
{
    bool final = (rsp->flags & PDU_FLAG_FINAL) != 0;
    struct finding *f;

    if (final == (rsp->word20 == PDU_NO_TAG))
        return;
    f = audit_add(run, rule, audit_at_field(login, pdu, "TTT"));
    audit_was(f, "F=%d with Target Transfer Tag 0x%08x", final, (unsigned)rsp->word20);
    audit_allowed(f, "0xffffffff with F=1, another tag with F=0");
}

/* 11.11.4: the LUN says something beside a tag only; without one it is reserved, or that of the request. */
static void transfer_lun(struct audit_run *run, const struct audit_login *login, const struct transcript_pdu *request,
                         const struct transcript_pdu *pdu, const struct pdu_response *rsp)
{
    struct pdu_request req;
    struct finding *f;

    pdu_request_decode(&req, request->bhs);
    if (rsp->word20 != PDU_NO_TAG || rsp->lun == 0 || rsp->lun == req.lun)
        return;
    f = audit_add(run, AUDIT_FFP_019, audit_at_field(login, pdu, "LUN"));
    audit_was(f, "LUN 0x%" PRIx64 " without a Target Transfer Tag", rsp->lun);
    audit_allowed(f, "0, or that of the request");
}

/* 11.11.1, 11.11.2: the target is done when the initiator is, and with its own text. */
static void final_in_turn(struct audit_run *run, const struct audit_login *login, const struct transcript_pdu *request,
                          const struct transcript_pdu *pdu, const struct pdu_response *rsp)
{
    struct finding *f;

    if ((rsp->flags & PDU_FLAG_FINAL) == 0)
        return;
    if ((rsp->flags & PDU_FLAG_CONTINUE) != 0) {
        f = audit_add(run, AUDIT_FFP_013, audit_at_pdu(login, pdu, 1, 1));
        audit_was(f, "F=1 with C=1");
        audit_allowed(f, "F=0 while the text goes on");
    } else if ((request->bhs[1] & PDU_FLAG_FINAL) == 0) {
        f = audit_add(run, AUDIT_FFP_012, audit_at_field(login, pdu, "F"));
        audit_was(f, "F=1 in answer to a Text Request with F=0");
        audit_allowed(f, "F=0");
    }
}

/* 6.2: a text that goes on is answered when it is complete. */
static void empty_to_part(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                          const struct transcript_pdu *request, const struct transcript_pdu *pdu)
{
    struct finding *f;

    if ((request->bhs[1] & PDU_FLAG_CONTINUE) == 0 || pdu_data_len(pdu->bhs) == 0)
        return;
    f = audit_add(run, rule, audit_at_field(login, pdu, "DataSegmentLength"));
    audit_was(f, "%zu bytes in answer to a Text Request with C=1", pdu_data_len(pdu->bhs));
    audit_allowed(f, "no data");
}

/* 6.1: key=value strings, each with its null byte. A pair may go over several PDUs, so the whole answer is looked at.
 */
static void form(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                 const struct transcript_pdu *last, const struct audit_joined *text)
{
    struct text_pair bad;
    enum text_result result = text_check(text->bytes, text->len, &bad);
    char quoted[80];
    struct finding *f;

    if (result == TEXT_END)
        return;
    f = audit_add(run, rule, audit_at_pdu(login, last, PDU_BHS_LEN, last->len));
    audit_was(f, "%s: %s", text_result_name(result),
              audit_quote(quoted, sizeof quoted, text->bytes + bad.offset, bad.len));
    audit_allowed(f, "key=value strings, each with one null byte");
}

/* Is the key one of those that have their place in login alone (13)? */
static bool is_of_login(const struct keys_entry *entry)
{
    return entry->use == KEYS_LO || entry->use == KEYS_IO;
}

/* One key of the request, and what was said to it. NULL: nothing. */
struct asked {
    const struct keys_entry *entry;
    const struct text_pair *pair, *told;
    char name[TEXT_KEY_MAX + 1];
};

/* A key of the document (13): what is wrong with the answer, NULL when nothing is. */
static const char *known_key(const struct asked *key, enum audit_rule_id *rule, bool *tolerated)
{
    enum keys_word word = key->told ? keys_word(key->told->value, key->told->value_len) : KEYS_WORD_VALUE;

    *tolerated = true;
    if (key->told && word == KEYS_WORD_NOT_UNDERSTOOD && (key->entry->flags & KEYS_MUST_UNDERSTAND) != 0) {
        *rule = AUDIT_FFP_025;
        *tolerated = false;
        return "never NotUnderstood";
    }
    if (key->told && word == KEYS_WORD_REJECT && key->entry->id == KEYS_MAX_RECV_DATA_SEGMENT_LENGTH &&
        keys_check_value(key->entry, key->pair->value, key->pair->value_len) == KEYS_VALUE_OK) {
        *rule = AUDIT_KEY_MRD_06;
        return "no answer: it is a declaration, and may be made anew";
    }
    *rule = AUDIT_FFP_017;
    if (!is_of_login(key->entry) || (key->entry->flags & KEYS_DECLARATIVE) != 0)
        return NULL;
    if (!key->told)
        return "Reject: the key is negotiated in login";
    *tolerated = false;
    return word == KEYS_WORD_VALUE ? "Reject: the key is negotiated in login" : NULL;
}

static void answer(struct audit_run *run, const struct audit_login *login, const struct transcript_pdu *last,
                   const struct asked *key)
{
    enum audit_rule_id rule = AUDIT_FFP_016;
    bool tolerated = false;
    const char *due = NULL;
    char quoted[80];
    struct finding *f;

    if (key->entry && !audit_maybe_discovery(login)) {
        due = known_key(key, &rule, &tolerated);
    } else if (!key->entry && !key->told) {
        tolerated = audit_maybe_discovery(login); /* where SendTargets is all that may be said (4.3) */
        due = "NotUnderstood, or the answer of a target that knows it";
    }
    if (!due)
        return;
    f = audit_add(run, rule, audit_at_pdu(login, last, key->told ? PDU_BHS_LEN : 0, last->len));
    f->tolerated = tolerated;
    if (key->told)
        audit_was(f, "%s=%s", key->name, audit_quote(quoted, sizeof quoted, key->told->value, key->told->value_len));
    else
        audit_was(f, "no answer to %s", key->name);
    audit_allowed(f, "%s", due);
}

/* 6.2: a key that is not understood is answered so. 13: what was negotiated in login stays as it is. */
static void answers(struct audit_run *run, const struct audit_login *login, const struct transcript_pdu *last,
                    const struct audit_joined *asked, const struct audit_joined *text)
{
    struct text_cursor cursor;
    struct text_pair pair, told;

    if (text_check(asked->bytes, asked->len, NULL) != TEXT_END)
        return;
    text_cursor_init(&cursor, asked->bytes, asked->len);
    while (text_next(&cursor, &pair) == TEXT_PAIR && !run->out->truncated) {
        struct asked key = {.entry = keys_find(pair.key, pair.key_len), .pair = &pair};

        if (!text_key_valid(pair.key, pair.key_len))
            continue;
        snprintf(key.name, sizeof key.name, "%.*s", (int)pair.key_len, pair.key);
        if (text_find(text->bytes, text->len, key.name, &told))
            key.told = &told;
        if (text_count(asked->bytes, asked->len, key.name) == 1)
            answer(run, login, last, &key);
    }
}

/* 11.10.4: a request without a transfer tag begins anew, whatever was left of an answer. */
static bool begins_anew(const struct transcript_pdu *request)
{
    struct pdu_request req;

    pdu_request_decode(&req, request->bhs);
    return req.word20 == PDU_NO_TAG;
}

static void texts(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    /* text: the answer that goes on; told: all that was said to what was asked, which may be several answers (F=0). */
    struct audit_joined text = {NULL, 0, 0}, told = {NULL, 0, 0}, asked = {NULL, 0, 0};
    const struct transcript_pdu *pdu, *before = NULL;
    uint32_t itt = PDU_NO_TAG;
    size_t at = 0;
    bool rejected = false; /* a part was, perhaps: what the target still has of the text nobody knows */

    if (!audit_ffp_judged(login))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL && pdu->whole && !run->out->truncated) {
        const struct transcript_pdu *request = audit_ffp_request(login, pdu);
        struct pdu_response rsp;
        bool anew;

        rejected = rejected || pdu_opcode(pdu->bhs) == PDU_REJECT;
        if (pdu_opcode(pdu->bhs) != PDU_TEXT_RESPONSE)
            continue;
        pdu_response_decode(&rsp, pdu->bhs);
        transfer_tag(run, rule, login, pdu, &rsp);
        if (request == NULL) { /* whether it goes on with what was before is a guess then */
            text.len = told.len = asked.len = 0;
            itt = PDU_NO_TAG;
            continue;
        }
        rejected = rejected && !begins_anew(request);
        /* One that asks for the rest has no text of its own (6.2), so one that has is not answered with the rest. */
        anew = rsp.itt != itt || begins_anew(request);
        if (anew || pdu_data_len(request->bhs) > 0) {
            rejected = rejected || (!anew && text.len > 0 && text.bytes[text.len - 1] != '\0');
            text.len = 0;
        }
        if (rsp.itt != itt || (request != before && begins_anew(request)))
            asked.len = told.len = 0;
        itt = rsp.itt;
        transfer_lun(run, login, request, pdu, &rsp);
        final_in_turn(run, login, request, pdu, &rsp);
        empty_to_part(run, AUDIT_FFP_015, login, request, pdu);
        if (!audit_joined_add(&text, pdu) || !audit_joined_add(&told, pdu) ||
            (request != before && !audit_joined_add(&asked, request))) {
            run->no_memory = true;
            break;
        }
        before = request;
        if ((rsp.flags & PDU_FLAG_FINAL) == 0)
            continue;
        if ((request->bhs[1] & PDU_FLAG_CONTINUE) == 0 && !rejected)
            answers(run, login, pdu, &asked, &told);
        asked.len = told.len = 0;
        if (text.len > 0)
            form(run, AUDIT_FFP_014, login, pdu, &text);
        text.len = 0;
    }
    free(text.bytes);
    free(told.bytes);
    free(asked.bytes);
}

static const struct audit_login_check textanswer_checks[] = {
    {AUDIT_FFP_011, texts},
};

const struct audit_subject audit_textanswer = {NULL, 0, textanswer_checks, AUDIT_COUNT(textanswer_checks)};
