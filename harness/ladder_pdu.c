#include "harness/ladder_pdu.h"

#include "wire/pdu.h"
#include "wire/status.h"
#include "wire/text.h"

#include <string.h>

#define HEX_MAX    256u /* bytes shown of a run in hex */
#define VALUE_MAX  512u /* bytes shown of a value */
#define PAIR_MAX   400u /* pairs shown of a text */
#define SECRET_MIN 8u   /* shorter ones would mask ordinary words */
#define INDENT     "              "

size_t ladder_secret_at(const struct ladder_out *out, const char *p, size_t len)
{
    for (size_t i = 0; i < 2; i++) {
        size_t secret_len = out->secrets[i] ? strlen(out->secrets[i]) : 0;

        if (secret_len >= SECRET_MIN && secret_len <= len && memcmp(p, out->secrets[i], secret_len) == 0)
            return secret_len;
    }
    return 0;
}

void ladder_escape(struct ladder_out *out, const void *bytes, size_t len)
{
    const char *p = bytes;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)p[i];
        size_t secret = ladder_secret_at(out, p + i, len - i);

        if (secret > 0) {
            fputs("(secret)", out->file);
            i += secret - 1;
        } else if (c == '\\') {
            fputs("\\\\", out->file);
        } else if (c >= 0x20 && c < 0x7f) {
            fputc(c, out->file);
        } else {
            fprintf(out->file, "\\x%02x", c);
        }
    }
}

void ladder_hex(struct ladder_out *out, const uint8_t *bytes, size_t len)
{
    size_t shown = len < HEX_MAX ? len : HEX_MAX;

    for (size_t line = 0; line < shown; line += 16) {
        fprintf(out->file, INDENT "  %04zx ", line);
        for (size_t i = line; i < line + 16 && i < shown; i++)
            fprintf(out->file, " %02x", bytes[i]);
        fputc('\n', out->file);
    }
    if (shown < len)
        fprintf(out->file, INDENT "  ... %zu bytes in all\n", len);
}

