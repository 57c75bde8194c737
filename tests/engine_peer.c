/* See engine_peer.h. */
#include "engine_peer.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/text.h"

static char portal_names[PORTAL_COUNT][8] = { "a", "b", "other", "normal", "limited", "drained" };
static char portal_hosts[PORTAL_COUNT][16] = { "127.0.0.1", "127.0.0.2", "127.0.0.3",
                                               "127.0.0.4", "127.0.0.5", "127.0.0.6" };
static char portal_addresses[PORTAL_COUNT][24] = { "127.0.0.1:3260", "127.0.0.2:3260", "127.0.0.3:3260",
                                               "127.0.0.4:3260", "127.0.0.5:3260", "127.0.0.6:3260" };
static char target_names[TARGET_COUNT][48] = {
    "iqn.2024-01.org.example:open", "iqn.2024-01.org.example:chap", "iqn.2024-01.org.example:mutual",
    "iqn.2024-01.org.example:denied", "iqn.2024-01.org.example:temporary", "iqn.2024-01.org.example:permanent",
    "iqn.2024-01.org.example:removed", "iqn.2024-01.org.example:fault", "iqn.2024-01.org.example:single",
    "iqn.2024-01.org.example:on-b", "iqn.2024-01.org.example:file", "iqn.2024-01.org.example:same"
};
static char moved_to[] = "192.0.2.7:3261";
static char user_one[] = PEER_USER;
static uint8_t secret_one[] = PEER_SECRET;
static char user_target[] = PEER_TARGET_USER;
static uint8_t secret_target[] = PEER_TARGET_SECRET;
static char nobody[] = "iqn.2024-01.org.example:somebody-else";
static char *allow_nobody[] = { nobody };
static struct config_credential users[] = { { user_one, secret_one, sizeof(secret_one) - 1 } };

const char *world_target_name(size_t target)
{
    return target_names[target];
}

static uint64_t world_now(void *context)
{
    return ((struct world *)context)->now;
}

static bool world_random(void *context, uint8_t *bytes, size_t length)
{
    struct world *world = context;

    if (world->random_fails)
        return false;
    for (size_t i = 0; i < length; i++) {
        world->random = world->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(world->random >> 56);
    }
    return true;
}

static void *world_allocate(void *context, size_t size)
{
    struct world *world = context;

    if (++world->allocations == world->fail_at)
        return NULL;
    void *memory = malloc(size);

    if (memory != NULL) {
        memset(memory, 0xa5, size);
        world->live++;
    }
    return memory;
}

static void world_release(void *context, void *memory)
{
    if (memory != NULL)
        ((struct world *)context)->live--;
    free(memory);
}

static void world_log(void *context, enum node_log_level level, const char *text)
{
    struct world *world = context;

    (void)level;
    snprintf(world->log, sizeof(world->log), "%s", text);
}

static bool world_store_ok(void *context, size_t target)
{
    (void)target;
    return !((struct world *)context)->store_gone;
}

static bool world_store_read(void *context, size_t target, uint64_t offset, uint8_t *bytes, size_t length)
{
    struct world *world = context;

    (void)target;
    assert_true(offset + length <= WORLD_STORE_SIZE);
    memcpy(bytes, world->store + offset, length);
    return !world->store_fails;
}

static bool world_store_write(void *context, size_t target, uint64_t offset, const uint8_t *bytes, size_t length)
{
    struct world *world = context;

    (void)target;
    assert_true(offset + length <= WORLD_STORE_SIZE);
    if (!world->store_fails)
        memcpy(world->store + offset, bytes, length);
    return !world->store_fails;
}

static bool world_store_flush(void *context, size_t target)
{
    (void)target;
    return !((struct world *)context)->store_fails;
}

