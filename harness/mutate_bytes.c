/* Changes that know nothing: for what the others would never try. See mutate_parts.h. */
#include "harness/mutate_parts.h"

bool mutate_byte_flip(struct mutate_work *w)
{
    if (w->len == 0)
        return false;
    w->bytes[mutate_below(w, w->len)] ^= (uint8_t)(1U << mutate_below(w, 8));
    mutate_refresh(w);
    return true;
}

bool mutate_byte_set(struct mutate_work *w)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, '=', ',', '0', '~', 'x'};

    if (w->len == 0)
        return false;
    w->bytes[mutate_below(w, w->len)] =
        mutate_one_in(w, 2) ? values[mutate_below(w, sizeof(values))] : (uint8_t)mutate_random(w);
    mutate_refresh(w);
    return true;
}

bool mutate_byte_insert(struct mutate_work *w)
{
    uint8_t bytes[64];
    size_t len = 1 + mutate_below(w, mutate_one_in(w, 4) ? sizeof(bytes) : 4);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)mutate_random(w);
    if (mutate_one_in(w, 2))
        memset(bytes, bytes[0], len);
    if (!mutate_splice(w, mutate_below(w, w->len + 1), 0, bytes, len))
        return false;
    mutate_refresh(w);
    return true;
}

bool mutate_byte_erase(struct mutate_work *w)
{
    if (w->len < 2)
        return false;
    size_t at = mutate_below(w, w->len), len = 1 + mutate_below(w, mutate_one_in(w, 4) ? 64 : 4);

    if (!mutate_splice(w, at, len < w->len - at ? len : w->len - at, NULL, 0))
        return false;
    mutate_refresh(w);
    return true;
}

/* Bytes from one place stand at another as well. */
bool mutate_byte_copy(struct mutate_work *w)
{
    if (w->len < 2)
        return false;
    size_t from = mutate_below(w, w->len), to = mutate_below(w, w->len), most = from > to ? w->len - from : w->len - to;
    size_t len = 1 + mutate_below(w, most < 64 ? most : 64);

    memmove(w->bytes + to, w->bytes + from, len < most ? len : most);
    mutate_refresh(w);
    return true;
}
