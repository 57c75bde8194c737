/* Ready-made PDUs for the mutator: see mutate_parts.h. */
#include "harness/mutate_parts.h"

#include "wire/bytes.h"

enum { TEMPLATE_PDUS = 4, SCRATCH = 1024 };

struct template_pdu {
    uint8_t opcode; /* with the I bit */
    uint8_t flags;
    uint8_t byte36; /* first byte of the CDB */
    const char *text;
    size_t text_len;
};

#define LOGIN         0x43
#define TEXT(literal) (literal), sizeof(literal)
#define NAMES(target) "InitiatorName={initiator}\0TargetName=" target "\0SessionType=Normal"
#define KEYS                                                                                                           \
    "HeaderDigest=None\0DataDigest=None\0InitialR2T=No\0ImmediateData=Yes\0MaxBurstLength=262144\0FirstBurstLength="   \
    "65536\0"                                                                                                          \
    "DefaultTime2Wait=2\0DefaultTime2Retain=0\0MaxOutstandingR2T=1\0ErrorRecoveryLevel=0\0MaxConnections=4\0"          \
    "MaxRecvDataSegmentLength=262144\0DataPDUInOrder=Yes\0DataSequenceInOrder=Yes"

static const struct mutate_template {
    bool whole; /* a login from its start to full feature phase */
    size_t count;
    struct template_pdu pdus[TEMPLATE_PDUS];
} templates[] = {
    {true, 1, {{LOGIN, 0x87, 0, TEXT(NAMES("{target}") "\0" KEYS)}}},
    {true, 2, {{LOGIN, 0x81, 0, TEXT(NAMES("{target}") "\0AuthMethod=CHAP,None")}, {LOGIN, 0x87, 0, TEXT(KEYS)}}},
    {true, 1, {{LOGIN, 0x87, 0, TEXT("InitiatorName={initiator}\0SessionType=Discovery\0" KEYS)}}},
    {true,
     4,
     {{LOGIN, 0x81, 0, TEXT(NAMES("{chap_target}") "\0AuthMethod=CHAP,None")},
      {LOGIN, 0x00, 0, TEXT("CHAP_A=5,7")},
      {LOGIN, 0x81, 0, TEXT("CHAP_N={user}\0CHAP_R={chap_r}")},
      {LOGIN, 0x87, 0, TEXT(KEYS)}}},
    {true,
     4,
     {{LOGIN, 0x00, 0, TEXT(NAMES("{chap_target}") "\0AuthMethod=CHAP")},
      {LOGIN, 0x00, 0, TEXT("CHAP_A=7,5")},
      {LOGIN, 0x83, 0,
       TEXT("CHAP_N={user}\0CHAP_R={chap_r:base64}\0CHAP_I=7\0CHAP_C=0x0102030405060708090a0b0c0d0e0f10")}}},
    {false, 1, {{LOGIN, 0x81, 0, TEXT(NAMES("{chap_target}") "\0AuthMethod=CHAP,None")}}},
    {false, 1, {{LOGIN, 0x00, 0, TEXT("CHAP_A=8,7,6,5")}}},
    {false, 1, {{LOGIN, 0x81, 0, TEXT("CHAP_N={user}\0CHAP_R={chap_r}")}}},
    {false,
     1,
     {{LOGIN, 0x01, 0,
       TEXT("CHAP_N={user}\0CHAP_R={chap_r}\0CHAP_I=1\0CHAP_C=0b"
            "QUJDREVGR0hJSktMTU5PUA==")}}},
    {false, 1, {{LOGIN, 0x87, 0, TEXT(KEYS)}}},
    {false, 1, {{LOGIN, 0x87, 0, NULL, 0}}},
    {false, 1, {{LOGIN, 0x81, 0, NULL, 0}}},
    {false, 1, {{LOGIN, 0x04, 0, TEXT("MaxRecvDataSegmentLength=512")}}},
    {false,
     2,
     {{LOGIN, 0x44, 0, TEXT("X-com.example.long=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
      {LOGIN, 0x87, 0, TEXT("ErrorRecoveryLevel=0")}}},
    {false, 1, {{0x40, 0x80, 0, TEXT("ping")}}},            /* NOP-Out */
    {false, 1, {{0x44, 0x80, 0, TEXT("SendTargets=All")}}}, /* Text Request */
    {false, 1, {{0x44, 0x80, 0, TEXT("MaxRecvDataSegmentLength=4096")}}},
    {false, 2, {{0x44, 0x40, 0, TEXT("SendTargets")}, {0x44, 0x80, 0, TEXT("=All")}}},
    {false, 1, {{0x46, 0x80, 0, NULL, 0}}},               /* Logout: the session */
    {false, 1, {{0x46, 0x81, 0, NULL, 0}}},               /* Logout: the connection */
    {false, 1, {{0x41, 0x80, 0x00, NULL, 0}}},            /* TEST UNIT READY */
    {false, 1, {{0x41, 0xc0, 0x12, NULL, 0}}},            /* INQUIRY */
    {false, 1, {{0x41, 0xa0, 0x2a, TEXT("write data")}}}, /* WRITE(10) */
    {false, 1, {{0x42, 0x81, 0, NULL, 0}}},               /* ABORT TASK */
    {false, 1, {{0x05, 0x80, 0, TEXT("data out")}}},
    {false, 1, {{0x10, 0x80, 0, NULL, 0}}}, /* SNACK */
};

enum { TEMPLATES = sizeof(templates) / sizeof(templates[0]) };

/* For formats without tokens: names of the reference target, and CHAP_R as good as can be. */
static size_t without_tokens(struct mutate_work *w, const char *text, size_t len, uint8_t out[SCRATCH])
{
    static const struct {
        const char *token;
        const char *value;
    } values[] = {{"{initiator}", "iqn.2026-01.example.iscsispec:fuzz"},
                  {"{target}", "iqn.2026-01.example.iscsispec:open"},
                  {"{chap_target}", "iqn.2026-01.example.iscsispec:chap"},
                  {"{user}", "initiator"}};
    uint8_t response[MUTATE_VALUE_MAX];
    struct text_buf buf;
    bool live;

    text_buf_init_fixed(&buf, out, SCRATCH);
    text_buf_add_raw(&buf, text, len);
    for (size_t i = 0; i < buf.len; i++) {
        const uint8_t *close = out[i] == '{' ? memchr(out + i, '}', buf.len - i) : NULL;

        if (close == NULL)
            continue;
        size_t token = (size_t)(close - out) - i + 1, value_len = mutate_response(w, response, &live);
        const void *value = response;

        for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++)
            if (text_equals(out + i, token, values[k].token)) {
                value = values[k].value;
                value_len = strlen(values[k].value);
            }
        text_buf_splice(&buf, i, token, value, value_len);
    }
    return buf.len;
}

/* One PDU. False: no room. */
static bool put_pdu(struct mutate_work *w, const struct template_pdu *pdu, unsigned conn, uint32_t number, uint8_t *out,
                    size_t cap, size_t *len)
{
    uint8_t bytes[PDU_BHS_LEN + SCRATCH + 4] = {0}, *text = bytes + PDU_BHS_LEN;
    size_t text_len = pdu->text_len;
    bool live = mutate_tokens(w);

    if (text_len > SCRATCH)
        return false;
    if (!live && text_len > 0)
        text_len = without_tokens(w, pdu->text, text_len, text);
    else if (text_len > 0)
        memcpy(text, pdu->text, text_len);
    bytes[0] = pdu->opcode;
    bytes[1] = pdu->flags;
    pdu_set_data_len(bytes, text_len);
    bytes[8] = pdu->opcode == LOGIN ? 0x80 : 0; /* ISID of type "random" */
    bytes[13] = pdu->opcode == LOGIN ? (uint8_t)conn : 0;
    bytes_put_be32(bytes + 16, pdu->opcode == LOGIN ? 1 : number + 2); /* ITT */
    if (pdu->opcode == 0x40 || pdu->opcode == 0x44)
        bytes_put_be32(bytes + 20, PDU_NO_TAG); /* TTT */
    bytes_put_be32(bytes + 24, 1);              /* CmdSN */
    bytes[32] = pdu->byte36;
    if (pdu->byte36 == 0x12)
        bytes[36] = 36;
    struct session_input_record record = {
        .conn = conn,
        .live = !live ? 0 : SESSION_INPUT_LIVE_SN | SESSION_INPUT_LIVE_TEXT | SESSION_INPUT_LIVE_ISID,
        .bytes = bytes,
        .len = PDU_BHS_LEN + pdu_padded_len(text_len)};

    if (w->options->format == MUTATE_SESSION)
        return session_input_put(out, cap, len, &record);
    if (record.len > cap - *len)
        return false;
    memcpy(out + *len, bytes, record.len);
    *len += record.len;
    return true;
}

size_t mutate_template(struct mutate_work *w, unsigned conn, bool whole, uint8_t *out, size_t cap)
{
    const struct mutate_template *t = &templates[mutate_below(w, TEMPLATES)];
    size_t len = 0;

    while (whole && !t->whole)
        t = &templates[mutate_below(w, TEMPLATES)];
    if (w->options->format == MUTATE_TEXT) {
        const struct template_pdu *pdu = &t->pdus[mutate_below(w, t->count)];

        if (pdu->text_len <= SCRATCH && pdu->text_len <= cap && pdu->text_len > 0)
            memcpy(out, pdu->text, pdu->text_len);
        return pdu->text_len <= cap ? pdu->text_len : 0;
    }
    for (size_t i = 0; i < t->count; i++)
        if (!put_pdu(w, &t->pdus[i], conn, (uint32_t)i, out, cap, &len))
            break;
    return len;
}
