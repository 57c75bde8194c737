/*
 * bulk_capture FILE MEGABYTES [SEED]: a capture of many iSCSI connections, 64 of them at a time: each logs in (in one
 * stage or two, some are refused), reads some blocks, and ends. For benchmarks of what reads captures. The target's
 * port is 13260.
 */
#include "wire/bytes.h"
#include "wire/pdu.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTIVE      64u
#define TARGET_PORT 13260u
#define SEGMENT     1448u
#define HEADERS     (14u + 20u + 20u)
#define BLOCK       8192u

enum flag { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct talk {
    unsigned step, reads;
    bool stages, refused;
    uint32_t number; /* of the connection */
    uint32_t seq[2];
    uint32_t cmd_sn, stat_sn, itt;
};

struct bulk {
    pcap_dumper_t *dump;
    uint64_t written, clock_us;
    uint64_t random;
    uint32_t connections;
};

static uint32_t next_random(struct bulk *b)
{
    b->random = b->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(b->random >> 33);
}

static void put_frame(struct bulk *b, struct talk *t, unsigned side, unsigned flags, const uint8_t *data, size_t len)
{
    uint8_t frame[HEADERS + SEGMENT] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
    struct pcap_pkthdr header = {.caplen = (bpf_u_int32)(HEADERS + len), .len = (bpf_u_int32)(HEADERS + len)};
    uint8_t *ip = frame + 14;
    uint8_t *tcp = ip + 20;
    uint32_t host = 0x0a000000u | (t->number / 50000 & 0xffff) << 8 | 7;

    bytes_put_be16(ip + 2, (uint16_t)(40 + len));
    ip[8] = 64;
    ip[9] = 6;
    bytes_put_be32(ip + 12, side == 0 ? host : 0xc0000209u);
    bytes_put_be32(ip + 16, side == 0 ? 0xc0000209u : host);
    bytes_put_be16(tcp, side == 0 ? (uint16_t)(10000 + t->number % 50000) : TARGET_PORT);
    bytes_put_be16(tcp + 2, side == 0 ? TARGET_PORT : (uint16_t)(10000 + t->number % 50000));
    bytes_put_be32(tcp + 4, t->seq[side]);
    if (flags & ACK)
        bytes_put_be32(tcp + 8, t->seq[!side]);
    tcp[12] = 0x50;
    tcp[13] = (uint8_t)flags;
    bytes_put_be16(tcp + 14, 65535);
    if (len > 0)
        memcpy(frame + HEADERS, data, len);
    b->clock_us += 3;
    header.ts.tv_sec = (time_t)(1700000000 + b->clock_us / 1000000);
    header.ts.tv_usec = (suseconds_t)(b->clock_us % 1000000);
    pcap_dump((u_char *)b->dump, &header, frame);
    b->written += 16 + HEADERS + len;
    t->seq[side] += (uint32_t)len + (flags & (SYN | FIN) ? 1 : 0);
}

/* Bytes in segments, and an acknowledgement for each second one. */
static void say(struct bulk *b, struct talk *t, unsigned side, const uint8_t *bytes, size_t len)
{
    unsigned count = 0;

    for (size_t at = 0; at < len; at += SEGMENT) {
        size_t take = len - at < SEGMENT ? len - at : SEGMENT;

        put_frame(b, t, side, PSH | ACK, bytes + at, take);
        if (++count % 2 == 0)
            put_frame(b, t, !side, ACK, NULL, 0);
    }
}

static const char *const asked[2] = {
    "AuthMethod=None\0",
    "HeaderDigest=None\0DataDigest=None\0MaxConnections=1\0InitialR2T=No\0ImmediateData=Yes\0"
    "MaxRecvDataSegmentLength=262144\0MaxBurstLength=262144\0FirstBurstLength=65536\0DefaultTime2Wait=2\0"
    "DefaultTime2Retain=20\0MaxOutstandingR2T=1\0DataPDUInOrder=Yes\0DataSequenceInOrder=Yes\0ErrorRecoveryLevel=0\0"};
static const char *const told[2] = {
    "TargetPortalGroupTag=1\0AuthMethod=None\0",
    "HeaderDigest=None\0DataDigest=None\0MaxConnections=1\0InitialR2T=No\0ImmediateData=Yes\0"
    "MaxRecvDataSegmentLength=65536\0MaxBurstLength=262144\0FirstBurstLength=65536\0DefaultTime2Wait=2\0"
    "DefaultTime2Retain=20\0MaxOutstandingR2T=1\0DataPDUInOrder=Yes\0DataSequenceInOrder=Yes\0ErrorRecoveryLevel=0\0"};

static size_t add_text(uint8_t *at, const char *text)
{
    size_t len = 0;

    while (text[len] != '\0')
        len += strlen(text + len) + 1;
    memcpy(at, text, len);
    return len;
}

static void login(struct bulk *b, struct talk *t, bool request, unsigned stage, bool first)
{
    uint8_t wire[1024] = {0};
    size_t len = 0;
    uint8_t isid[6] = {0x80, 1};

    bytes_put_be32(isid + 2, t->number);
    if (request && first) {
        len +=
            (size_t)snprintf((char *)wire + 48, 200, "InitiatorName=iqn.2001-04.com.example:host.%u", t->number % 97) +
            1;
        len += (size_t)snprintf((char *)wire + 48 + len, 200, "TargetName=iqn.2001-04.com.example:disk.%u",
                                t->number % 13) +
               1;
        len += add_text(wire + 48 + len, "SessionType=Normal\0");
    }
    if (!request && stage == 1 && first && !t->refused)
        len += add_text(wire + 48 + len, "TargetPortalGroupTag=1\0");
    if (request || !t->refused)
        len += add_text(wire + 48 + len, request ? asked[stage] : told[stage]);
    if (request) {
        struct pdu_login_request req = {.immediate = true,
                                        .transit = true,
                                        .csg = (uint8_t)stage,
                                        .nsg = stage ? 3 : 1,
                                        .data_len = (uint32_t)len,
                                        .itt = t->itt,
                                        .cmd_sn = t->cmd_sn};

        req.exp_stat_sn = first ? 0 : t->stat_sn;
        memcpy(req.isid, isid, sizeof isid);
        pdu_login_request_encode(&req, wire);
    } else {
        struct pdu_login_response rsp = {.transit = !t->refused,
                                         .csg = (uint8_t)stage,
                                         .nsg = stage ? 3 : 1,
                                         .data_len = (uint32_t)len,
                                         .itt = t->itt,
                                         .exp_cmd_sn = t->cmd_sn};

        rsp.max_cmd_sn = t->cmd_sn + 31;
        rsp.stat_sn = t->stat_sn++;
        rsp.tsih = stage && !t->refused ? (uint16_t)(t->number % 65535 + 1) : 0;
        rsp.status = t->refused ? 0x0203 : 0;
        if (t->refused)
            rsp.csg = rsp.nsg = 0;
        memcpy(rsp.isid, isid, sizeof isid);
        pdu_login_response_encode(&rsp, wire);
    }
    say(b, t, request ? 0 : 1, wire, 48 + pdu_padded_len(len));
}

static void read_block(struct bulk *b, struct talk *t)
{
    static uint8_t wire[48 + BLOCK];
    struct pdu_request req = {
        .opcode = PDU_SCSI_COMMAND, .flags = 0xc1, .itt = ++t->itt, .word20 = BLOCK, .cmd_sn = t->cmd_sn++};
    struct pdu_response rsp = {
        .opcode = PDU_DATA_IN, .flags = 0x81, .data_len = BLOCK, .itt = t->itt, .word20 = PDU_NO_TAG};

    req.exp_stat_sn = t->stat_sn;
    memcpy(req.tail, "\x28\0\0\0\0\0\0\0\x10", 9);
    pdu_request_encode(&req, wire);
    say(b, t, 0, wire, 48);
    rsp.stat_sn = t->stat_sn++;
    rsp.exp_cmd_sn = t->cmd_sn;
    rsp.max_cmd_sn = t->cmd_sn + 31;
    pdu_response_encode(&rsp, wire);
    say(b, t, 1, wire, sizeof wire);
}

static void logout(struct bulk *b, struct talk *t)
{
    uint8_t wire[48];
    struct pdu_request req = {
        .opcode = PDU_LOGOUT_REQUEST, .immediate = true, .flags = 0x80, .itt = ++t->itt, .cmd_sn = t->cmd_sn};
    struct pdu_response rsp = {.opcode = PDU_LOGOUT_RESPONSE, .flags = 0x80, .itt = t->itt};

    req.exp_stat_sn = t->stat_sn;
    pdu_request_encode(&req, wire);
    say(b, t, 0, wire, sizeof wire);
    rsp.stat_sn = t->stat_sn++;
    rsp.exp_cmd_sn = t->cmd_sn;
    rsp.max_cmd_sn = t->cmd_sn + 31;
    pdu_response_encode(&rsp, wire);
    say(b, t, 1, wire, sizeof wire);
}

static void begin(struct bulk *b, struct talk *t)
{
    uint32_t random = next_random(b);

    *t = (struct talk){
        .number = b->connections++, .reads = random % 5, .stages = random % 3 != 0, .refused = random % 20 == 7};
    t->seq[0] = next_random(b);
    t->seq[1] = next_random(b);
    t->itt = next_random(b) & 0xffffff;
    t->cmd_sn = next_random(b);
    t->stat_sn = next_random(b);
}

/* One more step of a connection; false when it is over. */
static bool go_on(struct bulk *b, struct talk *t)
{
    unsigned step = t->step++;

    if (step == 0) {
        put_frame(b, t, 0, SYN, NULL, 0);
        put_frame(b, t, 1, SYN | ACK, NULL, 0);
        put_frame(b, t, 0, ACK, NULL, 0);
        return true;
    }
    if (step <= 2) {
        login(b, t, step == 1, t->stages ? 0 : 1, true);
        return true;
    }
    if (t->refused) {
        put_frame(b, t, 1, FIN | ACK, NULL, 0);
        put_frame(b, t, 0, FIN | ACK, NULL, 0);
        put_frame(b, t, 1, ACK, NULL, 0);
        return false;
    }
    if (t->stages && step <= 4) {
        login(b, t, step == 3, 1, false);
        return true;
    }
    if (t->reads > 0) {
        t->reads--;
        read_block(b, t);
        return true;
    }
    logout(b, t);
    put_frame(b, t, 1, FIN | ACK, NULL, 0);
    put_frame(b, t, 0, FIN | ACK, NULL, 0);
    put_frame(b, t, 1, ACK, NULL, 0);
    return false;
}

int main(int argc, char **argv)
{
    static struct talk talks[ACTIVE];
    struct bulk b = {.random = argc > 3 ? strtoull(argv[3], NULL, 10) : 1};
    uint64_t most = argc > 2 ? strtoull(argv[2], NULL, 10) * 1000000 : 0;
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);

    if (most == 0 || !pcap || !(b.dump = pcap_dump_open(pcap, argv[1]))) {
        fputs("usage: bulk_capture FILE MEGABYTES [SEED]\n", stderr);
        return 2;
    }
    for (unsigned i = 0; i < ACTIVE; i++)
        begin(&b, &talks[i]);
    while (b.written < most) {
        struct talk *t = &talks[next_random(&b) % ACTIVE];

        if (!go_on(&b, t))
            begin(&b, t);
    }
    pcap_dump_close(b.dump);
    pcap_close(pcap);
    printf("%u connections\n", (unsigned)b.connections);
    return 0;
}
