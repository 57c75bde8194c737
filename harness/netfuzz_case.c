/* Inputs as cases: see netfuzz_case.h. */
#include "harness/netfuzz_case.h"

#include "wire/pdu.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

static const char *const conn_names[NETFUZZ_CONNS] = {"A", "B", "C", "D"};

/* In double quotes, so that nothing in it means anything to YAML. */
static void put_quoted(FILE *out, const char *text, size_t len)
{
    fputc('"', out);
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20)
            fprintf(out, "\\x%02x", byte);
        else
            fputc(byte, out);
    }
    fputc('"', out);
}

/* A pair that a case can hold as a string: printable, and nothing that would be taken for a live value. */
static bool plain_pair(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] > 0x7e || text[i] == '{')
            return false;
    return len > 0;
}

/* Where a token of the input stands in the language of cases. NULL: it is none. */
static const char *live_word(const uint8_t *value, size_t len)
{
    static const char *const words[][2] = {
        {"{chap_r}", "{chap_r:5}"},
        {"{chap_r:base64}", "{chap_r:5::base64}"},
        {"{chap_r:upper}", "{chap_r:5::upper}"},
        {"{chap_i}", "{chap_i}"},
        {"{chap_c}", "{chap_c}"},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i][0]) == len && memcmp(words[i][0], value, len) == 0)
            return words[i][1];
    return NULL;
}

/* A pair with a token as its value; prints it when asked to. */
static bool live_pair(FILE *out, const uint8_t *pair, size_t len)
{
    const uint8_t *sign = memchr(pair, '=', len);
    const char *word = sign ? live_word(sign + 1, len - (size_t)(sign + 1 - pair)) : NULL;

    if (!word || !plain_pair(pair, (size_t)(sign + 1 - pair)))
        return false;
    if (out)
        fprintf(out, "\"%.*s%s\"", (int)(sign + 1 - pair), (const char *)pair, word);
    return true;
}

/* Goes through the strings of the text, each with its null byte. False: it cannot be written as keys. */
static bool walk_keys(FILE *out, const struct netfuzz_record *r, size_t len)
{
    const uint8_t *p = r->bytes + PDU_BHS_LEN, *end = p + len;
    bool live = (r->live & SESSION_INPUT_LIVE_TEXT) != 0;

    while (p < end) {
        const uint8_t *zero = memchr(p, 0, (size_t)(end - p));
        size_t size = zero ? (size_t)(zero - p) : 0;

        if (!zero || !(plain_pair(p, size) || (live && live_pair(NULL, p, size))))
            return false;
        if (out && plain_pair(p, size))
            put_quoted(out, (const char *)p, size);
        else if (out)
            live_pair(out, p, size);
        p = zero + 1;
        if (out && p < end)
            fputs(", ", out);
    }
    return true;
}

/* A whole PDU that says of itself what it is: fields by name, text by keys. */
static bool can_be_named(const struct netfuzz_record *r)
{
    size_t len, fields;

    if (r->len < PDU_BHS_LEN || pdu_ahs_len(r->bytes) > 0 || pdu_opcode_from_target(pdu_opcode(r->bytes)) ||
        !pdu_opcode_known(pdu_opcode(r->bytes)) || !pdu_fields(pdu_opcode(r->bytes), &fields))
        return false;
    len = pdu_data_len(r->bytes);
    if (PDU_BHS_LEN + pdu_padded_len(len) != r->len)
        return false;
    for (size_t i = PDU_BHS_LEN + len; i < r->len; i++)
        if (r->bytes[i] != 0)
            return false;
    return walk_keys(NULL, r, len);
}

static bool is_live_field(const struct netfuzz_record *r, const char *name, const char **word)
{
    bool login = pdu_opcode(r->bytes) == PDU_LOGIN_REQUEST;

    *word = NULL;
    if (strcmp(name, "ISID") == 0 && login && (r->live & SESSION_INPUT_LIVE_ISID))
        *word = "{isid}";
    else if (strcmp(name, "TSIH") == 0 && login && (r->live & SESSION_INPUT_LIVE_TSIH))
        *word = r->conn == 0 ? "{tsih}" : "{tsih:A}";
    else if (strcmp(name, "ExpStatSN") == 0 && (r->live & SESSION_INPUT_LIVE_SN))
        *word = "{expstatsn}";
    return *word != NULL;
}

