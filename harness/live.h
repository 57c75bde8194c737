/*
 * Live values: the words in braces of a case ("{tsih:A}") and what they stand for while it runs. The list of words is
 * closed; any other word in braces is an error of the case.
 */
#ifndef HARNESS_LIVE_H
#define HARNESS_LIVE_H

#include "wire/pdu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIVE_BINARY_MAX 4096u /* characters of a CHAP value */

#define LIVE_LENGTH_MAX 2000u /* of {hex:N}, {base64:N} and {letters:N} */

/* The values of one connection. Strings are owned by whoever fills them in. */
struct live_values {
    const char *target;    /* "" none */
    const char *initiator; /* "" none */
    const char *user;      /* CHAP name of the initiator, "" none */
    const char *secret;    /* of the initiator, "" none */
    char portal[300];      /* HOST:PORT */
    uint8_t isid[PDU_ISID_LEN];
    uint16_t tsih, cid; /* host order, as all numbers here */
    uint32_t itt, cmd_sn, exp_stat_sn;
    uint32_t ttt;                 /* Target Transfer Tag of the last Text Response */
    uint64_t chap_a;              /* the algorithm that was agreed on, 0 none yet */
    char chap_i[32];              /* CHAP_I as it came, "" none yet */
    char chap_c[LIVE_BINARY_MAX]; /* CHAP_C as it came */
};

struct live_scope {
    const struct live_values *own;
    /* The values of another connection of the case, NULL when there is none of that name. NULL: no others. */
    const struct live_values *(*find)(void *user, const char *conn);
    void *user;
};

/* Takes CHAP_A, CHAP_I and CHAP_C out of the text of an answer. */
void live_learn(struct live_values *live, const void *text, size_t len);

/*
 * Fills in all live values of text. Returns malloc'ed bytes with a null byte behind them (caller frees) and their
 * length; NULL with the reason in err. A brace that opens no word of lower-case letters stays as it is.
 */
char *live_expand(const char *text, size_t len, const struct live_scope *scope, size_t *out_len, char *err,
                  size_t err_len);

/* The same for a number: decimal, 0x..., or a live value. False with text in err. */
bool live_number(const char *text, const struct live_scope *scope, uint64_t *out, char *err, size_t err_len);

#endif
