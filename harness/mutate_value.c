/* Values by the type of their key: usual ones, limits, what is just beyond, and other forms. See mutate_parts.h. */
#include "harness/mutate_parts.h"

#include "wire/chap.h"

#include <stdio.h>

enum { PATTERN_MAX = 4096 };

static size_t put(uint8_t out[MUTATE_VALUE_MAX], const char *text)
{
    size_t len = strlen(text);

    memcpy(out, text, len);
    return len;
}

static size_t put_number(uint8_t out[MUTATE_VALUE_MAX], uint64_t number, bool hex)
{
    return (size_t)snprintf((char *)out, MUTATE_VALUE_MAX, hex ? "0x%llx" : "%llu", (unsigned long long)number);
}

/* A number around what the key allows. */
static uint64_t number_for(struct mutate_work *w, const struct keys_entry *key)
{
    static const uint64_t corners[] = {0,         1,        2,        255,       256,        511,
                                       512,       4096,     8192,     8193,      65535,      65536,
                                       262144,    16777215, 16777216, INT32_MAX, UINT32_MAX, UINT64_C(1) << 32,
                                       UINT64_MAX};
    const uint64_t limits[] = {key->min, key->min - 1, key->min + 1, key->max, key->max - 1, key->max + 1};

    switch (mutate_below(w, 5)) {
    case 4: /* right but for a bit that a 32-bit variable loses */
        return (key->min + mutate_random(w) % (key->max - key->min + 1)) | UINT64_C(1) << (32 + mutate_below(w, 32));
    case 0:
        return limits[mutate_below(w, sizeof(limits) / sizeof(limits[0]))];
    case 1:
        return corners[mutate_below(w, sizeof(corners) / sizeof(corners[0]))];
    case 2:
        return mutate_random(w) >> mutate_below(w, 64);
    default:
        return key->max > key->min ? key->min + mutate_random(w) % (key->max - key->min + 1) : key->min;
    }
}

static size_t number_value(struct mutate_work *w, const struct keys_entry *key, uint8_t out[MUTATE_VALUE_MAX])
{
    static const char *const broken[] = {"",
                                         "-1",
                                         "+1",
                                         "007",
                                         "0x",
                                         "0X1f",
                                         " 1",
                                         "1 ",
                                         "1,2",
                                         "1~2",
                                         "18446744073709551616",
                                         "0x10000000000000000",
                                         "99999999999999999999999999",
                                         "1e3",
                                         "Yes"};

    if (mutate_one_in(w, 5))
        return put(out, broken[mutate_below(w, sizeof(broken) / sizeof(broken[0]))]);
    return put_number(out, number_for(w, key), mutate_one_in(w, 6));
}

static size_t range_value(struct mutate_work *w, const struct keys_entry *key, uint8_t out[MUTATE_VALUE_MAX])
{
    size_t len = put_number(out, number_for(w, key), false);

    if (!mutate_one_in(w, 6))
        out[len++] = '~';
    return len + put_number(out + len, number_for(w, key), false);
}

static size_t bool_value(struct mutate_work *w, uint8_t out[MUTATE_VALUE_MAX])
{
    static const char *const values[] = {"Yes", "No",  "Yes", "No", "Yes",    "No",
                                         "yes", "YES", "1",   "",   "Yes,No", "Maybe"};

    return put(out, values[mutate_below(w, sizeof(values) / sizeof(values[0]))]);
}

/* One item of a comma-separated list of literals. */
static size_t put_item(struct mutate_work *w, const char *items, uint8_t *out)
{
    size_t count = text_list_count(items, strlen(items)), which = mutate_below(w, count), len = 0;
    struct text_list list;
    const char *item = items;

    text_list_init(&list, items, strlen(items));
    for (size_t i = 0; i <= which; i++)
        text_list_next(&list, &item, &len);
    memcpy(out, item, len);
    return len;
}

/* Zero to many items, of the known ones and others. */
static size_t list_value(struct mutate_work *w, const char *known, uint8_t out[MUTATE_VALUE_MAX])
{
    static const char others[] = "None,CHAP,CRC32C,KRB5,SRP,SPKM1,x,,None ,none,X-com.example.method,Reject";
    size_t count = mutate_one_in(w, 8) ? mutate_below(w, 60) : 1 + mutate_below(w, 3), len = 0;

    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            out[len++] = ',';
        len += put_item(w, known == NULL || mutate_one_in(w, 4) ? others : known, out + len);
    }
    return len;
}

static size_t algorithms_value(struct mutate_work *w, uint8_t out[MUTATE_VALUE_MAX])
{
    static const char *const values[] = {"5",
                                         "5",
                                         "7",
                                         "6,5",
                                         "8,7,6,5",
                                         "5,5",
                                         "0",
                                         "4",
                                         "0x5",
                                         "05",
                                         "255,5",
                                         "5,",
                                         ",5",
                                         "7,5",
                                         "8",
                                         "6",
                                         "MD5",
                                         "4294967301",
                                         "18446744073709551621",
                                         "5,6,7,8,9,10,11"};

    return put(out, values[mutate_below(w, sizeof(values) / sizeof(values[0]))]);
}

