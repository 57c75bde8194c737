/* Text Responses of full feature phase: F, C, transfer tag and form (RFC 7143, 11.11, 11.10.4, 6.1, 6.2). */
#include "harness/audit/check.h"
#include "harness/audit/ffp.h"
#include "wire/bytes.h"

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

static void texts(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    struct audit_joined text = {NULL, 0, 0};
    const struct transcript_pdu *pdu;
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
        /* 11.10.4: a request without a transfer tag begins anew, whatever was left of an answer; and one that asks for
         * the rest has no text of its own (6.2), so one that has is not answered with the rest. */
        if (rsp.itt != itt ||
            (request != NULL && (bytes_get_be32(request->bhs + 20) == PDU_NO_TAG || pdu_data_len(request->bhs) > 0)))
            text.len = 0;
        itt = rsp.itt;
        transfer_tag(run, rule, login, pdu, &rsp);
        final_in_turn(run, login, request, pdu, &rsp);
        empty_to_part(run, AUDIT_FFP_015, login, request, pdu);
        if (!audit_joined_add(&text, pdu)) {
            run->no_memory = true;
            break;
        }
        if ((rsp.flags & PDU_FLAG_FINAL) == 0)
            continue;
        if (text.len > 0)
            form(run, AUDIT_FFP_014, login, pdu, &text);
        text.len = 0;
    }
    free(text.bytes);
}

static const struct audit_login_check textanswer_checks[] = {
    {AUDIT_FFP_011, texts},
};

const struct audit_subject audit_textanswer = {NULL, 0, textanswer_checks, AUDIT_COUNT(textanswer_checks)};
