/*
 * text.h - key=value text of login and text PDUs (RFC 7143 6.1).
 *
 * The data segment is a run of "key=value" strings, each ended by one null
 * byte. Input may hold anything: nothing here relies on termination or on valid
 * characters, nothing reads outside the given length. Pairs and list items
 * point into the caller's buffer and live as long as it does.
 *
 * Comparisons are byte by byte and case-sensitive, as the RFC wants.
 */
#ifndef ISCSISPEC_WIRE_TEXT_H
#define ISCSISPEC_WIRE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TEXT_KEY_MAX         63u   /* characters of a key name, 6.1 */
#define TEXT_VALUE_MAX       255u  /* simple-value unless its key says otherwise, 6.1 */
#define TEXT_NAME_MAX        223u  /* bytes of an iSCSI name, 4.2.7.1 */
#define TEXT_NEGOTIATION_MIN 8192u /* text everyone must be able to receive, 6.1 */
#define TEXT_DEFAULT_PORT    3260u /* TargetAddress without a port, 13.8 */

#if defined(__GNUC__)
#define TEXT_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define TEXT_PRINTF(at, first)
#endif

/* ---- reading pairs ---- */

enum text_result {
    TEXT_PAIR = 0, /* a well-formed pair */
    TEXT_END,      /* the segment is used up */
    /* malformed; the cursor has moved past the string and can go on */
    TEXT_EMPTY_STRING, /* a null byte where a key should start */
    TEXT_NO_EQUALS,    /* a string without '=' */
    TEXT_EMPTY_KEY,    /* '=' comes first */
    TEXT_KEY_TOO_LONG, /* more than TEXT_KEY_MAX bytes before '=' */
    TEXT_NO_NULL       /* the last string has no null byte: wrong, or C=1 */
};

/*
 * One string of the segment. key and value are not terminated. Filled for
 * malformed strings too as far as it goes: without '=' the whole string is the
 * key and the value is empty.
 */
struct text_pair {
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
    size_t offset; /* of the string in the segment */
    size_t len;    /* of the string with its null byte, if it has one */
};

struct text_cursor {
    const char *base;
    size_t len;
    size_t pos;
};

/* Starts at the beginning of a data segment (without padding). buf may be NULL
 * when len is 0. The cursor owns nothing. */
void text_cursor_init(struct text_cursor *cursor, const void *buf, size_t len);

/* Takes the next string. `pair` is always written: zero lengths on TEXT_END. */
enum text_result text_next(struct text_cursor *cursor, struct text_pair *pair);

/* A short English phrase for a result. Static string, never NULL. */
const char *text_result_name(enum text_result result);

bool text_pair_is(const struct text_pair *pair, const char *key);

/* True when value[0..len) is exactly the C string word. Inline: with a literal for word little is left of it. */
static inline bool text_equals(const void *value, size_t len, const char *word)
{
    /* value may be NULL when it is empty, which memcmp must not see; most of what is unequal begins so */
    return len == strlen(word) && (len == 0 || (*(const char *)value == *word && memcmp(value, word, len) == 0));
}

/*
 * First pair with this key. Malformed strings are skipped, except that the last
 * string counts without its null byte if it has an '='. False: *pair untouched.
 */
bool text_find(const void *buf, size_t len, const char *key, struct text_pair *pair);

/* How many pairs have this key (same rule for malformed ones); key NULL counts
 * all pairs. */
size_t text_count(const void *buf, size_t len, const char *key);

/* First malformed string of the segment: its kind, and the string in *pair (may
 * be NULL). TEXT_END when all are well-formed. */
enum text_result text_check(const void *buf, size_t len, struct text_pair *pair);

/*
 * True when the name is a standard-label (6.1: a capital letter, then letters,
 * digits and . - + @ _; at most 63) or one of the registered keys that break that
 * rule: iSCSIProtocolLevel, iSERHelloRequired, X#NodeArchitecture.
 */
bool text_key_valid(const char *key, size_t len);

/* ---- writing pairs ---- */

/* Allocator of a growing buffer: as realloc; size 0 frees and returns NULL. */
typedef void *text_realloc_fn(void *context, void *old, size_t size);

/*
 * A key=value text being built. `overflow` is sticky: once something did not
 * fit (limit or memory) every later call fails and the content stays what it
 * was, so a caller may check once at the end. Only ever whole pairs are added.
 * Read data and len directly; the rest is private.
 */
