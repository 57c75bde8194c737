/*
 * status.c - looking up status codes and classes. Nothing is kept.
 */
#include "wire/status.h"

#include <string.h>

#include "wire/status_table.h"

#define CLASS_COUNT (sizeof(classes) / sizeof(classes[0]))

static const struct status_class_entry classes[] = {
    {STATUS_CLASS_SUCCESS, "Success", "The target has accepted the request.",
     "Go on with the login as T, C, CSG and NSG say.", STATUS_FAULT_NONE, STATUS_RETRY_NOT_NEEDED},
    {STATUS_CLASS_REDIRECTION, "Redirection", "The target is to be reached at another address, given as TargetAddress.",
     "Close the connection, log in at the address given, and bound the number of hops. "
     "Without a TargetAddress there is nowhere to go: report the target.",
     STATUS_FAULT_NONE, STATUS_RETRY_ELSEWHERE},
    {STATUS_CLASS_INITIATOR_ERROR, "Initiator Error",
     "The target holds the initiator, its set-up or its rights to be the cause.",
     "Close the connection and do not repeat the login unchanged.", STATUS_FAULT_INITIATOR, STATUS_RETRY_NEVER},
    {STATUS_CLASS_TARGET_ERROR, "Target Error",
     "The target finds no fault in the request but cannot fulfil it at present.",
     "Close the connection; the same login may be tried again after a pause.", STATUS_FAULT_TARGET, STATUS_RETRY_LATER},
    {STATUS_CLASS_VENDOR, "Vendor-unique",
     "A code with a meaning of the vendor's own (RFC 5048 11.6). The detail is not "
     "standardised.",
     "Close the connection and ask the vendor's documentation what the detail means.", STATUS_FAULT_TARGET,
     STATUS_RETRY_NEVER},
};

static const struct status_class_entry unassigned_class = {
    0xff,
    "Unassigned class",
    "No RFC gives this Status-Class a meaning.",
    "Close the connection and report the target: it sends a class that does not exist, or "
    "the header is damaged.",
    STATUS_FAULT_TARGET,
    STATUS_RETRY_NEVER};

const struct status_entry *status_at(size_t index)
{
    return index < STATUS_COUNT ? &status_table[index] : NULL;
}

const struct status_entry *status_find(unsigned code)
{
    for (size_t i = 0; i < STATUS_COUNT; i++)
        if (status_table[i].code == code)
            return &status_table[i];
    return NULL;
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Equality without regard to ASCII case; '_', '-' and blank are the same. */
static bool same_words(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char left = *a == '_' || *a == '-' ? ' ' : fold(*a);
        char right = *b == '_' || *b == '-' ? ' ' : fold(*b);

        if (left != right)
            return false;
    }
    return *a == *b;
}

/* Hex digits with or without 0x, at most 16 bits. */
static bool parse_code(const char *text, unsigned *code)
{
    unsigned number = 0;

    if (text[0] == '0' && fold(text[1]) == 'x')
        text += 2;
    if (*text == '\0' || strlen(text) > 4)
        return false;
    for (; *text != '\0'; text++) {
        char c = fold(*text);

        if (c >= '0' && c <= '9')
            number = number << 4 | (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            number = number << 4 | (unsigned)(c - 'a' + 10);
        else
            return false;
    }
    *code = number;
    return true;
}

const struct status_entry *status_find_text(const char *text)
{
    static const char prefix[] = "STATUS_";
    unsigned code;

    if (parse_code(text, &code))
        return status_find(code);
    for (size_t i = 0; i < STATUS_COUNT; i++)
        if (same_words(text, status_table[i].name) || same_words(text, status_table[i].symbol) ||
            (strncmp(text, prefix, sizeof(prefix) - 1) == 0 &&
             same_words(text + sizeof(prefix) - 1, status_table[i].symbol)))
            return &status_table[i];
    return NULL;
}

const struct status_class_entry *status_class_find(unsigned class_value)
{
    for (size_t i = 0; i < CLASS_COUNT; i++)
        if (classes[i].value == class_value)
            return &classes[i];
    return &unassigned_class;
}

const char *status_class_name(unsigned class_value)
{
    return status_class_find(class_value)->name;
}

const char *status_name_or_class(unsigned code)
{
    const struct status_entry *entry = status_find(code);

    return entry != NULL ? entry->name : status_class_name(code >> 8);
}

const char *status_fault_name(enum status_fault fault)
{
    switch (fault) {
    case STATUS_FAULT_NONE:
        return "nobody";
    case STATUS_FAULT_INITIATOR:
        return "initiator";
    case STATUS_FAULT_SETUP:
        return "set-up";
    case STATUS_FAULT_TARGET:
        return "target";
    }
    return "unknown";
}

const char *status_retry_name(enum status_retry retry)
{
    switch (retry) {
    case STATUS_RETRY_NOT_NEEDED:
        return "not needed";
    case STATUS_RETRY_ELSEWHERE:
        return "at the address given";
    case STATUS_RETRY_NEVER:
        return "not unchanged";
    case STATUS_RETRY_LATER:
        return "later";
    }
    return "unknown";
}