/* Said already by other fields, or nothing worth saying. */
static bool is_idle_field(const struct netfuzz_record *r, const struct pdu_field *field)
{
    static const char *const lengths[] = {"DataSegmentLength", "Opcode", "TotalAHSLength"};
    bool login = pdu_opcode(r->bytes) == PDU_LOGIN_REQUEST;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        if (strcmp(field->name, lengths[i]) == 0)
            return true;
    if (login && (strcmp(field->name, "Flags") == 0 || (strncmp(field->name, "ISID", 4) == 0 && field->name[4])))
        return true;
    return strncmp(field->name, "Reserved", 8) == 0 && pdu_field_get(field, r->bytes) == 0;
}

static void put_header(FILE *out, const struct netfuzz_record *r)
{
    size_t count, written = 0;
    const struct pdu_field *fields = pdu_fields(pdu_opcode(r->bytes), &count);

    fputs("header: {", out);
    for (size_t i = 0; i < count; i++) {
        const char *word;

        if (is_idle_field(r, &fields[i]))
            continue;
        fputs(written++ ? ", " : "", out);
        if (is_live_field(r, fields[i].name, &word))
            fprintf(out, "%s: \"%s\"", fields[i].name, word);
        else
            fprintf(out, pdu_field_max(&fields[i]) > 9 ? "%s: 0x%llx" : "%s: %llx", fields[i].name,
                    (unsigned long long)pdu_field_get(&fields[i], r->bytes));
    }
    fputs("}", out);
}

/* The opcodes of initiators have names in cases. */
static const char *pdu_word(uint8_t opcode)
{
    switch (opcode) {
    case PDU_NOP_OUT:
        return "nop-out";
    case PDU_SCSI_COMMAND:
        return "scsi-command";
    case PDU_TASK_MANAGEMENT_REQUEST:
        return "task-management";
    case PDU_LOGIN_REQUEST:
        return "login";
    case PDU_TEXT_REQUEST:
        return "text";
    case PDU_DATA_OUT:
        return "data-out";
    case PDU_LOGOUT_REQUEST:
        return "logout";
    case PDU_SNACK_REQUEST:
        return "snack";
    default:
        return NULL;
    }
}

static void put_data(FILE *out, const struct netfuzz_record *r, bool answer)
{
    const char *word = can_be_named(r) ? pdu_word(pdu_opcode(r->bytes)) : NULL;

    fprintf(out, "    - send: {on: %s, ", conn_names[r->conn]);
    if (word) {
        fprintf(out, "pdu: %s, ", word);
        put_header(out, r);
        if (pdu_data_len(r->bytes) > 0) {
            fputs(", keys: [", out);
            walk_keys(out, r, pdu_data_len(r->bytes));
            fputs("]", out);
        }
    } else {
        fputs("hex: \"", out);
        for (size_t i = 0; i < r->len; i++)
            fprintf(out, "%02x", r->bytes[i]);
        fputs("\"", out);
    }
    fprintf(out, "%s}\n", answer ? "" : ", answer: no");
}

/* Is an answer due behind record i? Not in the middle of a PDU, and not to what has none. */
static bool is_answered(const struct netfuzz_input *in, size_t i)
{
    const struct netfuzz_record *r = &in->records[i];

    return r->len >= PDU_BHS_LEN && pdu_opcode(r->bytes) == PDU_LOGIN_REQUEST &&
           pdu_total_len(r->bytes, false, false) == r->len;
}

