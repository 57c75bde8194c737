/*
 * A recorded PDU of an initiator, made fit to be sent today: the values that belong to the session it was recorded in
 * are replaced by those of the session it is played in, everything else stays as it was, faults included. Pure: no I/O.
 */
#ifndef HARNESS_REPLAY_ADAPT_H
#define HARNESS_REPLAY_ADAPT_H

#include "harness/live.h"
#include "harness/transcript.h"
#include "wire/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLAY_NAMES_MAX   128u
#define REPLAY_PORTALS_MAX 32u

/* Names and addresses of the recording and what stands for them. The strings belong to the caller. */
struct replay_names {
    struct replay_name {
        const char *from, *to;
    } items[REPLAY_NAMES_MAX];
    size_t count;
    const char *portals[REPLAY_PORTALS_MAX]; /* HOST:PORT of the live target, whose ports are picked at each start */
    size_t portal_count;
};

/* What stands for value[0..len), NULL: nothing. The first entry wins. */
const char *replay_names_find(const struct replay_names *names, const char *value, size_t len);
/* False when there are too many. */
bool replay_names_add(struct replay_names *names, const char *from, const char *to);

/* The numbers of one connection at the moment at which a PDU goes out; all in host order. */
struct replay_numbers {
    uint8_t isid[PDU_ISID_LEN];  /* of the session played */
    uint16_t tsih_from, tsih_to; /* a recorded TSIH and the one it stands for now; 0 none */
    uint32_t itt_delta;          /* added to tags; the reserved tag stays what it is */
    uint32_t cmd_delta;          /* added to CmdSN */
    bool acknowledges;           /* something has come on this connection in both worlds: */
    uint32_t recorded_next;      /* the StatSN that was expected next in the recording ... */
    uint32_t live_next;          /* ... and is now */
    uint32_t ttt_from, ttt_to;   /* a tag of the recorded target and the one it stands for now */
    uint64_t lun_to;             /* LUN that goes with ttt_to */
};

/* What a CHAP response is computed of. */
struct replay_chap {
    const char *secret; /* NULL: not given */
    uint64_t algorithm; /* CHAP_A of the live target, 0 none yet */
    char i[32];         /* CHAP_I and CHAP_C of the live target, "" none yet */
    char c[LIVE_BINARY_MAX];
    bool wrong; /* the recorded response was a wrong one: a wrong one goes out */
};

/* A tag of the recorded initiator in the session played. */
uint32_t replay_adapt_tag(uint32_t tag, uint32_t delta);

/* Replaces what belongs to the recorded session in a header. PDU_BHS_LEN bytes. */
void replay_adapt_header(uint8_t *bhs, const struct replay_numbers *numbers);

enum replay_text {
    REPLAY_TEXT_READY,
    REPLAY_TEXT_NO_SECRET,    /* a CHAP_R is due and no secret was given */
    REPLAY_TEXT_NO_CHALLENGE, /* a CHAP_R is due and the target has sent no challenge of use */
    REPLAY_TEXT_NO_MEMORY,
};

/*
 * Replaces names and the CHAP response in the text of a Login or Text Request (a whole text, joined over PDUs with
 * C=1). The response keeps the form of the recorded one: hex, capitals, base64.
 */
enum replay_text replay_adapt_text(struct text_buf *text, const struct replay_names *names,
                                   const struct replay_chap *chap);

/* Which digests a PDU carries. */
struct replay_digests {
    bool header, data;
};

/*
 * Puts a PDU together: the recorded one with another header, and other data unless data is NULL. Digests are computed
 * anew, and are wrong where the recorded ones were. A PDU that breaks off stays so. wire: recorded->len bytes as they
 * were recorded. malloc'ed, the caller frees; NULL when out of memory.
 */
uint8_t *replay_adapt_pdu(const struct transcript_pdu *recorded, const uint8_t *wire, const uint8_t *bhs,
                          const void *data, size_t data_len, struct replay_digests digests, size_t *len);

#endif
