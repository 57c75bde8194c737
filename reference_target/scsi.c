/*
 * SCSI commands over iSCSI; see scsi.h. Data go straight between PDUs and the store: no task keeps data.
 */
#include "scsi.h"

#include <string.h>

#include "full.h"
#include "scsi_disk.h"
#include "scsi_inquiry.h"
#include "wire/bytes.h"

enum {
    SCSI_TRANSFER_MAX = 16384 * SCSI_BLOCK, /* as page 0xb0 says */
    SCSI_PART_MAX = 64 * 1024               /* data segment of a Data-In */
};

/* A write that waits for data. */
struct scsi_task {
    struct scsi_task *next;
    uint32_t itt;                   /* also the Target Transfer Tag of its R2Ts */
    uint64_t lun;
    uint32_t expected;              /* Expected Data Transfer Length */
    uint64_t offset;                /* on the disk */
    uint64_t wanted;                /* bytes the command is about */
    uint32_t length;                /* bytes that are of use: the smaller of both */
    uint32_t received;
    uint32_t burst_end;             /* received may get as far as this */
    uint32_t r2t_sn;
    uint32_t data_sn;               /* of the next Data-Out; each burst starts at 0 */
    bool unsolicited;               /* Data-Out without R2T may still come */
    enum scsi_sense sense;
};

static scsi_handler scsi_do_nothing, scsi_do_synchronize, scsi_do_read, scsi_do_write;

static const struct scsi_opcode {
    uint8_t opcode;
    bool any_unit;                  /* answered for units that do not exist as well */
    scsi_handler *handler;
} scsi_opcodes[] = {
    { 0x00, false, scsi_do_nothing },               /* TEST UNIT READY */
    { 0x03, true, scsi_do_request_sense },
    { 0x12, true, scsi_do_inquiry },
    { 0x1a, false, scsi_do_mode_sense6 },
    { 0x25, false, scsi_do_read_capacity10 },
    { 0x28, false, scsi_do_read },                  /* READ(10) */
    { 0x2a, false, scsi_do_write },                 /* WRITE(10) */
    { 0x2e, false, scsi_do_write },                 /* WRITE AND VERIFY(10): a store that takes a write has it */
    { 0x35, false, scsi_do_synchronize },           /* SYNCHRONIZE CACHE(10) */
    { 0x5a, false, scsi_do_mode_sense10 },
    { 0x88, false, scsi_do_read },                  /* READ(16) */
    { 0x8a, false, scsi_do_write },                 /* WRITE(16) */
    { 0x8e, false, scsi_do_write },                 /* WRITE AND VERIFY(16) */
    { 0x91, false, scsi_do_synchronize },           /* SYNCHRONIZE CACHE(16) */
    { 0x9e, false, scsi_do_service_action_in },
    { 0xa0, true, scsi_do_report_luns },
    { 0xa8, false, scsi_do_read },                  /* READ(12) */
    { 0xaa, false, scsi_do_write },                 /* WRITE(12) */
    { 0xae, false, scsi_do_write }                  /* WRITE AND VERIFY(12) */
};

static void scsi_do_nothing(const struct scsi_request *request, struct scsi_reply *reply)
{
    (void)request;
    (void)reply;
}

static void scsi_do_synchronize(const struct scsi_request *request, struct scsi_reply *reply)
{
    if (!scsi_disk_flush(request->node, request->target))
        reply->sense = SCSI_SENSE_WRITE_ERROR;
}

/* Where a transfer begins and how long it is, in blocks: the group code of the opcode tells the layout (SPC-4 4.2.5). */
static void scsi_extent(const uint8_t *cdb, uint64_t *block, uint64_t *count)
{
    enum { GROUP_16 = 4, GROUP_12 = 5 };

    switch (cdb[0] >> 5) {
    case GROUP_16:
        *block = bytes_get_be64(cdb + 2);
        *count = bytes_get_be32(cdb + 10);
        break;
    case GROUP_12:
        *block = bytes_get_be32(cdb + 2);
        *count = bytes_get_be32(cdb + 6);
        break;
    default:
        *block = bytes_get_be32(cdb + 2);
        *count = bytes_get_be16(cdb + 7);
        break;
    }
}

static void scsi_transfer(const struct scsi_request *request, struct scsi_reply *reply, bool write)
{
    uint64_t blocks = scsi_disk_size(request->node, request->target) / SCSI_BLOCK;
    uint64_t block, count;

    scsi_extent(request->cdb, &block, &count);
    if ((request->cdb[1] & 0xe0U) != 0 || count > SCSI_TRANSFER_MAX / SCSI_BLOCK) {
        reply->sense = SCSI_SENSE_INVALID_FIELD;        /* no protection information */
    } else if (block > blocks || count > blocks - block) {
        reply->sense = SCSI_SENSE_LBA_OUT_OF_RANGE;
    } else {
        reply->transfer = true;
        reply->write = write;
        reply->offset = block * SCSI_BLOCK;
        reply->transfer_length = count * SCSI_BLOCK;
    }
}

