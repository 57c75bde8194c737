/* Pieces of case files: see case_yaml.h. */
#include "harness/case_yaml.h"

#include <string.h>

bool case_yaml_writable(const void *text, size_t len)
{
    static const char *const ours[] = {"{initiator}", "{target}", "{absent_target}", "{user}", "{chap_r:"};
    const char *p = text;

    for (size_t i = 0; i + 1 < len; i++) {
        bool known = false;

        if (p[i] != '{' || p[i + 1] < 'a' || p[i + 1] > 'z')
            continue;
        for (size_t k = 0; k < sizeof(ours) / sizeof(ours[0]); k++)
            known |= len - i >= strlen(ours[k]) && memcmp(p + i, ours[k], strlen(ours[k])) == 0;
        if (!known)
            return false;
    }
    return true;
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return true;
}

bool case_yaml_is_keys(const void *text, size_t len)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result form;

    text_cursor_init(&cursor, text, len);
    while ((form = text_next(&cursor, &pair)) != TEXT_END)
        if (form != TEXT_PAIR || !is_plain(pair.key, pair.key_len) || !is_plain(pair.value, pair.value_len))
            return false;
    return len > 0;
}

void case_yaml_pair(FILE *out, const void *pair, size_t len)
{
    const char *p = pair;

    fputc('"', out);
    for (size_t i = 0; i < len; i++)
        fprintf(out, p[i] == '"' || p[i] == '\\' ? "\\%c" : "%c", p[i]);
    fputc('"', out);
}

void case_yaml_keys(FILE *out, const void *text, size_t len)
{
    struct text_cursor cursor;
    struct text_pair pair;
    const char *comma = "[";

    text_cursor_init(&cursor, text, len);
    while (text_next(&cursor, &pair) == TEXT_PAIR) {
        fputs(comma, out);
        case_yaml_pair(out, pair.key, pair.len - 1);
        comma = ", ";
    }
    fputs("]", out);
}

void case_yaml_text(FILE *out, const void *text, size_t len)
{
    const unsigned char *p = text;

    fputc('\'', out);
    for (size_t i = 0; i < len; i++) {
        if (p[i] == 0)
            fputs("\\0", out);
        else if (p[i] == '\'')
            fputs("''", out);
        else if (p[i] == '\\')
            fputs("\\\\", out);
        else if (p[i] < 0x20 || p[i] > 0x7e)
            fprintf(out, "\\x%02x", p[i]);
        else
            fputc(p[i], out);
    }
    fputc('\'', out);
}
