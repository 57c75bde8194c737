/* Recorded text with live values: see case_live_text.h. */
#include "harness/case_live_text.h"

#include "wire/status.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

bool case_live_chap_wrong(const struct login_facts *facts, const char *secret)
{
    if (secret)
        return login_facts_check_secret(facts, secret) == LOGIN_CHAP_WRONG && facts->end != LOGIN_COMPLETE;
    return facts->end == LOGIN_REFUSED && facts->status == STATUS_AUTHENTICATION_FAILURE;
}

void case_live_response(const struct text_pair *recorded, bool wrong, char *out, size_t cap)
{
    const char *form = "", *v = recorded->value;

    if (recorded->value_len > 1 && v[0] == '0' && (v[1] == 'b' || v[1] == 'B'))
        form = "base64";
    for (size_t i = 2; !*form && i < recorded->value_len; i++)
        if (isupper((unsigned char)v[i]))
            form = "upper";
    snprintf(out, cap, "{chap_r:agreed%s%s%s%s}", wrong || *form ? ":" : "", wrong ? "not-the-secret" : "",
             *form ? ":" : "", form);
}

static const char *stands_for(const struct text_pair *pair, const struct login_facts *facts)
{
    if (text_pair_is(pair, "InitiatorName") && text_equals(pair->value, pair->value_len, facts->initiator))
        return "{initiator}";
    if (text_pair_is(pair, "TargetName") && text_equals(pair->value, pair->value_len, facts->target))
        return facts->end == LOGIN_REFUSED && facts->status == STATUS_NOT_FOUND ? "{absent_target}" : "{target}";
    if (text_pair_is(pair, "CHAP_N") && pair->value_len)
        return "{user}";
    return NULL;
}

bool case_live_text(const void *text, size_t len, const struct login_facts *facts, const char *secret,
                    struct text_buf *out)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result form;
    bool good = true;

    text_cursor_init(&cursor, text, len);
    while (good && (form = text_next(&cursor, &pair)) != TEXT_END) {
        char response[64], key[TEXT_KEY_MAX + 1];
        const char *value = form == TEXT_PAIR ? stands_for(&pair, facts) : NULL;

        if (form == TEXT_PAIR && text_pair_is(&pair, "CHAP_R")) {
            case_live_response(&pair, case_live_chap_wrong(facts, secret), response, sizeof(response));
            value = response;
        }
        snprintf(key, sizeof(key), "%.*s", value ? (int)pair.key_len : 0, pair.key);
        good = value ? text_buf_add(out, key, value)
                     : pair.len == 0 || text_buf_add_raw(out, (const char *)text + pair.offset, pair.len);
    }
    return good;
}
