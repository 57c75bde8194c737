/* The planted memory faults: see planted.h. Without the build option this file is empty. */
#include "planted.h"

#ifdef PLANTED_FAULTS

#include <string.h>

#include "engine.h"
#include "login.h"
#include "wire/chap.h"

enum {
    ROOM_INDEX = 64,
    ROOM_NAME = TEXT_NAME_MAX + 1,
    ROOM_ITEMS = 8,
    ROOM_NUMBER = 20,
    ROOM_RESPONSE = CHAP_MAX_HASH_LEN,
    ROOM_TEXT = 256,
    ROOM_CHALLENGE = 64
};

/* Copies without asking whether there is room. */
static void fault_copy(const struct conn *conn, size_t room, const void *bytes, size_t length)
{
    char *memory = node_allocate(conn->node, room);

    if (memory != NULL && length > 0)
        memcpy(memory, bytes, length);
    node_release(conn->node, memory);
}

static void fault_index(const struct conn *conn, size_t index)
{
    uint8_t *memory = node_allocate(conn->node, ROOM_INDEX);

    if (memory != NULL)
        memory[index]++;
    node_release(conn->node, memory);
}

static void fault_items(const struct conn *conn, const char *value, size_t length)
{
    const char **items = node_allocate(conn->node, ROOM_ITEMS * sizeof(*items));
    struct text_list list;
    const char *item;
    size_t item_length, count = 0;

    text_list_init(&list, value, length);
    while (items != NULL && text_list_next(&list, &item, &item_length))
        items[count++] = item;
    node_release(conn->node, items);
}

/* Decodes whatever length it has. */
static void fault_decode(const struct conn *conn, size_t room, const char *value, size_t length)
{
    uint8_t *memory = node_allocate(conn->node, room);
    size_t decoded;

    if (memory != NULL)
        text_decode_binary(value, length, memory, CHAP_MAX_BINARY, &decoded);
    node_release(conn->node, memory);
}

static void fault_pointer(const struct conn *conn, const uint8_t *bytes, size_t length)
{
    struct login *login = conn->login;

    if (login->planted == NULL && length > 0)
        login->planted = bytes;
}

static void fault_use(const struct conn *conn)
{
    struct login *login = conn->login;

    if (login->planted != NULL)
        fault_copy(conn, 1, login->planted, 1);
    login->planted = NULL;
}

void planted_touch(const struct conn *conn, enum planted_site site, const void *bytes, size_t length)
{
    static const enum defect defects[] = {
        [PLANTED_AT_REQUEST] = DEFECT_PLANTED_VERSION_INDEX, [PLANTED_AT_NAME] = DEFECT_PLANTED_NAME_COPY,
        [PLANTED_AT_METHODS] = DEFECT_PLANTED_METHOD_LIST,   [PLANTED_AT_PART] = DEFECT_PLANTED_C_BIT_POINTER,
        [PLANTED_AT_JOINED] = DEFECT_PLANTED_C_BIT_POINTER,  [PLANTED_AT_NUMBER] = DEFECT_PLANTED_NUMBER_COPY,
        [PLANTED_AT_ALGORITHMS] = DEFECT_PLANTED_ALGORITHM_LIST,
        [PLANTED_AT_RESPONSE] = DEFECT_PLANTED_RESPONSE_COPY, [PLANTED_AT_USER] = DEFECT_PLANTED_USER_COPY,
        [PLANTED_AT_CHALLENGE] = DEFECT_PLANTED_CHALLENGE_COPY};

    if (site == PLANTED_AT_REQUEST && conn_has(conn, DEFECT_PLANTED_AHS_READ))
        fault_copy(conn, 1024, (const uint8_t *)bytes + PDU_BHS_LEN, pdu_ahs_len(bytes));
    if (!conn_has(conn, defects[site]))
        return;
    switch (site) {
    case PLANTED_AT_REQUEST:
        fault_index(conn, conn->login->request.version_min);
        break;
    case PLANTED_AT_NAME:
        fault_copy(conn, ROOM_NAME, bytes, length);
        break;
    case PLANTED_AT_METHODS:
    case PLANTED_AT_ALGORITHMS:
        fault_items(conn, bytes, length);
        break;
    case PLANTED_AT_PART:
        fault_pointer(conn, bytes, length);
        break;
    case PLANTED_AT_JOINED:
        fault_use(conn);
        break;
    case PLANTED_AT_NUMBER:
        fault_copy(conn, ROOM_NUMBER, bytes, length);
        break;
    case PLANTED_AT_RESPONSE:
        fault_decode(conn, ROOM_RESPONSE, bytes, length);
        break;
    case PLANTED_AT_USER:
        fault_copy(conn, ROOM_TEXT, bytes, length);
        break;
    case PLANTED_AT_CHALLENGE:
        fault_decode(conn, ROOM_CHALLENGE, bytes, length);
        break;
    }
}

#else

typedef int planted_nothing; /* ISO C wants a declaration in each file */

#endif
