/* The shadow of a recorded login: see case_shadow.h. */
#include "harness/case_shadow.h"

#include "harness/case_live_text.h"
#include "harness/case_yaml.h"
#include "harness/edit.h"
#include "harness/repair.h"
#include "harness/tap.h"
#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/pdu.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SHADOW_TEXT_MAX = 1 << 20,
    SHADOW_KEYS_MAX = 6, /* changes of keys; more are told shorter by the whole text */
};

/* Stands in for what the recording does not tell; nothing of it goes into the case. */
#define SHADOW_NAME   "iqn.2024-01.org.iscsispec:shadow"
#define SHADOW_SECRET "shadow-secret-of-nobody"

struct shadow {
    const struct replay_source *source;
    const char *secret;
    struct case_shadow *out;
    FILE *all, *yaml; /* edits of all PDUs, and of this one */
    struct tap *tap;
    struct repair repair;
    struct live_values live;
    size_t at;        /* the recorded PDU that is next */
    uint32_t number;  /* of the request */
    uint8_t made[8];  /* ITT and CmdSN of the last PDU, as libiscsi made them */
    uint32_t next_sn; /* ExpStatSN that is due */
};

enum shadow_turn { SHADOW_ON, SHADOW_DONE, SHADOW_OTHER, SHADOW_NO_MEMORY };

