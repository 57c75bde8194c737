/* Text Responses of full feature phase: F, C, transfer tag and form (RFC 7143, 11.11, 11.10.4, 6.1, 6.2). */
#include "harness/audit/check.h"
#include "harness/audit/ffp.h"

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
    } else if (request && (request->bhs[1] & PDU_FLAG_FINAL) == 0) {
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

    if (!request || (request->bhs[1] & PDU_FLAG_CONTINUE) == 0 || pdu_data_len(pdu->bhs) == 0)
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

/* 6.2: a key that is not understood is answered so. 13: what was negotiated in login stays as it is. */
static void answers(struct audit_run *run, const struct audit_login *login, const struct transcript_pdu *last,
                    const struct audit_joined *asked, const struct audit_joined *text)
{
    struct text_cursor cursor;
    struct text_pair pair, told;
    char quoted[80];

    if (login->discovery || text_check(asked->bytes, asked->len, NULL) != TEXT_END)
        return;
    text_cursor_init(&cursor, asked->bytes, asked->len);
    while (text_next(&cursor, &pair) == TEXT_PAIR && !run->out->truncated) {
        const struct keys_entry *entry = keys_find(pair.key, pair.key_len);
        char name[TEXT_KEY_MAX + 1];
        bool answered;
        struct finding *f;

        if (!text_key_valid(pair.key, pair.key_len))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)pair.key_len, pair.key);
        answered = text_find(text->bytes, text->len, name, &told);
        if (entry == NULL && !answered) {
            f = audit_add(run, AUDIT_FFP_016, audit_at_pdu(login, last, 0, last->len));
            audit_was(f, "no answer to %s", name);
            audit_allowed(f, "%s=NotUnderstood, or the answer of a target that knows it", name);
        } else if (entry != NULL && answered && is_of_login(entry) &&
                   keys_word(told.value, told.value_len) == KEYS_WORD_VALUE) {
            f = audit_add(run, AUDIT_FFP_017, audit_at_pdu(login, last, PDU_BHS_LEN, last->len));
            audit_was(f, "%s=%s", name, audit_quote(quoted, sizeof quoted, told.value, told.value_len));
            audit_allowed(f, "Reject: the key is negotiated in login");
        }
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
    struct audit_joined text = {NULL, 0, 0}, asked = {NULL, 0, 0};
    const struct transcript_pdu *pdu, *before = NULL;
    uint32_t itt = PDU_NO_TAG;
    size_t at = 0;

    if (!audit_ffp_judged(login))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL && pdu->whole && !run->out->truncated) {
        const struct transcript_pdu *request = audit_ffp_request(login, pdu);
        struct pdu_response rsp;

        if (pdu_opcode(pdu->bhs) != PDU_TEXT_RESPONSE)
            continue;
        pdu_response_decode(&rsp, pdu->bhs);
        /* One that asks for the rest has no text of its own (6.2), so one that has is not answered with the rest. */
        if (rsp.itt != itt || (request != NULL && (begins_anew(request) || pdu_data_len(request->bhs) > 0)))
            text.len = 0;
        if (rsp.itt != itt || (request != NULL && request != before && begins_anew(request)))
            asked.len = 0;
        itt = rsp.itt;
        transfer_tag(run, rule, login, pdu, &rsp);
        final_in_turn(run, login, request, pdu, &rsp);
        empty_to_part(run, AUDIT_FFP_015, login, request, pdu);
        if (!audit_joined_add(&text, pdu) ||
            (request != NULL && request != before && !audit_joined_add(&asked, request))) {
            run->no_memory = true;
            break;
        }
        before = request;
        if ((rsp.flags & PDU_FLAG_FINAL) == 0)
            continue;
        if (request != NULL && (request->bhs[1] & PDU_FLAG_CONTINUE) == 0)
            answers(run, login, pdu, &asked, &text);
        asked.len = 0;
        if (text.len > 0)
            form(run, AUDIT_FFP_014, login, pdu, &text);
        text.len = 0;
    }
    free(text.bytes);
    free(asked.bytes);
}

static const struct audit_login_check textanswer_checks[] = {
    {AUDIT_FFP_011, texts},
};

const struct audit_subject audit_textanswer = {NULL, 0, textanswer_checks, AUDIT_COUNT(textanswer_checks)};