/* Many equal bytes, of a length around a limit. */
static size_t long_value(struct mutate_work *w, size_t limit, uint8_t out[MUTATE_VALUE_MAX])
{
    static const uint8_t fill[] = {'a', 'A', '0', ',', '=', '.', 0xc3, 0xff, '%', '{'};
    size_t len = limit + mutate_below(w, 5);

    len = len >= 2 ? len - 2 : 0;
    if (len > PATTERN_MAX)
        len = PATTERN_MAX;
    memset(out, fill[mutate_below(w, sizeof(fill))], len);
    return len;
}

static size_t name_value(struct mutate_work *w, const struct keys_entry *key, uint8_t out[MUTATE_VALUE_MAX])
{
    static const char *const values[] = {"iqn.2026-01.example.iscsispec:open",
                                         "iqn.2026-01.example.iscsispec:chap",
                                         "iqn.2026-01.example.iscsispec:mutual",
                                         "iqn.2026-01.example.iscsispec:fuzz",
                                         "iqn.2026-01.example.iscsispec:nosuch",
                                         "iqn.2026-01.example",
                                         "iqn.2026-13.example:x",
                                         "iqn.",
                                         "eui.02004567A425678D",
                                         "eui.0",
                                         "naa.52004567BA64678D",
                                         "naa.62004567BA64678D0123456789ABCDEF",
                                         "IQN.2026-01.EXAMPLE:OPEN",
                                         "",
                                         "x",
                                         "iqn.2026-01.example.iscsispec:\xc3\xa4",
                                         "iqn.2026-01.example:a b"};

    if (mutate_tokens(w) && mutate_one_in(w, 2)) {
        if (key->id == KEYS_INITIATOR_NAME)
            return put(out, "{initiator}");
        return put(out, mutate_one_in(w, 2) ? "{target}" : "{chap_target}");
    }
    if (mutate_one_in(w, 6))
        return long_value(w, TEXT_NAME_MAX, out);
    return put(out, values[mutate_below(w, sizeof(values) / sizeof(values[0]))]);
}

static size_t address_value(struct mutate_work *w, uint8_t out[MUTATE_VALUE_MAX])
{
    static const char *const values[] = {"127.0.0.1:3260,1",
                                         "127.0.0.1",
                                         "[::1]:3260,1",
                                         "[::1",
                                         "host.example:0",
                                         ":3260",
                                         "127.0.0.1:65536",
                                         "127.0.0.1:3260,65536",
                                         "a,b,c",
                                         "",
                                         "[fe80::1%25lo]:3260"};

    return put(out, values[mutate_below(w, sizeof(values) / sizeof(values[0]))]);
}

static size_t binary_value(struct mutate_work *w, size_t max_len, uint8_t out[MUTATE_VALUE_MAX])
{
    static const char *const broken[] = {
        "0x",  "0b",    "0X",      "",       "0",      "x",        "0xg",   "0x1", "0xabc",
        "0b=", "0bQQ=", "0bQQ===", "0bQR==", "0b====", "12345678", "0x 12", "0b*"};
    static const char hex[] = "0123456789abcdefABCDEF", base64[] = "ABCDwxyz0189+/";
    size_t len, digits;

    if (mutate_one_in(w, 4))
        return put(out, broken[mutate_below(w, sizeof(broken) / sizeof(broken[0]))]);
    bool hexed = !mutate_one_in(w, 3);

    digits = mutate_one_in(w, 4) ? 2 * max_len + mutate_below(w, 6) - 2 : 2 * (1 + mutate_below(w, 40));
    if (digits > PATTERN_MAX)
        digits = mutate_one_in(w, 2) ? PATTERN_MAX : 32;
    len = put(out, hexed ? (mutate_one_in(w, 4) ? "0X" : "0x") : "0b");
    if (!hexed)
        digits = (digits + 3) & ~(size_t)3;
    for (size_t i = 0; i < digits; i++)
        out[len++] =
            (uint8_t)(hexed ? hex[mutate_below(w, sizeof(hex) - 1)] : base64[mutate_below(w, sizeof(base64) - 1)]);
    return len;
}

static size_t text_value(struct mutate_work *w, const struct keys_entry *key, uint8_t out[MUTATE_VALUE_MAX])
{
    static const char *const values[] = {"alias",  "",          "a b",    "\xc3\xa4", "\xff\xfe", "a=b",
                                         "{user}", "initiator", "target", "%s%n",     "None",     "RFC3720,FastAbort"};

    if (mutate_one_in(w, 4))
        return long_value(w, key->max_len > 0 ? key->max_len : TEXT_VALUE_MAX, out);
    return put(out, values[mutate_below(w, sizeof(values) / sizeof(values[0]))]);
}