/* libiscsi only starts a login on a TCP connection: a socket that listens and never answers. */
static int listen_somewhere(char *portal, size_t cap)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && !bind(fd, (struct sockaddr *)&a, len) && !listen(fd, 4) &&
        !getsockname(fd, (struct sockaddr *)&a, &len)) {
        snprintf(portal, cap, "127.0.0.1:%u", (unsigned)ntohs(a.sin_port));
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool says_chap(const struct replay_source *s)
{
    struct text_pair pair;
    const struct text_buf *said = &s->facts.said[TRANSCRIPT_INITIATOR];

    return text_find(said->data, said->len, "AuthMethod", &pair) &&
           text_list_has(pair.value, pair.value_len, "CHAP", 4);
}

static void choose_base(const struct replay_source *s, struct case_shadow *out)
{
    enum case_base way = CASE_BASE_PLAIN;

    if (s->facts.security)
        way = s->facts.mutual ? CASE_BASE_MUTUAL_CHAP : says_chap(s) ? CASE_BASE_CHAP : CASE_BASE_SECURITY;
    out->base = s->facts.discovery ? CASE_BASE_DISCOVERY : way;
    out->via = way;
}

static void ignore_note(void *user, const char *text)
{
    (void)user, (void)text;
}

/* ---- one PDU ---- */

/* Fields that belong to the session, or follow from the text. */
static bool is_live_field(const char *name)
{
    static const char *const live[] = {"ISID", "ITT", "CmdSN", "ExpStatSN", "DataSegmentLength"};

    for (size_t i = 0; i < sizeof(live) / sizeof(live[0]); i++)
        if (strcmp(live[i], name) == 0)
            return true;
    return false;
}

/* Writes "header: {...}" with the fields that differ. */
static size_t write_header(FILE *yaml, const uint8_t *made, const uint8_t *recorded)
{
    size_t count, changes = 0;
    const struct pdu_field *fields = pdu_fields(PDU_LOGIN_REQUEST, &count);

    for (size_t i = 0; i < count; i++) {
        uint64_t want = pdu_field_get(&fields[i], recorded);

        if (fields[i].flags & PDU_FIELD_PART || is_live_field(fields[i].name) ||
            want == pdu_field_get(&fields[i], made))
            continue;
        fprintf(yaml, want < 10 ? "%s%s: %llu" : "%s%s: 0x%llx", changes++ ? ", " : ", header: {", fields[i].name,
                (unsigned long long)want);
    }
    if (changes)
        fputc('}', yaml);
    return changes;
}

/* A challenge of the initiator as libiscsi makes them, but for its bytes. */
static bool is_usual_challenge(const struct text_pair *pair)
{
    uint8_t bytes[CHAP_MAX_BINARY];
    uint64_t number = 0;
    size_t len = 0;

    if (text_pair_is(pair, "CHAP_I"))
        return text_parse_number(pair->value, pair->value_len, &number) == TEXT_NUMBER_OK && number <= 255;
    return text_pair_is(pair, "CHAP_C") && pair->value_len > 2 && pair->value[1] == 'x' &&
           text_decode_binary(pair->value, pair->value_len, bytes, sizeof(bytes), &len) == TEXT_BINARY_OK;
}

/* A recorded CHAP_R says no more than whether it was the right one. */
static bool same_pair(const struct shadow *s, const struct text_pair *a, const struct text_pair *b)
{
    if (text_pair_is(a, "CHAP_R"))
        return !case_live_chap_wrong(&s->source->facts, s->secret);
    if (is_usual_challenge(a)) /* drawn anew in each login */
        return true;
    return a->value_len == b->value_len && (a->value_len == 0 || memcmp(a->value, b->value, a->value_len) == 0);
}

static bool find_key(const void *text, size_t len, const struct text_pair *like, struct text_pair *out)
{
    char key[TEXT_KEY_MAX + 1];

    snprintf(key, sizeof(key), "%.*s", (int)like->key_len, like->key);
    return text_find(text, len, key, out);
}

/* Are the keys of `a` that `b` has, too, in the same order there, and each there once? */
static bool same_order(const void *a, size_t a_len, const void *b, size_t b_len)
{
    struct text_cursor cursor;
    struct text_pair pair, other;
    size_t last = 0;

    text_cursor_init(&cursor, a, a_len);
    while (text_next(&cursor, &pair) == TEXT_PAIR) {
        char key[TEXT_KEY_MAX + 1];

        snprintf(key, sizeof(key), "%.*s", (int)pair.key_len, pair.key);
        if (text_count(a, a_len, key) > 1 || text_count(b, b_len, key) > 1)
            return false;
        if (!text_find(b, b_len, key, &other))
            continue;
        if (other.offset < last)
            return false;
        last = other.offset;
    }
    return true;
}

/* Keys that are only in the recorded text have to stand at its end: that is where `add` puts them. */
static bool added_at_end(const struct text_buf *made, const struct transcript_pdu *r)
{
    struct text_cursor cursor;
    struct text_pair pair, other;
    bool added = false;

    text_cursor_init(&cursor, r->data, r->data_len);
    while (text_next(&cursor, &pair) == TEXT_PAIR) {
        bool known = find_key(made->data, made->len, &pair, &other);

        if (known && added)
            return false;
        added |= !known;
    }
    return true;
}

static void write_item(FILE *yaml, const char *name, size_t count, const char *pair, size_t len)
{
    fputs(count ? ", " : "", yaml);
    if (!count)
        fprintf(yaml, ", %s: [", name);
    case_yaml_pair(yaml, pair, len);
}

/* drop: keys of libiscsi that the recorded text does not have. */
static size_t write_drop(FILE *yaml, const struct text_buf *made, const struct transcript_pdu *r)
{
    struct text_cursor cursor;
    struct text_pair pair, other;
    size_t count = 0;

    text_cursor_init(&cursor, made->data, made->len);
    while (text_next(&cursor, &pair) == TEXT_PAIR)
        if (!find_key(r->data, r->data_len, &pair, &other))
            write_item(yaml, "drop", count++, pair.key, pair.key_len);
    fputs(count ? "]" : "", yaml);
    return count;
}

/* set: keys with another value; add: keys more. */
static size_t write_set(const struct shadow *s, const struct text_buf *made, const struct transcript_pdu *r, bool add)
{
    struct text_cursor cursor;
    struct text_pair pair, other;
    size_t count = 0;

    text_cursor_init(&cursor, r->data, r->data_len);
    while (text_next(&cursor, &pair) == TEXT_PAIR) {
        bool known = find_key(made->data, made->len, &pair, &other);
        char response[64], item[128];

        if (known == add || (known && same_pair(s, &pair, &other)))
            continue;
        if (text_pair_is(&pair, "CHAP_R")) {
            case_live_response(&pair, true, response, sizeof(response));
            snprintf(item, sizeof(item), "CHAP_R=%s", response);
            write_item(s->yaml, add ? "add" : "set", count++, item, strlen(item));
        } else {
            write_item(s->yaml, add ? "add" : "set", count++, pair.key, pair.len - 1);
        }
    }
    fputs(count ? "]" : "", s->yaml);
    return count;
}

/* The edits that make the recorded text key by key. SIZE_MAX when there is no such way, or a long one. */
static size_t write_key_edits(struct shadow *s, const struct text_buf *made, const struct transcript_pdu *r)
{
    size_t changes;

    if (!case_yaml_is_keys(r->data, r->data_len) || !case_yaml_writable(r->data, r->data_len) ||
        !same_order(r->data, r->data_len, made->data, made->len) || !added_at_end(made, r))
        return SIZE_MAX;
    changes = write_set(s, made, r, false) + write_set(s, made, r, true);
    changes += write_drop(s->yaml, made, r);
    return changes <= SHADOW_KEYS_MAX ? changes : SIZE_MAX;
}

/* The whole text, as one edit. SIZE_MAX when it cannot be written. */
static size_t write_whole_text(struct shadow *s, const struct transcript_pdu *r)
{
    struct text_buf text;
    bool good;

    text_buf_init_growing(&text, SHADOW_TEXT_MAX, NULL, NULL);
    good = case_live_text(r->data, r->data_len, &s->source->facts, s->secret, &text) &&
           case_yaml_writable(text.data, text.len);
    if (good) {
        fputs(", text: ", s->yaml);
        case_yaml_text(s->yaml, text.data, text.len);
    }
    text_buf_free(&text);
    return good ? 1 : SIZE_MAX;
}

/* Does the recorded PDU keep to the numbers of its login? What does not cannot be told by edits of a shadow. */
static bool is_regular(const struct shadow *s, const struct transcript_pdu *r)
{
    const uint8_t *first = NULL;

    for (size_t i = 0; i < s->source->count && !first; i++)
        if (s->source->pdus[i].side == TRANSCRIPT_INITIATOR)
            first = s->source->pdus[i].bhs;
    return r->whole && !r->gap && r->bhs && pdu_opcode(r->bhs) == PDU_LOGIN_REQUEST && pdu_ahs_len(r->bhs) == 0 &&
           !(r->bhs[1] & PDU_FLAG_CONTINUE) && memcmp(r->bhs + 8, first + 8, 12) == 0 &&
           memcmp(r->bhs + 24, first + 24, 4) == 0 && pdu_itt(r->bhs) != PDU_NO_TAG &&
           (s->number == 1 || bytes_get_be32(r->bhs + 28) == s->next_sn);
}

/* ---- the exchange ---- */

/* Calls one way of writing the edits of a text; what it wrote is malloc'ed, NULL when it knows none. */
static char *try_text(struct shadow *s, const struct edit_pdu *p, const struct transcript_pdu *r, bool whole,
                      size_t *changes)
{
    char *piece = NULL;
    size_t size = 0;

    s->yaml = open_memstream(&piece, &size);
    if (!s->yaml)
        return NULL;
    if (p->text.len == 0 && r->data_len == 0)
        *changes = 0;
    else
        *changes = whole ? write_whole_text(s, r) : write_key_edits(s, &p->text, r);
    if (fclose(s->yaml) != 0 || *changes == SIZE_MAX) {
        free(piece);
        piece = NULL;
    }
    return piece;
}

/* Writes the edits that make the recorded PDU of libiscsi's. */
static enum shadow_turn compare(struct shadow *s, const struct edit_pdu *p, const struct transcript_pdu *r)
{
    size_t of_text = 0, of_header, size = 0;
    char *text = try_text(s, p, r, false, &of_text), *header = NULL;

    if (!text)
        text = try_text(s, p, r, true, &of_text);
    if (!text)
        return SHADOW_OTHER;
    s->yaml = open_memstream(&header, &size);
    if (!s->yaml) {
        free(text);
        return SHADOW_NO_MEMORY;
    }
    of_header = write_header(s->yaml, p->bhs, r->bhs);
    fclose(s->yaml);
    if (of_header + of_text > 0)
        fprintf(s->all, "%s{ pdu: %u%s%s }", s->out->edit_count ? ", " : "", s->number, header ? header : "", text);
    s->out->edit_count += of_header + of_text;
    free(header);
    free(text);
    return SHADOW_ON;
}

/* Compares the next PDU of libiscsi with the recorded one. */
static enum shadow_turn request(struct shadow *s)
{
    const struct edit_log log = {ignore_note, NULL};
    const struct transcript_pdu *r = &s->source->pdus[s->at];
    const uint8_t *made;
    size_t len = tap_take(s->tap, &made);
    enum shadow_turn turn = SHADOW_NO_MEMORY;
    struct edit_pdu p;

    s->number++;
    if (len == 0 || r->side != TRANSCRIPT_INITIATOR || !is_regular(s, r) || s->source->facts.tsih)
        return SHADOW_OTHER;
    if (!edit_load(&p, made, len))
        return SHADOW_NO_MEMORY;
    memcpy(s->made, made + 16, 4);
    memcpy(s->made + 4, made + 24, 4);
    if (s->out->via == CASE_BASE_SECURITY)
        text_buf_replace(&p.text, "AuthMethod", "None");
    if (repair_apply(&s->repair, &p, &s->live, s->number == 1, false, &log))
        turn = compare(s, &p, r);
    repair_sent(&s->repair, r->data, r->data_len);
    edit_free(&p);
    s->at++;
    return turn;
}

/* Shows libiscsi the recorded answer, under its own numbers. */
static enum shadow_turn answer(struct shadow *s)
{
    const struct transcript_pdu *r = s->at < s->source->count ? &s->source->pdus[s->at] : NULL;
    struct edit_pdu p;
    enum shadow_turn turn = SHADOW_ON;

    if (!r || r->side != TRANSCRIPT_TARGET || !r->bhs || !r->whole || pdu_opcode(r->bhs) != PDU_LOGIN_RESPONSE ||
        pdu_login_status(r->bhs) || (r->bhs[1] & (PDU_FLAG_TRANSIT | 3u)) == (PDU_FLAG_TRANSIT | 3u))
        return SHADOW_DONE; /* whatever it was, it decided */
    if (r->bhs[1] & PDU_FLAG_CONTINUE)
        return SHADOW_OTHER;
    s->next_sn = bytes_get_be32(r->bhs + 24) + 1;
    s->at++;
    if (s->at >= s->source->count || s->source->pdus[s->at].side != TRANSCRIPT_INITIATOR) {
        s->out->stops = true; /* the initiator went no further */
        return SHADOW_DONE;
    }
    memset(&p, 0, sizeof(p));
    memcpy(p.bhs, r->bhs, PDU_BHS_LEN);
    memcpy(p.bhs + 16, s->made, 4);
    memcpy(p.bhs + 28, s->made + 4, 4);
    memcpy(p.bhs + 32, s->made + 4, 4);
    repair_learn(&s->repair, &s->live, r->data, r->data_len);
    repair_show(&s->repair, r->data, r->data_len, &p.text);
    if (!edit_render(&p))
        turn = SHADOW_NO_MEMORY;
    else
        tap_give(s->tap, p.wire, p.wire_len);
    edit_free(&p);
    return turn;
}

static enum shadow_turn run(struct shadow *s)
{
    enum shadow_turn turn = SHADOW_ON;

    while (turn == SHADOW_ON && s->at < s->source->count) {
        turn = request(s);
        if (turn == SHADOW_ON)
            turn = answer(s);
    }
    return turn == SHADOW_ON ? SHADOW_DONE : turn;
}

static bool open_tap(struct shadow *s, int *listener, int *real)
{
    const struct login_facts *f = &s->source->facts;
    bool chap = s->out->via == CASE_BASE_CHAP || s->out->via == CASE_BASE_MUTUAL_CHAP || f->security;
    const struct tap_config config = {
        .initiator = *f->initiator ? f->initiator : SHADOW_NAME,
        .target = f->discovery ? NULL
                  : *f->target ? f->target
                               : SHADOW_NAME,
        .discovery = f->discovery,
        .user = chap ? (*f->user ? f->user : "nobody") : NULL,
        .secret = chap ? (s->secret ? s->secret : SHADOW_SECRET) : NULL,
        .mutual_user = s->out->via == CASE_BASE_MUTUAL_CHAP ? "nobody" : NULL,
        .mutual_secret = s->out->via == CASE_BASE_MUTUAL_CHAP ? SHADOW_SECRET : NULL,
        .isid_random = 1,
    };
    char portal[32], err[200];

    *listener = listen_somewhere(portal, sizeof(portal));
    s->tap = *listener >= 0 ? tap_open(&config, portal, real, err, sizeof(err)) : NULL;
    repair_init(&s->repair, config.secret, config.mutual_secret);
    return s->tap != NULL;
}

int case_shadow_make(const struct replay_source *source, const char *secret, struct case_shadow *out)
{
    struct shadow s = {.source = source, .secret = secret, .out = out};
    enum shadow_turn turn = SHADOW_OTHER;
    int listener = -1, real = -1;
    size_t size = 0;

    memset(out, 0, sizeof(*out));
    choose_base(source, out);
    s.all = open_memstream(&out->edits, &size);
    if (!s.all)
        return -1;
    if (open_tap(&s, &listener, &real))
        turn = run(&s);
    repair_free(&s.repair);
    tap_close(s.tap);
    if (real >= 0)
        close(real);
    if (listener >= 0)
        close(listener);
    if (fclose(s.all) != 0 || turn == SHADOW_NO_MEMORY)
        return -1;
    return turn == SHADOW_DONE;
}