void world_init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    world->now = 1000;
    world->random = 42;
    struct config *config = &world->config;

    config->codes = CONFIG_CODES_ALL;
    config->login_timeout_ms = CONFIG_TIMEOUT_LOGIN_MS;
    config->params = (struct config_params){ .max_recv_data_segment_length = 262144, .max_burst_length = 262144,
                                         .first_burst_length = 65536, .default_time2wait = 2,
                                         .default_time2retain = 20, .max_outstanding_r2t = 1,
                                         .immediate_data = true, .header_digest = true, .data_digest = true };
    config->portals = world->portals;
    config->portal_count = PORTAL_COUNT;
    config->targets = world->targets;
    config->target_count = TARGET_COUNT;
    for (size_t i = 0; i < PORTAL_COUNT; i++)
        world->portals[i] = (struct config_portal){ .name = portal_names[i], .host = portal_hosts[i],
                                                .address = portal_addresses[i], .tag = 1,
                                                .session_types = CONFIG_SESSION_ALL };
    world->portals[PORTAL_OTHER_TAG].tag = 2;
    world->portals[PORTAL_NORMAL_ONLY].session_types = CONFIG_SESSION_NORMAL;
    world->portals[PORTAL_LIMITED].max_sessions = 1;
    world->portals[PORTAL_DRAINED].drain = true;
    for (size_t i = 0; i < TARGET_COUNT; i++)
        world->targets[i] = (struct config_target){ .name = target_names[i], .max_connections = 4 };
    struct config_target *targets = world->targets;

    targets[TARGET_CHAP].auth = (struct config_auth){ .users = users, .user_count = 1 };
    targets[TARGET_MUTUAL].auth = (struct config_auth){
        .users = users, .user_count = 1,
        .mutual = { user_target, secret_target, sizeof(secret_target) - 1 } };
    targets[TARGET_SAME_SECRET].auth = (struct config_auth){
        .users = users, .user_count = 1, .mutual = { user_target, secret_one, sizeof(secret_one) - 1 } };
    targets[TARGET_DENIED].allow = allow_nobody;
    targets[TARGET_DENIED].allow_count = 1;
    targets[TARGET_TEMPORARY].moved = CONFIG_MOVED_TEMPORARILY;
    targets[TARGET_TEMPORARY].moved_portal = PORTAL_B;
    targets[TARGET_PERMANENT].moved = CONFIG_MOVED_PERMANENTLY;
    targets[TARGET_PERMANENT].moved_to = moved_to;
    targets[TARGET_REMOVED].removed = true;
    targets[TARGET_FAULT].fault = true;
    targets[TARGET_SINGLE].max_connections = 1;
    targets[TARGET_ON_B].portals = UINT64_C(1) << PORTAL_B;
    targets[TARGET_FILE].lun = CONFIG_LUN_FILE;
    targets[TARGET_FILE].lun_size = WORLD_STORE_SIZE;
}

void world_start(struct world *world)
{
    struct node_env env = { .context = world, .now_ms = world_now, .random = world_random,
                        .allocate = world_allocate, .release = world_release, .log = world_log,
                        .store_ok = world_store_ok, .store_read = world_store_read,
                        .store_write = world_store_write, .store_flush = world_store_flush };

    world->node = node_new(&world->config, &env);
}

void world_open(struct world *world, const char *defect)
{
    world_init(world);
    if (defect != NULL) {
        assert_true(defects_find(defect) < DEFECT_COUNT);
        defects_set(&world->config.defects, defects_find(defect));
    }
    world_start(world);
    assert_non_null(world->node);
}

static void world_count_transitions(const struct world *world)
{
    const char *folder = getenv("ISCSISPEC_TRANSITIONS");
    char path[4096];
    FILE *file;

    if (folder == NULL || world->node == NULL)
        return;
    snprintf(path, sizeof(path), "%s/%ld", folder, (long)getpid());
    file = fopen(path, "a");
    assert_non_null(file);
    for (size_t i = 0; i < node_transition_count(); i++)
        if (node_transition_hits(world->node, i) > 0)
            fprintf(file, "%zu %llu\n", i, (unsigned long long)node_transition_hits(world->node, i));
    assert_int_equal(fclose(file), 0);
}

void world_close(struct world *world)
{
    world_count_transitions(world);
    node_free(world->node);
    assert_int_equal(world->live, 0);
}

/* ---- connections ---- */

void peer_open(struct world *world, size_t portal, struct peer *peer)
{
    memset(peer, 0, sizeof(*peer));
    peer->world = world;
    peer->conn = conn_open(world->node, portal, "peer", "127.0.0.1:3260");
    peer->cmd_sn = 0x1000;
    peer->header = (struct pdu_login_request){ .immediate = true, .itt = 0x10203040, .cid = 1,
                                           .cmd_sn = 0x1000, .isid = { 0x80, 0x12, 0x34 } };
    uint16_t number = (uint16_t)++world->random;

    bytes_put_be16(peer->header.isid + 4, number);
}

void peer_close(struct peer *peer)
{
    conn_free(peer->conn);
    peer->conn = NULL;
}

static void peer_put(struct peer *peer, const uint8_t *bhs, const void *data, size_t length)
{
    static const uint8_t zero[4];

    conn_input(peer->conn, bhs, PDU_BHS_LEN);
    if (length > 0)
        conn_input(peer->conn, data, length);
    if (pdu_padding(length) > 0)
        conn_input(peer->conn, zero, pdu_padding(length));
}

void peer_login(struct peer *peer, unsigned flags, const char *text, size_t length)
{
    uint8_t bhs[PDU_BHS_LEN];

    peer->header.data_len = (uint32_t)length;
    pdu_login_request_encode(&peer->header, bhs);
    bhs[1] = (uint8_t)flags;
    peer_put(peer, bhs, text, length);
}

void peer_send(struct peer *peer, uint8_t *bhs, const void *data, size_t length)
{
    pdu_set_data_len(bhs, length);
    peer_put(peer, bhs, data, length);
}

bool peer_receive(struct peer *peer)
{
    const uint8_t *bytes;
    size_t length = conn_output(peer->conn, &bytes);

    if (length < PDU_BHS_LEN)
        return false;
    memcpy(peer->bhs, bytes, PDU_BHS_LEN);
    pdu_login_response_decode(&peer->response, bytes);
    size_t at = PDU_BHS_LEN + pdu_ahs_len(bytes);
    size_t total = at + pdu_padded_len(pdu_data_len(bytes));

    peer->length = pdu_data_len(bytes);
    if (total > length || peer->length > sizeof(peer->data)) {
        conn_output_consumed(peer->conn, length);
        return false;
    }
    memcpy(peer->data, bytes + at, peer->length);
    conn_output_consumed(peer->conn, total);
    return true;
}

