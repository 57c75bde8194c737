/*
 * Edits: the exact deviations of a case, applied to one PDU that libiscsi made. Bytes in, bytes out; no I/O.
 */
#ifndef HARNESS_EDIT_H
#define HARNESS_EDIT_H

#include "harness/case.h"
#include "harness/live.h"
#include "wire/pdu.h"
#include "wire/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A PDU in parts while it is being worked on. */
struct edit_pdu {
    uint8_t bhs[PDU_BHS_LEN];
    struct text_buf text; /* data segment without padding */
    uint8_t *wire;        /* what goes out, made by edit_render() */
    size_t wire_len;
};

/* Told what was done, one line a change. */
struct edit_log {
    void (*note)(void *user, const char *text);
    void *user;
};

/* Takes a whole PDU without AHS and digests. False when it is none or memory is short. Release with edit_free(). */
bool edit_load(struct edit_pdu *p, const uint8_t *pdu, size_t len);
void edit_free(struct edit_pdu *p);

/* Makes wire from the parts: DataSegmentLength of the text, zero padding. False when out of memory. */
bool edit_render(struct edit_pdu *p);

/* Does an edit without a number mean this PDU? It holds the key of the first set or drop; otherwise it is the first. */
bool edit_matches(const struct case_edit *e, const struct edit_pdu *p, bool first);

/*
 * Applies the edit in its fixed order and renders. Returns 0, or -1 with text in err: nothing changed, a key is not
 * there, a field or live value is unknown.
 */
int edit_apply(struct edit_pdu *p, const struct case_edit *e, const struct live_scope *scope,
               const struct edit_log *log, char *err, size_t err_len);

/* Sets header fields by name. Also used for PDUs that a case makes itself. */
int edit_header(uint8_t *bhs, const struct case_field_edit *fields, size_t count, const struct live_scope *scope,
                const struct edit_log *log, char *err, size_t err_len);

/* A short name for an edit: "set MaxConnections", for messages. */
void edit_name(const struct case_edit *e, char *out, size_t cap);

#endif