static void put_records(FILE *out, const struct netfuzz_input *in)
{
    bool opened[NETFUZZ_CONNS] = {false};
    const char *first = NULL; /* whose ISID all have */

    for (size_t i = 0; i < in->count; i++) {
        const struct netfuzz_record *r = &in->records[i];

        if (!opened[r->conn] && r->kind == NETFUZZ_DATA) {
            fprintf(out, "    - login: {as: %s, base: raw%s%s}\n", conn_names[r->conn], first ? ", isid-of: " : "",
                    first ? first : "");
            first = first ? first : conn_names[r->conn];
            opened[r->conn] = true;
        }
        if (r->kind == NETFUZZ_DATA)
            put_data(out, r, is_answered(in, i));
        else if (r->kind == NETFUZZ_TIME)
            fputs("    - wait: {ms: 20}\n", out);
        else if (opened[r->conn])
            fprintf(out, "    - %s: {on: %s}\n", r->kind == NETFUZZ_EOF ? "half-close" : "reset", conn_names[r->conn]);
    }
}

/* Puts a name in the place of its token; DataSegmentLength follows when it was right. */
static void settle_token(struct netfuzz_input *in, size_t at, const char *token, const char *value)
{
    const struct netfuzz_record *r = &in->records[at];
    size_t token_len = strlen(token), value_len = value ? strlen(value) : 0, from, len, text;
    const uint8_t *found =
        r->len > PDU_BHS_LEN ? memmem(r->bytes + PDU_BHS_LEN, r->len - PDU_BHS_LEN, token, token_len) : NULL;
    bool right = r->len > PDU_BHS_LEN && PDU_BHS_LEN + pdu_padded_len(pdu_data_len(r->bytes)) == r->len;
    uint8_t *bytes;

    if (!found || !value || !(bytes = calloc(1, r->len + value_len + 4)))
        return;
    from = (size_t)(found - r->bytes);
    text = right ? PDU_BHS_LEN + pdu_data_len(r->bytes) : r->len;
    memcpy(bytes, r->bytes, from);
    memcpy(bytes + from, value, value_len);
    memcpy(bytes + from + value_len, r->bytes + from + token_len, text - from - token_len);
    len = text - token_len + value_len;
    if (right) {
        pdu_set_data_len(bytes, len - PDU_BHS_LEN);
        len = PDU_BHS_LEN + pdu_padded_len(len - PDU_BHS_LEN);
    }
    netfuzz_input_replace(in, at, bytes, len);
    free(bytes);
}

/* Names are no live values for a case: it is written for this target. */
static void settle_names(struct netfuzz_input *in, const struct session_live_names *names)
{
    for (size_t i = 0; i < in->count; i++) {
        if (!(in->records[i].live & SESSION_INPUT_LIVE_TEXT))
            continue;
        settle_token(in, i, "{target}", names->target);
        settle_token(in, i, "{chap_target}", names->chap_target);
        settle_token(in, i, "{initiator}", names->initiator);
        settle_token(in, i, "{user}", names->user);
    }
}

/* It answers a challenge rightly: the secret is that of the condition. */
static bool needs_chap(const struct netfuzz_input *in)
{
    for (size_t i = 0; i < in->count; i++)
        if ((in->records[i].live & SESSION_INPUT_LIVE_TEXT) && in->records[i].len > 0 &&
            memmem(in->records[i].bytes, in->records[i].len, "{chap_r", strlen("{chap_r")))
            return true;
    return false;
}

bool netfuzz_case_write(FILE *out, const struct netfuzz_input *in, const struct netfuzz_case_about *about)
{
    const char *line = about->comment;
    struct netfuzz_input settled;
    bool chap = needs_chap(in) && about->names && about->names->secret;

    if (!netfuzz_input_copy(&settled, in))
        return false;
    if (about->names)
        settle_names(&settled, about->names);
    while (line && *line) {
        size_t len = strcspn(line, "\n");

        fprintf(out, "# %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    fprintf(out, "- id: %s\n  title: ", about->id);
    put_quoted(out, about->title, strlen(about->title));
    fprintf(out, "\n  needs: [%s]\n  safe: no\n  steps:\n", chap ? "chap" : "open");
    put_records(out, &settled);
    netfuzz_input_free(&settled);
    fputs("    - login: {as: Z, base: plain", out);
    if (chap && about->names->target)
        fprintf(out, ", target: \"%s\"", about->names->target);
    fputs("}\n    - expect: {on: Z, ffp: true}\n", out);
    return ferror(out) == 0;
}