/* Fields that are told even when they are 0. */
static bool always_told(const char *name)
{
    static const char *const names[] = {"T",     "C",         "CSG",    "NSG",      "F",
                                        "TSIH",  "ITT",       "StatSN", "ExpCmdSN", "MaxCmdSN",
                                        "CmdSN", "ExpStatSN", "Status", "Response", "Reason"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void print_field(struct ladder_out *out, uint8_t opcode, const struct pdu_field *field, uint64_t value)
{
    const char *name = field->name;
    unsigned code = (unsigned)value;
    bool login = opcode == PDU_LOGIN_REQUEST || opcode == PDU_LOGIN_RESPONSE;

    fprintf(out->file, " %s=", name);
    if (login && (strcmp(name, "CSG") == 0 || strcmp(name, "NSG") == 0))
        fprintf(out->file, "%u(%s)", code, pdu_stage_name(code));
    else if (opcode == PDU_LOGIN_RESPONSE && strcmp(name, "Status") == 0)
        fprintf(out->file, "0x%04x(%s)", code, status_name_or_class(code));
    else if (opcode == PDU_REJECT && strcmp(name, "Reason") == 0)
        fprintf(out->file, "0x%02x(%s)", code, pdu_reject_reason_name((uint8_t)code));
    else if (opcode == PDU_LOGOUT_REQUEST && strcmp(name, "Reason") == 0)
        fprintf(out->file, "%u(%s)", code, pdu_logout_reason_name((uint8_t)code));
    else if (opcode == PDU_ASYNC_MESSAGE && strcmp(name, "AsyncEvent") == 0)
        fprintf(out->file, "%u(%s)", code, pdu_async_event_name((uint8_t)code));
    else if (strstr(name, "Length") || field->bits == 1 || strcmp(name, "CID") == 0)
        fprintf(out->file, "%llu", (unsigned long long)value);
    else
        fprintf(out->file, "0x%0*llx", (field->bits + 3) / 4, (unsigned long long)value);
}

static void print_fields(struct ladder_out *out, const uint8_t *bhs)
{
    size_t count;
    uint8_t opcode = pdu_opcode(bhs);
    const struct pdu_field *fields = pdu_fields(opcode, &count);
    unsigned on_line = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t value = pdu_field_get(&fields[i], bhs);

        if ((fields[i].flags & PDU_FIELD_PART) != 0 || strcmp(fields[i].name, "Opcode") == 0 ||
            (value == 0 && !always_told(fields[i].name)))
            continue;
        if (on_line == 0)
            fputs(INDENT, out->file);
        print_field(out, opcode, &fields[i], value);
        if (++on_line == 6) {
            fputc('\n', out->file);
            on_line = 0;
        }
    }
    if (on_line > 0)
        fputc('\n', out->file);
}

static bool holds_text(uint8_t opcode)
{
    return opcode == PDU_LOGIN_REQUEST || opcode == PDU_LOGIN_RESPONSE || opcode == PDU_TEXT_REQUEST ||
           opcode == PDU_TEXT_RESPONSE;
}

static void print_cut(struct ladder_out *out, const char *bytes, size_t len)
{
    ladder_escape(out, bytes, len < VALUE_MAX ? len : VALUE_MAX);
    if (len > VALUE_MAX)
        fprintf(out->file, "... (%zu bytes)", len);
}

/* One line a pair; malformed strings with what is wrong and their bytes. In a C=1 chain the last may be a part. */
static void print_text(struct ladder_out *out, const struct transcript_pdu *pdu)
{
    bool more = (pdu->bhs[1] & PDU_FLAG_CONTINUE) != 0;
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;
    size_t shown = 0;

    text_cursor_init(&cursor, pdu->data, pdu->data_len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        const char *string = (const char *)pdu->data + pair.offset;
        bool part = more && result == TEXT_NO_NULL;

        if (shown++ >= PAIR_MAX) {
            fputs(INDENT "  ... and more text\n", out->file);
            return;
        }
        fputs(INDENT "  ", out->file);
        print_cut(out, string, pair.len - (result == TEXT_NO_NULL ? 0 : 1));
        if (result != TEXT_PAIR)
            fprintf(out->file, "%s%s", part ? "   (goes on in the next PDU)" : "   <- ",
                    part ? "" : text_result_name(result));
        fputc('\n', out->file);
        if (result != TEXT_PAIR && !part)
            ladder_hex(out, pdu->data + pair.offset, pair.len);
    }
}

static void print_data(struct ladder_out *out, const struct transcript_pdu *pdu)
{
    if (!pdu->data || pdu->data_len == 0)
        return;
    if (holds_text(pdu_opcode(pdu->bhs))) {
        print_text(out, pdu);
        return;
    }
    fprintf(out->file, INDENT "  data, %zu bytes: ", pdu->data_len);
    print_cut(out, (const char *)pdu->data, pdu->data_len);
    fputc('\n', out->file);
}

void ladder_pdu(struct ladder_out *out, const struct transcript_pdu *pdu, const uint8_t *wire, unsigned segments)
{
    fprintf(out->file, "PDU %u  ", (unsigned)pdu->number);
    if (pdu->bhs)
        fprintf(out->file, "%s (0x%02x), ", pdu_opcode_name(pdu->bhs[0]), pdu_opcode(pdu->bhs));
    fprintf(out->file, "%zu bytes", pdu->len);
    if (segments > 1)
        fprintf(out->file, " in %u segments", segments);
    if (!pdu->whole)
        fputs(", incomplete", out->file);
    if (pdu->gap)
        fputs(", with bytes missing", out->file);
    fputc('\n', out->file);
    if (pdu->bhs) {
        print_fields(out, pdu->bhs);
        print_data(out, pdu);
    }
    if (!pdu->whole || !pdu->bhs || !pdu_opcode_known(pdu->bhs[0]))
        ladder_hex(out, wire, pdu->len);
}