const char *peer_value(const struct peer *peer, const char *key)
{
    static char value[4096];
    struct text_pair pair;

    if (!text_find(peer->data, peer->length, key, &pair) || pair.value_len >= sizeof(value))
        return NULL;
    memcpy(value, pair.value, pair.value_len);
    value[pair.value_len] = '\0';
    return value;
}

bool peer_has(const struct peer *peer, const char *key, const char *value)
{
    const char *found = peer_value(peer, key);

    return found != NULL && (value == NULL || strcmp(found, value) == 0);
}

size_t peer_names(char *out, size_t size, size_t target, const char *extra, size_t extra_length)
{
    struct text_buf text;

    text_buf_init_fixed(&text, out, size);
    text_buf_add(&text, "InitiatorName", PEER_INITIATOR);
    text_buf_add(&text, "SessionType", target == NODE_ALL ? "Discovery" : "Normal");
    if (target != NODE_ALL)
        text_buf_add(&text, "TargetName", target_names[target]);
    /* A literal's own null ends the last pair. */
    text_buf_add_raw(&text, extra, extra_length);
    assert_false(text.overflow);
    return text.len;
}

bool peer_login_whole(struct peer *peer, size_t target, const char *extra, size_t extra_length)
{
    char text[8192];
    size_t length = peer_names(text, sizeof(text), target, extra, extra_length);

    peer_login(peer, 0x87, text, length);
    if (!peer_receive(peer))
        return false;
    bool logged_in = peer->response.status == 0 && peer->response.transit && peer->response.nsg == 3;

    if (logged_in)
        peer->header.tsih = peer->response.tsih;
    return logged_in;
}

void peer_chap_with(struct peer *peer, size_t target, unsigned algorithm, const char *user, const char *secret,
                    const char *challenge, unsigned flags)
{
    char text[4096], value[TEXT_HEX_SIZE(CHAP_MAX_HASH_LEN)];
    uint8_t received[2 * CHAP_MAX_BINARY], hash[CHAP_MAX_HASH_LEN];
    size_t received_length = 0, hash_length = 0;
    struct text_buf out;

    peer_login(peer, 0x81, text, peer_names(text, sizeof(text), target, TEXT("AuthMethod=CHAP,None")));
    if (!peer_receive(peer) || peer->response.status != 0)
        return;
    text_buf_init_fixed(&out, text, sizeof(text));
    text_buf_addf(&out, "CHAP_A", "%u", algorithm);
    peer_login(peer, 0x00, text, out.len);
    if (!peer_receive(peer) || peer->response.status != 0)
        return;
    const char *encoded = peer_value(peer, "CHAP_C");

    if (encoded == NULL)
        return;
    (void)text_decode_binary(encoded, strlen(encoded), received, sizeof(received), &received_length);
    const struct chap_algorithm *entry = chap_algorithm_find(algorithm);
    const char *identifier = peer_value(peer, "CHAP_I");

    if (entry == NULL || identifier == NULL)
        return;
    chap_response(entry, (uint8_t)strtoul(identifier, NULL, 10), secret, strlen(secret), received, received_length,
                  hash, sizeof(hash), &hash_length);
    text_encode_hex(hash, hash_length, value, sizeof(value));
    text_buf_clear(&out);
    text_buf_add(&out, "CHAP_N", user);
    text_buf_add(&out, "CHAP_R", value);
    if (challenge != NULL) {
        text_buf_add(&out, "CHAP_I", "7");
        text_buf_add(&out, "CHAP_C", challenge);
    }
    peer_login(peer, flags, text, out.len);
    peer_receive(peer);
}

void peer_chap(struct peer *peer, size_t target, unsigned algorithm, const char *user, const char *secret,
               const char *challenge)
{
    peer_chap_with(peer, target, algorithm, user, secret, challenge, 0x81);
}

bool peer_alive(struct peer *peer)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request nop = { .opcode = PDU_NOP_OUT, .immediate = true, .flags = PDU_FLAG_FINAL, .itt = 0x77,
                           .word20 = PDU_NO_TAG, .cmd_sn = peer->cmd_sn };

    if (peer->conn == NULL || conn_action(peer->conn) != CONN_KEEP)
        return false;
    pdu_request_encode(&nop, bhs);
    peer_send(peer, bhs, "ping", 4);
    return peer_receive(peer) && pdu_opcode(peer->bhs) == PDU_NOP_IN && pdu_itt(peer->bhs) == 0x77 &&
           peer->length == 4 && memcmp(peer->data, "ping", 4) == 0;
}

size_t peer_many_keys(const char **text, size_t size)
{
    static char space[8192];
    size_t length = peer_names(space, sizeof(space), TARGET_OPEN, "", 0);

    for (unsigned i = 0; length + 16 < size; i++)
        length += (size_t)snprintf(space + length, size - length, "X-%u=1", i) + 1;
    *text = space;
    return length;
}