static void scsi_do_read(const struct scsi_request *request, struct scsi_reply *reply)
{
    scsi_transfer(request, reply, false);
}

static void scsi_do_write(const struct scsi_request *request, struct scsi_reply *reply)
{
    scsi_transfer(request, reply, true);
}

/* ---- responses ---- */

/* Residual of `wanted` bytes against the expected length: flags and count (11.4.5). */
static uint8_t scsi_residual(uint64_t wanted, uint32_t expected, uint32_t *count)
{
    if (wanted > expected) {
        *count = (uint32_t)(wanted - expected);
        return PDU_FLAG_OVERFLOW;
    }
    *count = (uint32_t)(expected - wanted);
    return *count > 0 ? PDU_FLAG_UNDERFLOW : 0;
}

static void scsi_respond(struct conn *conn, uint32_t itt, enum scsi_sense sense, uint64_t wanted, uint32_t expected,
                         uint32_t data_pdus)
{
    uint8_t data[2 + 18];
    uint32_t residual;
    uint8_t flags = scsi_residual(wanted, expected, &residual);
    struct pdu_response response = { .opcode = PDU_SCSI_RESPONSE, .flags = (uint8_t)(PDU_FLAG_FINAL | flags),
                                 .itt = itt, .word36 = data_pdus, .word44 = residual };

    if (sense == SCSI_SENSE_NONE) {
        full_send(conn, &response, NULL, 0);
        return;
    }
    response.byte3 = SCSI_CHECK_CONDITION;
    bytes_put_be16(data, sizeof(data) - 2);
    scsi_put_sense(data + 2, sense);
    full_send(conn, &response, data, sizeof(data));
}

/* One Data-In. status: the last one, which carries GOOD as well (11.7.3). */
static void scsi_data_in(struct conn *conn, const struct pdu_request *request, const uint8_t *data, uint32_t length,
                         uint32_t offset, uint32_t data_sn, bool end, bool status, uint64_t wanted)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_response response = { .opcode = PDU_DATA_IN, .flags = end ? PDU_FLAG_FINAL : 0, .itt = request->itt,
                                 .word20 = PDU_NO_TAG, .word36 = data_sn, .word40 = offset };

    full_number(conn, &response, status);
    if (status) {
        response.flags |= PDU_FLAG_STATUS;
        response.flags |= scsi_residual(wanted, request->word20, &response.word44);
    } else {
        response.stat_sn = 0;
    }
    pdu_response_encode(&response, bhs);
    conn_send(conn, bhs, data, length);
}

/* Sends bytes of a reply, or of the disk when bytes is NULL. */
static void scsi_send_data(struct conn *conn, const struct pdu_request *request, const struct scsi_reply *reply,
                           const uint8_t *bytes)
{
    uint8_t part[SCSI_PART_MAX];
    uint64_t wanted = bytes != NULL ? reply->length : reply->transfer_length;
    uint32_t total = wanted < request->word20 ? (uint32_t)wanted : request->word20;
    uint32_t limit = conn->max_send < SCSI_PART_MAX || conn_has(conn, DEFECT_RECV_LENGTH_IGNORED)
                             ? conn->max_send : SCSI_PART_MAX;
    uint32_t burst = conn->session->params.max_burst_length;
    uint32_t data_sn = 0;

    if (conn_has(conn, DEFECT_RECV_LENGTH_IGNORED))
        limit = SCSI_PART_MAX;
    if ((request->flags & PDU_FLAG_READ) == 0)
        total = 0;
    for (uint32_t sent = 0; sent < total;) {
        uint32_t left = total - sent;
        uint32_t in_burst = burst - sent % burst;
        uint32_t length = left < limit ? left : limit;

        if (length > in_burst)
            length = in_burst;
        bool last = length == left;

        if (bytes == NULL &&
            !scsi_disk_read(conn->node, conn->session->target, reply->offset + sent, part, length)) {
            scsi_respond(conn, request->itt, SCSI_SENSE_MEDIUM_ERROR, sent, request->word20, data_sn);
            return;
        }
        scsi_data_in(conn, request, bytes != NULL ? bytes + sent : part, length, sent, data_sn++,
                     last || length == in_burst, last, wanted);
        sent += length;
    }
    if (total == 0)
        scsi_respond(conn, request->itt, SCSI_SENSE_NONE, wanted, request->word20, 0);
}