struct text_buf {
    char *data;
    size_t len;
    size_t cap;
    size_t limit;
    bool overflow;
    text_realloc_fn *grow; /* NULL: memory belongs to the caller */
    void *context;
};

/* Builds in `mem`, which the caller keeps. */
void text_buf_init_fixed(struct text_buf *buf, void *mem, size_t cap);

/* Builds in memory of its own, up to `limit` bytes; grow NULL means libc's
 * realloc. Release with text_buf_free. */
void text_buf_init_growing(struct text_buf *buf, size_t limit, text_realloc_fn *grow, void *context);

/* Releases what a growing buffer holds and makes the buffer empty. */
void text_buf_free(struct text_buf *buf);

/* Forgets content and overflow, keeps the memory. */
void text_buf_clear(struct text_buf *buf);

/* Appends key=value and the null byte. False on overflow. The value may be
 * any C string, valid or not; key and value must not lie in the buffer. */
bool text_buf_add(struct text_buf *buf, const char *key, const char *value);

/* The same with a counted value that may hold any bytes. */
bool text_buf_add_n(struct text_buf *buf, const char *key, const void *value, size_t len);

/* The same with a printf format for the value. Never terminates early at a
 * limit: it is added whole or not at all. */
bool text_buf_addf(struct text_buf *buf, const char *key, const char *format, ...) TEXT_PRINTF(3, 4);

/* Appends "key=number\0", the number in decimal. */
bool text_buf_add_number(struct text_buf *buf, const char *key, uint64_t number);

/* Appends bytes as they are (a data segment, a broken string). */
bool text_buf_add_raw(struct text_buf *buf, const void *bytes, size_t len);

/* Replaces old_len bytes at offset by new bytes. False, content untouched, when
 * the range lies outside or the result does not fit. */
bool text_buf_splice(struct text_buf *buf, size_t offset, size_t old_len, const void *bytes, size_t len);

/* Gives every pair of this key a new value, in place. Returns how many were
 * changed; 0 also on overflow. */
size_t text_buf_replace(struct text_buf *buf, const char *key, const char *value);

/* Removes every pair of this key. Returns how many. */
size_t text_buf_drop(struct text_buf *buf, const char *key);

/* Replaces the first pair of this key and drops the others, or adds one. */
bool text_buf_set(struct text_buf *buf, const char *key, const char *value);

/* ---- values, 6.1 ---- */

enum text_number_error {
    TEXT_NUMBER_OK = 0,
    TEXT_NUMBER_EMPTY,
    TEXT_NUMBER_LEADING_ZERO, /* "007": not octal, malformed */
    TEXT_NUMBER_BAD_DIGIT,    /* sign, blank, letter, ... */
    TEXT_NUMBER_NO_DIGITS,    /* "0x" alone */
    TEXT_NUMBER_TOO_LARGE,    /* 2**64 or more */
    TEXT_NUMBER_NO_TILDE,     /* range: not two numbers */
    TEXT_NUMBER_UPSIDE_DOWN   /* range: right end below the left */
};

/* numerical-value: decimal without leading zero, or 0x/0X and hex digits with
 * leading zeros allowed; below 2**64. *out is written on success only. */
enum text_number_error text_parse_number(const char *value, size_t len, uint64_t *out);

/* numerical-range "low~high". Outputs are written on success only. */
enum text_number_error text_parse_range(const char *value, size_t len, uint64_t *low, uint64_t *high);

const char *text_number_error_name(enum text_number_error error);

#define TEXT_NUMBER_MAX 21u /* bytes of a decimal number below 2**64 with its null byte */

/* Writes a number in decimal, terminated; out has TEXT_NUMBER_MAX bytes. Returns its length. */
size_t text_format_number(char *out, uint64_t number);

/* boolean-value: exactly "Yes" or "No". False when it is neither. */
bool text_parse_bool(const char *value, size_t len, bool *out);

/* Walks the comma-separated items of a value. An empty value has no items; an
 * empty item between commas is returned with length 0. Blanks belong to items. */
struct text_list {
    const char *next;
    const char *end;
    bool more;
};

void text_list_init(struct text_list *list, const char *value, size_t len);
bool text_list_next(struct text_list *list, const char **item, size_t *item_len);
size_t text_list_count(const char *value, size_t len);
bool text_list_has(const char *value, size_t len, const char *item, size_t item_len);

/* The same for lists of numbers, whatever their notation: 0x5 is 5. */
bool text_list_has_number(const char *value, size_t len, uint64_t number);

