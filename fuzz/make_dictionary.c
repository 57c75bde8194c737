/* Writes the dictionary of the fuzzers, out of the key table: one name or value a line, as AFL++ and libFuzzer read it.
 * A value of several keys stands there as often. */
#include "wire/keys.h"
#include "wire/text.h"

#include <stdio.h>

static void print_items(const char *values)
{
    struct text_list list;
    const char *item;
    size_t len;

    text_list_init(&list, values, strlen(values));
    while (text_list_next(&list, &item, &len))
        printf("\"%.*s\"\n", (int)len, item);
}

int main(void)
{
    static const char *const words[] = {
        "NotUnderstood", "Irrelevant", "Reject", "Yes", "No", "None",  "All",      "0x",       "0b",
        "iqn.",          "eui.",       "naa.",   "~",   ",",  "\\x00", "{chap_r}", "{target}", "{chap_target}"};

    printf("# Made from the key table by scripts/make-corpora; do not edit.\n");
    for (size_t i = 0; i < KEYS_COUNT; i++) {
        const struct keys_entry *key = keys_at(i);

        printf("\"%s=\"\n", key->name);
        if (key->max > 0)
            printf("\"%llu\"\n", (unsigned long long)key->max);
        if (key->values != NULL)
            print_items(key->values);
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        printf("\"%s\"\n", words[i]);
    return 0;
}