static size_t typed_value(struct mutate_work *w, const struct keys_entry *key, uint8_t out[MUTATE_VALUE_MAX])
{
    switch (key->type) {
    case KEYS_BOOL_AND:
    case KEYS_BOOL_OR:
    case KEYS_BOOL:
        return bool_value(w, out);
    case KEYS_NUMBER_MIN:
    case KEYS_NUMBER_MAX:
    case KEYS_NUMBER:
        return number_value(w, key, out);
    case KEYS_RANGE:
        return range_value(w, key, out);
    case KEYS_NUMBER_LIST:
        return algorithms_value(w, out);
    case KEYS_LIST:
    case KEYS_ENUM:
        return list_value(w, key->values, out);
    case KEYS_NAME:
        return name_value(w, key, out);
    case KEYS_ADDRESS:
        return address_value(w, out);
    case KEYS_BINARY:
        return binary_value(w, key->max_len, out);
    case KEYS_SEND:
        return mutate_one_in(w, 3) ? name_value(w, key, out) : put(out, mutate_one_in(w, 2) ? "All" : "");
    case KEYS_TEXT:
        break;
    }
    return text_value(w, key, out);
}

size_t mutate_value(struct mutate_work *w, const struct keys_entry *key, uint8_t out[MUTATE_VALUE_MAX])
{
    static const char *const words[] = {"NotUnderstood", "Irrelevant", "Reject", "", "None", "?"};
    bool live;

    if (mutate_one_in(w, 12))
        return put(out, words[mutate_below(w, sizeof(words) / sizeof(words[0]))]);
    if (mutate_one_in(w, 40))
        return long_value(w, mutate_one_in(w, 2) ? TEXT_VALUE_MAX : PATTERN_MAX, out);
    if (key->id == KEYS_CHAP_R && !mutate_one_in(w, 3))
        return mutate_response(w, out, &live);
    if ((key->id == KEYS_CHAP_C || key->id == KEYS_CHAP_I) && mutate_tokens(w) && mutate_one_in(w, 3))
        return put(out, key->id == KEYS_CHAP_C ? "{chap_c}" : "{chap_i}");
    if (key->type == KEYS_ENUM && key->values != NULL && !mutate_one_in(w, 4))
        return put_item(w, key->values, out);
    return typed_value(w, key, out);
}

/* ---- keys ---- */

const struct keys_entry *mutate_key(struct mutate_work *w)
{
    const struct keys_entry *key = NULL;

    /* Those from the target alone are worth a try, but not every third time. */
    for (unsigned i = 0; i < 8; i++) {
        key = keys_at(mutate_below(w, KEYS_COUNT));
        if (((key->senders & KEYS_FROM_INITIATOR) != 0 && key->stages != 0) || mutate_one_in(w, 6))
            break;
    }
    return key;
}

/* ---- CHAP_R ---- */

/* Right for the fixed challenge of the options. 0: there is none. */
static size_t fixed_response(struct mutate_work *w, uint8_t out[MUTATE_VALUE_MAX])
{
    const struct mutate_options *o = w->options;
    const struct chap_algorithm *algorithm = chap_algorithm_find(o->chap_algorithm != 0 ? o->chap_algorithm : CHAP_MD5);
    uint8_t hash[CHAP_MAX_HASH_LEN];
    size_t len = 0;

    if (o->secret == NULL || o->challenge == NULL || algorithm == NULL ||
        chap_response(algorithm, (uint8_t)o->chap_id, o->secret, strlen(o->secret), o->challenge, o->challenge_len,
                      hash, sizeof(hash), &len) != CHAP_OK)
        return 0;
    if (mutate_one_in(w, 6))
        return text_encode_base64(hash, len, (char *)out, MUTATE_VALUE_MAX);
    return text_encode_hex(hash, len, (char *)out, MUTATE_VALUE_MAX);
}

size_t mutate_response(struct mutate_work *w, uint8_t out[MUTATE_VALUE_MAX], bool *live)
{
    static const char *const tokens[] = {"{chap_r}",         "{chap_r}",       "{chap_r}",      "{chap_r:base64}",
                                         "{chap_r:upper}",   "0{chap_r}",      "{chap_r}0",     "{chap_r}00",
                                         "0x00{chap_r:raw}", "0x{chap_r:raw}", "{chap_c}",      "0b{chap_r:raw}",
                                         "{chap_r:raw}",     "{chap_r:half}",  "{chap_r:half}", "{chap_r}\0{chap_r}"};
    bool tokenised = mutate_tokens(w);
    size_t len =
        tokenised ? put(out, tokens[mutate_below(w, sizeof(tokens) / sizeof(tokens[0]))]) : fixed_response(w, out);

    *live = tokenised;
    return len > 0 ? len : binary_value(w, CHAP_MAX_HASH_LEN, out);
}
