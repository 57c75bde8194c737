/* The names of the conforming but unusual ways, and what they change in the configuration; see benign.h. */
#include "benign.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"

#define BENIGN_ROW(suffix, name, section, what) { name, what, section },
static const struct benign_entry benign_rows[] = { BENIGN_TABLE(BENIGN_ROW) };
#undef BENIGN_ROW

enum { BENIGN_ALIAS = 255 };        /* bytes of a text value, RFC 7143 6.1 */

void benign_set(struct benigns *benigns, enum benign benign)
{
    benigns->bits[(unsigned)benign / 64U] |= UINT64_C(1) << ((unsigned)benign % 64U);
}

enum benign benign_find(const char *name)
{
    for (size_t i = 0; i < BENIGN_COUNT; i++) {
        if (strcmp(benign_rows[i].name, name) == 0)
            return (enum benign)i;
    }
    return BENIGN_COUNT;
}

const struct benign_entry *benign_entry(enum benign benign)
{
    return (unsigned)benign < BENIGN_COUNT ? &benign_rows[benign] : NULL;
}

/* Gives every target an alias: words, with a letter of two bytes, of `length` bytes. */
static bool benign_alias(struct config *config, size_t length)
{
    for (size_t i = 0; i < config->target_count; i++) {
        char *alias = malloc(length + 1);

        if (alias == NULL)
            return false;
        for (size_t at = 0; at < length; at++)
            alias[at] = "A rather long alias of \xc3\xbc"[at % 25];
        if ((unsigned char)alias[length - 1] == 0xc3)       /* half a letter */
            alias[length - 1] = '.';
        alias[length] = '\0';
        free(config->targets[i].alias);
        config->targets[i].alias = alias;
    }
    return true;
}

static void benign_params(const struct benigns *benigns, struct config_params *params)
{
    if (benign_has(benigns, BENIGN_SMALL_VALUES)) {
        params->max_burst_length = 512;
        params->first_burst_length = 512;
        params->default_time2retain = 0;
        params->default_time2wait = 0;
        params->max_recv_data_segment_length = 512;
    }
    if (benign_has(benigns, BENIGN_LARGE_WAIT))
        params->default_time2wait = 3600;
    if (benign_has(benigns, BENIGN_INSISTS_ON_R2T)) {
        params->initial_r2t = true;
        params->immediate_data = false;
    }
    if (benign_has(benigns, BENIGN_NO_DIGESTS)) {
        params->header_digest = false;
        params->data_digest = false;
    }
    if (benign_has(benigns, BENIGN_DECLARES_NOTHING))
        params->max_recv_data_segment_length = 8192;
}

bool benign_configure(struct config *config)
{
    const struct benigns *benigns = &config->benigns;

    for (size_t i = 0; i < config->portal_count; i++) {
        uint16_t *tag = &config->portals[i].tag;

        if (benign_has(benigns, BENIGN_TAG_65535))
            *tag = (uint16_t)(0U - *tag);
        if (benign_has(benigns, BENIGN_TAG_ZERO))
            *tag = (uint16_t)(*tag - 1U);
    }
    benign_params(benigns, &config->params);
    if (benign_has(benigns, BENIGN_LONG_ALIAS))
        return benign_alias(config, BENIGN_ALIAS);
    return !benign_has(benigns, BENIGN_ALIAS_EVERYWHERE) || benign_alias(config, 9);
}
