/* Two answers held against each other: see replay_compare.h. */
#include "harness/replay_compare.h"

#include "harness/audit/report.h"
#include "wire/bytes.h"
#include "wire/pdu.h"
#include "wire/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { COMPARE_KEYS_MAX = 512 };

const char *replay_verdict_name(enum replay_verdict verdict)
{
    static const char *const names[] = {
        [REPLAY_SAME] = "same",
        [REPLAY_SAME_BUT] = "same but for live values",
        [REPLAY_DIFFERENT] = "different",
        [REPLAY_MISSING] = "missing",
        [REPLAY_EXTRA] = "not in the capture",
        [REPLAY_NOT_COMPARED] = "not compared",
    };

    return names[verdict];
}

bool replay_verdict_differs(enum replay_verdict verdict)
{
    return verdict == REPLAY_DIFFERENT || verdict == REPLAY_MISSING || verdict == REPLAY_EXTRA;
}

/* Two lists under way: what differs, and which live values do. */
struct comparison {
    const struct replay_view *view;
    char *what;
    size_t cap, used;
    char live[300];
    size_t live_used;
    bool different;
    bool refused; /* both are Login Responses with a status other than 0 */
};

static void differ(struct comparison *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void differ(struct comparison *c, const char *format, ...)
{
    va_list args;
    int n;

    if (c->different && c->used + 2 < c->cap)
        c->used += (size_t)snprintf(c->what + c->used, c->cap - c->used, "; ");
    c->different = true;
    va_start(args, format);
    n = vsnprintf(c->what + c->used, c->cap - c->used, format, args);
    va_end(args);
    c->used = n > 0 && c->used + (size_t)n < c->cap ? c->used + (size_t)n : c->cap - 1;
}

static void is_live(struct comparison *c, const char *name, size_t len)
{
    int n = snprintf(c->live + c->live_used, sizeof(c->live) - c->live_used, "%s%.*s", c->live_used ? ", " : "",
                     (int)(len < 64 ? len : 64), name);

    if (n > 0 && c->live_used + (size_t)n < sizeof(c->live))
        c->live_used += (size_t)n;
    else
        c->live[c->live_used] = '\0';
}

/* ---- header ---- */

enum live_answer { NOT_LIVE, LIVE_AGREES, LIVE_DIFFERS };

static enum live_answer agrees(bool good)
{
    return good ? LIVE_AGREES : LIVE_DIFFERS;
}

/* May these two values of a field differ, because they belong to the session? */
static enum live_answer field_is_live(const struct comparison *c, const char *name, uint64_t recorded, uint64_t live)
{
    const struct replay_view *v = c->view;

    if (recorded == live)
        return LIVE_AGREES;
    if (c->refused && (strcmp(name, "StatSN") == 0 || strcmp(name, "ExpCmdSN") == 0))
        return LIVE_AGREES; /* valid behind status 0 only (11.13.5) */
    if (strcmp(name, "ISID") == 0)
        return agrees(recorded == bytes_get_be(v->isid[0], PDU_ISID_LEN) &&
                      live == bytes_get_be(v->isid[1], PDU_ISID_LEN));
    if (strcmp(name, "ITT") == 0)
        return agrees(replay_adapt_tag((uint32_t)recorded, v->itt_delta) == (uint32_t)live);
    if (strcmp(name, "TSIH") == 0)
        return agrees((recorded == 0) == (live == 0));
    if (strcmp(name, "TTT") == 0 || strcmp(name, "SNACKTag") == 0)
        return agrees((recorded == PDU_NO_TAG) == (live == PDU_NO_TAG));
    if (strcmp(name, "StatSN") == 0)
        return agrees(v->moved || !v->counted ||
                      (uint32_t)recorded - v->first_stat_sn[0] == (uint32_t)live - v->first_stat_sn[1]);
    if (strcmp(name, "ExpCmdSN") == 0)
        return agrees((uint32_t)recorded + v->cmd_delta == (uint32_t)live);
    if (strcmp(name, "MaxCmdSN") == 0) /* how many commands it takes ahead is the target's own choice (4.2.2.1) */
        return LIVE_AGREES;
    return NOT_LIVE;
}

static void compare_field(struct comparison *c, const struct pdu_field *f, const uint8_t *recorded, const uint8_t *live)
{
    uint64_t was = pdu_field_get(f, recorded), is = pdu_field_get(f, live);
    enum live_answer answer = field_is_live(c, f->name, was, is);

    if (answer == LIVE_AGREES && was != is)
        is_live(c, f->name, strlen(f->name));
    if (answer == LIVE_AGREES)
        return;
    if (strcmp(f->name, "Status") == 0 && f->width == 2)
        differ(c, "Status 0x%04x %s -> 0x%04x %s", (unsigned)was, status_name_or_class((unsigned)was), (unsigned)is,
               status_name_or_class((unsigned)is));
    else if (strcmp(f->name, "StatSN") == 0)
        differ(c, "StatSN %+d -> %+d behind the first", (int)((uint32_t)was - c->view->first_stat_sn[0]),
               (int)((uint32_t)is - c->view->first_stat_sn[1]));
    else if (strcmp(f->name, "ExpCmdSN") == 0)
        differ(c, "ExpCmdSN %+d from the one recorded", (int)((uint32_t)is - (uint32_t)was - c->view->cmd_delta));
    else if (was < 10 && is < 10)
        differ(c, "%s %llu -> %llu", f->name, (unsigned long long)was, (unsigned long long)is);
    else
        differ(c, "%s 0x%llx -> 0x%llx", f->name, (unsigned long long)was, (unsigned long long)is);
}

/* ---- text ---- */

static bool is_chap_value(const struct text_pair *pair)
{
    return text_pair_is(pair, "CHAP_I") || text_pair_is(pair, "CHAP_C") || text_pair_is(pair, "CHAP_R");
}

/* HOST:PORT of a TargetAddress, without its portal group tag. */
static size_t address_len(const struct text_pair *pair)
{
    const char *comma = memchr(pair->value, ',', pair->value_len);

    return comma ? (size_t)(comma - pair->value) : pair->value_len;
}

static size_t host_len(const char *address, size_t len)
{
    const char *colon = memrchr(address, ':', len);

    return colon ? (size_t)(colon - address) : len;
}

/* A portal of the live target's own, on the same host as the recorded one: its port is another at each start. */
static bool is_own_portal(const struct comparison *c, const char *recorded, size_t a, const char *live, size_t b)
{
    size_t host = host_len(live, b);

    if (host != host_len(recorded, a) || memcmp(recorded, live, host) != 0)
        return false;
    for (size_t i = 0; i < c->view->names->portal_count; i++)
        if (text_equals(live, b, c->view->names->portals[i]))
            return true;
    return false;
}

static bool same_portal(const struct comparison *c, const struct text_pair *recorded, const struct text_pair *live)
{
    size_t a = address_len(recorded), b = address_len(live);
    const char *mapped = replay_names_find(c->view->names, recorded->value, a);
    bool tags = recorded->value_len - a == live->value_len - b &&
                memcmp(recorded->value + a, live->value + b, live->value_len - b) == 0;

    return tags &&
           ((mapped && text_equals(live->value, b, mapped)) || is_own_portal(c, recorded->value, a, live->value, b));
}

/* May these two values of a key differ? */
static bool value_is_live(const struct comparison *c, const struct text_pair *recorded, const struct text_pair *live)
{
    const char *mapped = replay_names_find(c->view->names, recorded->value, recorded->value_len);

    if (is_chap_value(recorded))
        return true;
    if (text_pair_is(recorded, "TargetAddress"))
        return same_portal(c, recorded, live);
    return mapped && text_equals(live->value, live->value_len, mapped) &&
           (text_pair_is(recorded, "TargetName") || text_pair_is(recorded, "InitiatorName") ||
            text_pair_is(recorded, "CHAP_N"));
}

/* The n-th pair of this key, from 0. */
static bool find_nth(const struct transcript_pdu *p, const struct text_pair *like, size_t n, struct text_pair *out)
{
    struct text_cursor cursor;
    enum text_result form;

    text_cursor_init(&cursor, p->data, p->data_len);
    while ((form = text_next(&cursor, out)) != TEXT_END)
        if (out->key_len == like->key_len && memcmp(out->key, like->key, like->key_len) == 0 && n-- == 0)
            return true;
    return false;
}

/* How many pairs of the same key stand before this one. */
static size_t rank_of(const struct transcript_pdu *p, const struct text_pair *pair)
{
    struct text_cursor cursor;
    struct text_pair other;
    size_t rank = 0;

    text_cursor_init(&cursor, p->data, p->data_len);
    while (text_next(&cursor, &other) != TEXT_END && other.key != pair->key)
        rank += other.key_len == pair->key_len && memcmp(other.key, pair->key, pair->key_len) == 0;
    return rank;
}

static void compare_pair(struct comparison *c, const struct text_pair *recorded, const struct text_pair *live)
{
    char key[72], was[80], is[80];

    if (recorded->value_len == live->value_len && memcmp(recorded->value, live->value, live->value_len) == 0)
        return;
    if (value_is_live(c, recorded, live))
        is_live(c, recorded->key, recorded->key_len);
    else
        differ(c, "%s=%s -> %s", audit_quote(key, sizeof(key), recorded->key, recorded->key_len),
               audit_quote(was, sizeof(was), recorded->value, recorded->value_len),
               audit_quote(is, sizeof(is), live->value, live->value_len));
}

static void compare_text(struct comparison *c, const struct transcript_pdu *recorded, const struct transcript_pdu *live)
{
    struct text_cursor cursor;
    struct text_pair pair, other;
    size_t last = 0;
    bool ordered = true;
    char key[72], value[80];

    text_cursor_init(&cursor, recorded->data, recorded->data_len);
    while (text_next(&cursor, &pair) != TEXT_END) {
        if (!find_nth(live, &pair, rank_of(recorded, &pair), &other)) {
            differ(c, "no %s=%s", audit_quote(key, sizeof(key), pair.key, pair.key_len),
                   audit_quote(value, sizeof(value), pair.value, pair.value_len));
            continue;
        }
        compare_pair(c, &pair, &other);
        ordered &= other.offset >= last;
        last = other.offset;
    }
    text_cursor_init(&cursor, live->data, live->data_len);
    while (text_next(&cursor, &pair) != TEXT_END)
        if (!find_nth(recorded, &pair, rank_of(live, &pair), &other))
            differ(c, "%s=%s was not there", audit_quote(key, sizeof(key), pair.key, pair.key_len),
                   audit_quote(value, sizeof(value), pair.value, pair.value_len));
    if (!ordered) /* says the same (6.1) */
        is_live(c, "order of the keys", 17);
}

/* ---- the whole ---- */

static bool has_text(uint8_t opcode)
{
    return opcode == PDU_LOGIN_RESPONSE || opcode == PDU_TEXT_RESPONSE;
}

/* Key by key, unless there are so many that holding each against each would take for ever. */
static bool compares_keys(const struct transcript_pdu *recorded, const struct transcript_pdu *live)
{
    return has_text(pdu_opcode(recorded->bhs)) &&
           text_count(recorded->data, recorded->data_len, NULL) <= COMPARE_KEYS_MAX &&
           text_count(live->data, live->data_len, NULL) <= COMPARE_KEYS_MAX;
}

static void compare_data(struct comparison *c, const struct transcript_pdu *recorded, const struct transcript_pdu *live)
{
    size_t same = 0, shorter = recorded->data_len < live->data_len ? recorded->data_len : live->data_len;

    if (compares_keys(recorded, live)) {
        compare_text(c, recorded, live);
        return;
    }
    while (same < shorter && recorded->data[same] == live->data[same])
        same++;
    if (recorded->data_len != live->data_len)
        differ(c, "%zu bytes of data -> %zu", recorded->data_len, live->data_len);
    else if (same < shorter)
        differ(c, "the data from byte %zu on", same);
}

enum replay_verdict replay_compare(const struct transcript_pdu *recorded, const struct transcript_pdu *live,
                                   const struct replay_view *view, char *what, size_t cap)
{
    struct comparison c = {.view = view, .what = what, .cap = cap};
    const struct pdu_field *fields;
    size_t count;

    *what = '\0';
    if (!recorded->bhs || !live->bhs || !recorded->whole || !live->whole) {
        if (recorded->whole != live->whole)
            differ(&c, "%s", recorded->whole ? "a whole PDU -> a piece of one" : "a piece of a PDU -> a whole one");
        return c.different ? REPLAY_DIFFERENT : REPLAY_SAME_BUT;
    }
    if (pdu_opcode(recorded->bhs) != pdu_opcode(live->bhs)) {
        differ(&c, "%s -> %s", pdu_opcode_name(pdu_opcode(recorded->bhs)), pdu_opcode_name(pdu_opcode(live->bhs)));
        return REPLAY_DIFFERENT;
    }
    c.refused = pdu_opcode(recorded->bhs) == PDU_LOGIN_RESPONSE && pdu_login_status(recorded->bhs) &&
                pdu_login_status(live->bhs);
    fields = pdu_fields(pdu_opcode(recorded->bhs), &count);
    for (size_t i = 0; i < count; i++)
        if (!(fields[i].flags & PDU_FIELD_PART) && strcmp(fields[i].name, "DataSegmentLength") != 0)
            compare_field(&c, &fields[i], recorded->bhs, live->bhs);
    compare_data(&c, recorded, live);
    if (c.different)
        return REPLAY_DIFFERENT;
    snprintf(what, cap, "%s", c.live);
    return c.live_used ? REPLAY_SAME_BUT : REPLAY_SAME;
}

static bool same_value(const struct transcript_pdu *a, const struct transcript_pdu *b, const char *key)
{
    struct text_pair x = {0}, y = {0};
    bool in_a = text_find(a->data, a->data_len, key, &x), in_b = text_find(b->data, b->data_len, key, &y);

    return in_a == in_b && (!in_a || (x.value_len == y.value_len && memcmp(x.value, y.value, x.value_len) == 0));
}

/* Do both say the same of stages? NSG means nothing without T (RFC 7143, 11.13.3): it differs, but leads nowhere else. */
static bool same_stages(const uint8_t *recorded, const uint8_t *live)
{
    const uint8_t meant = (recorded[1] & 0x80u) != 0 ? 0xffu : 0xfcu;

    return ((recorded[1] ^ live[1]) & meant) == 0;
}

bool replay_same_course(const struct transcript_pdu *recorded, const struct transcript_pdu *live)
{
    if (!recorded->bhs || !live->bhs || pdu_opcode(recorded->bhs) != pdu_opcode(live->bhs))
        return false;
    if (pdu_opcode(recorded->bhs) != PDU_LOGIN_RESPONSE)
        return true;
    return same_stages(recorded->bhs, live->bhs) && pdu_login_status(recorded->bhs) == pdu_login_status(live->bhs) &&
           same_value(recorded, live, "AuthMethod") && same_value(recorded, live, "CHAP_A");
}