/* ---- writes ---- */

static struct scsi_task **scsi_find(struct conn *conn, uint32_t itt)
{
    struct scsi_task **link = &conn->tasks;

    while (*link != NULL && (*link)->itt != itt)
        link = &(*link)->next;
    return link;
}

static void scsi_finish(struct conn *conn, struct scsi_task *task)
{
    struct scsi_task **link = scsi_find(conn, task->itt);

    scsi_respond(conn, task->itt, task->sense, task->wanted, task->expected, task->r2t_sn);
    *link = task->next;
    node_release(conn->node, task);
}

/* Asks for the next burst, or ends the command when everything has come. */
static void scsi_solicit(struct conn *conn, struct scsi_task *task)
{
    uint32_t burst = conn->session->params.max_burst_length;
    uint32_t left = task->received < task->length ? task->length - task->received : 0;
    uint8_t bhs[PDU_BHS_LEN];

    task->unsolicited = false;
    task->data_sn = 0;
    if (left == 0 || task->sense != SCSI_SENSE_NONE) {
        scsi_finish(conn, task);
        return;
    }
    if (left < burst)
        burst = left;
    task->burst_end = task->received + burst;
    struct pdu_response response = { .opcode = PDU_R2T, .flags = PDU_FLAG_FINAL, .lun = task->lun,
                                 .itt = task->itt, .word20 = task->itt, .word36 = task->r2t_sn++,
                                 .word40 = task->received, .word44 = burst };

    full_number(conn, &response, false);
    pdu_response_encode(&response, bhs);
    conn_send(conn, bhs, NULL, 0);
}

/* Takes write data that came in order. What the command does not want is counted and dropped: a residual. */
static void scsi_take(struct conn *conn, struct scsi_task *task, const uint8_t *data, size_t length)
{
    uint32_t room = task->received < task->length ? task->length - task->received : 0;
    size_t useful = length < room ? length : room;

    if (length > task->burst_end - task->received) {
        task->sense = SCSI_SENSE_UNEXPECTED_DATA;
        return;
    }
    if (task->sense == SCSI_SENSE_NONE && useful > 0 &&
        !scsi_disk_write(conn->node, conn->session->target, task->offset + task->received, data, useful))
        task->sense = SCSI_SENSE_WRITE_ERROR;
    task->received += (uint32_t)length;
}

static void scsi_start_write(struct conn *conn, const struct pdu_request *request, const struct scsi_reply *reply,
                             const uint8_t *data, size_t length)
{
    const struct negotiate_params *params = &conn->session->params;
    bool final = (request->flags & PDU_FLAG_FINAL) != 0;
    struct scsi_task *task = node_allocate(conn->node, sizeof(*task));

    if (task == NULL) {
        conn_end(conn, CONN_RESET);
        return;
    }
    task->itt = request->itt;
    task->lun = request->lun;
    task->expected = (request->flags & PDU_FLAG_WRITE) != 0 ? request->word20 : 0;
    task->offset = reply->offset;
    task->wanted = reply->transfer_length;
    task->length = task->wanted < task->expected ? (uint32_t)task->wanted : task->expected;
    task->burst_end = task->expected < params->first_burst_length ? task->expected : params->first_burst_length;
    task->unsolicited = !final;
    task->next = conn->tasks;
    conn->tasks = task;
    if ((length > 0 && params->immediate_data == 0 && !conn_has(conn, DEFECT_UNSOLICITED_DATA_TAKEN)) ||
        (!final && params->initial_r2t != 0)) {
        task->sense = SCSI_SENSE_UNEXPECTED_DATA;
        scsi_finish(conn, task);
        return;
    }
    if (length > 0)
        scsi_take(conn, task, data, length);
    if (final)
        scsi_solicit(conn, task);
}

void scsi_data_out(struct conn *conn, const uint8_t *bhs, const uint8_t *data, size_t length)
{
    struct pdu_request request;

    pdu_request_decode(&request, bhs);
    struct scsi_task *task = *scsi_find(conn, request.itt);

    if (task == NULL)
        return;                 /* ended with an error, or aborted: the rest of its data is dropped */
    if (request.word20 != (task->unsolicited ? PDU_NO_TAG : task->itt)) {
        full_reject(conn, bhs, PDU_REJECT_INVALID_FIELD);
        return;
    }
    /* DataPDUInOrder and DataSequenceInOrder are Yes, and at ErrorRecoveryLevel 0 nothing is sent again. */
    if (bytes_get_be32(request.tail + 8) != task->received || bytes_get_be32(request.tail + 4) != task->data_sn++)
        task->sense = SCSI_SENSE_UNEXPECTED_DATA;
    else
        scsi_take(conn, task, data, length);
    if ((request.flags & PDU_FLAG_FINAL) != 0)
        scsi_solicit(conn, task);
}