enum text_binary_error {
    TEXT_BINARY_OK = 0,
    TEXT_BINARY_NO_PREFIX,   /* neither 0x/0X nor 0b/0B */
    TEXT_BINARY_EMPTY,       /* prefix only */
    TEXT_BINARY_BAD_DIGIT,   /* outside the alphabet */
    TEXT_BINARY_BAD_LENGTH,  /* base64 not a multiple of four characters */
    TEXT_BINARY_BAD_PADDING, /* '=' elsewhere than at the end, or three of them */
    TEXT_BINARY_STRAY_BITS,  /* base64: unused bits are not zero (RFC 4648 3.5) */
    TEXT_BINARY_TOO_LONG     /* decoded form exceeds the capacity */
};

/* The value of a hex digit, of either case; -1: it is none. */
int text_hex_digit(char c);

/*
 * binary-value in hex or base64 (RFC 4648, strict). An odd number of hex digits
 * is legal: n digits stand for (n+1)/2 bytes, the first digit alone in the
 * first byte. On success *out_len bytes are in out. On TEXT_BINARY_TOO_LONG
 * *out_len is the length it would have; out may then be partly written. On
 * other errors *out_len is 0.
 */
enum text_binary_error text_decode_binary(const char *value, size_t len, uint8_t *out, size_t cap, size_t *out_len);

const char *text_binary_error_name(enum text_binary_error error);

/* Room for the encodings below, terminating null included. */
#define TEXT_HEX_SIZE(n)    (2u * (n) + 3u)
#define TEXT_BASE64_SIZE(n) (4u * (((n) + 2u) / 3u) + 3u)

/* "0x..." lower case / "0b..." with padding, null-terminated. Returns the
 * length without the null byte, 0 when cap is too small (out untouched). */
size_t text_encode_hex(const uint8_t *data, size_t len, char *out, size_t cap);
size_t text_encode_base64(const uint8_t *data, size_t len, char *out, size_t cap);

/* True when the bytes are well-formed UTF-8 (RFC 3629) without null bytes. */
bool text_utf8_valid(const char *value, size_t len);

/* ---- iSCSI names, 4.2.7 ---- */

enum text_name_error {
    TEXT_NAME_OK = 0,
    TEXT_NAME_EMPTY,
    TEXT_NAME_TOO_LONG,      /* over TEXT_NAME_MAX bytes */
    TEXT_NAME_BAD_TYPE,      /* none of iqn. eui. naa. */
    TEXT_NAME_BAD_CHAR,      /* not UTF-8, control, blank, or ASCII punctuation
                                other than - . : */
    TEXT_NAME_UPPER_CASE,    /* ASCII capitals: sent without stringprep folding */
    TEXT_NAME_BAD_DATE,      /* iqn: not yyyy-mm. */
    TEXT_NAME_BAD_AUTHORITY, /* iqn: no reversed domain name after the date */
    TEXT_NAME_BAD_HEX        /* eui: not 16 hex digits; naa: not 16 or 32 */
};

/*
 * Checks form and ASCII part of an iSCSI name. eui. and naa. allow either case
 * of hex digit. Characters above ASCII are checked to be UTF-8 only: the tables
 * of RFC 3722 are not applied.
 */
enum text_name_error text_check_iscsi_name(const char *name, size_t len);

const char *text_name_error_name(enum text_name_error error);

/* ---- TargetAddress, 13.8: host[:port][,tag] ---- */

enum text_address_error {
    TEXT_ADDRESS_OK = 0,
    TEXT_ADDRESS_EMPTY_HOST,
    TEXT_ADDRESS_BAD_HOST, /* character no DNS name or IPv4 address has */
    TEXT_ADDRESS_BAD_IPV6, /* bracket not closed, or no IPv6 text in it */
    TEXT_ADDRESS_BAD_PORT, /* not a number in 1..65535 */
    TEXT_ADDRESS_BAD_TAG   /* not a number in 0..65535 */
};

struct text_address {
    const char *host; /* into the value; IPv6 without its brackets */
    size_t host_len;
    bool ipv6;
    bool has_port;
    uint16_t port; /* TEXT_DEFAULT_PORT when absent */
    bool has_tag;
    uint16_t tag; /* portal group tag, 0 when absent */
};

/* Splits and checks. *out is written on success only. Whether a tag may or must
 * be there depends on where the key stands; that is for the caller. */
enum text_address_error text_parse_address(const char *value, size_t len, struct text_address *out);

const char *text_address_error_name(enum text_address_error error);

#endif
