/* Changes of header fields: see mutate_parts.h. */
#include "harness/mutate_parts.h"

#include "wire/bytes.h"

/* Any field of any PDU, to a value that is often at an edge. */
bool mutate_field(struct mutate_work *w)
{
    size_t unit = mutate_pick_pdu(w), count;

    if (unit == w->unit_count)
        return false;
    uint8_t *bhs = mutate_bhs(w, unit);
    const struct pdu_field *fields = pdu_fields(pdu_opcode(bhs), &count), *field = &fields[mutate_below(w, count)];
    uint64_t max = pdu_field_max(field), old = pdu_field_get(field, bhs);
    const uint64_t values[] = {0,
                               1,
                               max,
                               max - 1,
                               max >> 1,
                               (max >> 1) + 1,
                               old + 1,
                               old - 1,
                               old ^ 1,
                               old ^ (UINT64_C(1) << mutate_below(w, field->bits)),
                               mutate_random(w),
                               ~old};
    uint64_t value = values[mutate_below(w, sizeof(values) / sizeof(values[0]))] & max;

    return value != old && pdu_field_set(field, bhs, value);
}

/* T, C, CSG and NSG of a login PDU: the right ways and the wrong ones. */
bool mutate_stage(struct mutate_work *w)
{
    static const uint8_t flags[] = {0x81, 0x87, 0x83, 0x00, 0x04, 0x01, 0x40, 0x44, 0xc1, 0xc7, 0x80,
                                    0x84, 0x85, 0x86, 0x82, 0x88, 0x8b, 0x8f, 0x8c, 0x02, 0x3f, 0xff};
    size_t unit = mutate_pick_text(w, 0);

    if (w->options->format == MUTATE_TEXT || unit == w->unit_count)
        return false;
    uint8_t *bhs = mutate_bhs(w, unit), old = bhs[1];

    bhs[1] = flags[mutate_below(w, sizeof(flags))];
    return bhs[1] != old;
}

/* One flag of byte 0 or 1. */
bool mutate_flags(struct mutate_work *w)
{
    size_t unit = mutate_pick_pdu(w);

    if (unit == w->unit_count)
        return false;
    mutate_bhs(w, unit)[mutate_below(w, 2)] ^= (uint8_t)(1U << mutate_below(w, 8));
    return true;
}

/* DataSegmentLength or TotalAHSLength that is not what follows. */
bool mutate_lying_length(struct mutate_work *w)
{
    static const uint32_t fixed[] = {0,    1,     3,     4,        8191,     8192,     8193,
                                     8196, 65535, 65536, 0x7fffff, 0x800000, 0xfffffc, 0xffffff};
    size_t unit = mutate_pick_pdu(w);

    if (unit == w->unit_count)
        return false;
    uint8_t *bhs = mutate_bhs(w, unit);
    uint32_t old = (uint32_t)pdu_data_len(bhs), new = old;
    static const int near[] = {-1, 1, -2, 2, -3, 3, -4, 4, 48, -48, 8};

    if (mutate_one_in(w, 5)) {
        bhs[4] = (uint8_t)(mutate_one_in(w, 2) ? 1 + mutate_below(w, 4) : mutate_below(w, 256));
        return true;
    }
    if (mutate_one_in(w, 2))
        new = old + (uint32_t)near[mutate_below(w, sizeof(near) / sizeof(near[0]))];
    else
        new = fixed[mutate_below(w, sizeof(fixed) / sizeof(fixed[0]))];
    bytes_put_be24(bhs + 5, new &PDU_MAX_DATA_LEN);
    return new != old;
}

/* Another PDU of the same bytes. */
bool mutate_opcode(struct mutate_work *w)
{
    static const uint8_t opcodes[] = {PDU_NOP_OUT,
                                      PDU_SCSI_COMMAND,
                                      PDU_TASK_MANAGEMENT_REQUEST,
                                      PDU_LOGIN_REQUEST,
                                      PDU_TEXT_REQUEST,
                                      PDU_DATA_OUT,
                                      PDU_LOGOUT_REQUEST,
                                      PDU_SNACK_REQUEST,
                                      PDU_LOGIN_RESPONSE,
                                      PDU_REJECT,
                                      0x1c,
                                      0x07};
    size_t unit = mutate_pick_pdu(w);

    if (unit == w->unit_count)
        return false;
    uint8_t *bhs = mutate_bhs(w, unit), old = bhs[0];

    bhs[0] = (uint8_t)((bhs[0] & ~PDU_OPCODE_MASK) | opcodes[mutate_below(w, sizeof(opcodes))]);
    return bhs[0] != old;
}