/* ---- commands ---- */

static const struct scsi_opcode *scsi_opcode_find(uint8_t opcode)
{
    for (size_t i = 0; i < sizeof(scsi_opcodes) / sizeof(scsi_opcodes[0]); i++) {
        if (scsi_opcodes[i].opcode == opcode)
            return &scsi_opcodes[i];
    }
    return NULL;
}

static void scsi_execute(const struct scsi_request *request, struct scsi_reply *reply)
{
    const struct scsi_opcode *opcode = scsi_opcode_find(request->cdb[0]);

    if (opcode == NULL)
        reply->sense = request->lun == 0 ? SCSI_SENSE_INVALID_OPCODE : SCSI_SENSE_NO_SUCH_UNIT;
    else if (request->lun != 0 && !opcode->any_unit)
        reply->sense = SCSI_SENSE_NO_SUCH_UNIT;
    else
        opcode->handler(request, reply);
}

void scsi_command(struct conn *conn, const uint8_t *bhs, const uint8_t *data, size_t length)
{
    struct pdu_request request;
    struct scsi_reply reply = { .sense = SCSI_SENSE_NONE };

    pdu_request_decode(&request, bhs);
    if (request.itt == PDU_NO_TAG || *scsi_find(conn, request.itt) != NULL) {
        full_reject(conn, bhs, request.itt == PDU_NO_TAG ? PDU_REJECT_INVALID_FIELD : PDU_REJECT_TASK_IN_PROGRESS);
        return;
    }
    /* Only by the defect commands-in-discovery does a session without a target get here. */
    size_t target = conn->session->target == NODE_ALL ? 0 : conn->session->target;
    struct scsi_request command = { .node = conn->node, .target = target, .lun = request.lun,
                                .cdb = request.tail };

    scsi_execute(&command, &reply);
    if (reply.transfer && conn->session->target == NODE_ALL) {
        reply.transfer = false;
        reply.sense = SCSI_SENSE_INVALID_OPCODE;
    }
    if (reply.sense != SCSI_SENSE_NONE)
        scsi_respond(conn, request.itt, reply.sense, 0, request.word20, 0);
    else if (reply.transfer && reply.write)
        scsi_start_write(conn, &request, &reply, data, length);
    else
        scsi_send_data(conn, &request, &reply, reply.transfer ? NULL : reply.bytes);
}

/* ---- task management ---- */

void scsi_abort_all(struct conn *conn)
{
    while (conn->tasks != NULL) {
        struct scsi_task *task = conn->tasks;

        conn->tasks = task->next;
        node_release(conn->node, task);
    }
}

static uint8_t scsi_abort_one(struct conn *conn, uint32_t itt)
{
    struct scsi_task **link = scsi_find(conn, itt);
    struct scsi_task *task = *link;

    if (task == NULL)
        return 1;               /* Task does not exist */
    *link = task->next;
    node_release(conn->node, task);
    return 0;
}

void scsi_task_management(struct conn *conn, const uint8_t *bhs)
{
    enum { ABORT_TASK = 1, ABORT_TASK_SET = 2, CLEAR_TASK_SET = 4, LUN_RESET = 5, WARM_RESET = 6, REASSIGN = 8 };
    enum { COMPLETE = 0, NO_UNIT = 2, NO_REASSIGN = 4, NOT_SUPPORTED = 5 };
    struct pdu_request request;
    uint8_t code;

    pdu_request_decode(&request, bhs);
    unsigned function = request.flags & 0x7fU;

    if (request.lun != 0 && function >= ABORT_TASK && function <= LUN_RESET) {
        code = NO_UNIT;
    } else if (function == ABORT_TASK) {
        code = scsi_abort_one(conn, request.word20);
    } else if (function == ABORT_TASK_SET || function == CLEAR_TASK_SET || function == LUN_RESET ||
               function == WARM_RESET) {
        for (struct conn *other = conn->session->conns; other != NULL; other = other->session_next)
            scsi_abort_all(other);
        code = COMPLETE;
    } else {
        code = function == REASSIGN ? NO_REASSIGN : NOT_SUPPORTED;
    }
    struct pdu_response response = { .opcode = PDU_TASK_MANAGEMENT_RESPONSE, .flags = PDU_FLAG_FINAL,
                                 .byte2 = code, .itt = request.itt };

    full_send(conn, &response, NULL, 0);
}
