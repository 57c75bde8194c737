/* Security negotiation; see auth.h. */
#include "auth.h"

#include <string.h>

#include "engine.h"
#include "login.h"

/* Keys that belong to an authentication method, AuthMethod itself not included. */
static const enum keys_id auth_keys[] = {
    KEYS_CHAP_A, KEYS_CHAP_I, KEYS_CHAP_C, KEYS_CHAP_N, KEYS_CHAP_R, KEYS_SRP_U, KEYS_TARGET_AUTH, KEYS_SRP_GROUP,
    KEYS_SRP_S, KEYS_SRP_A, KEYS_SRP_B, KEYS_SRP_M, KEYS_SRP_HM, KEYS_KRB_AP_REQ, KEYS_KRB_AP_REP
};

static uint64_t key_bit(enum keys_id id)
{
    return UINT64_C(1) << (unsigned)id;
}

/* Does the request hold authentication keys outside those of its step? */
static bool auth_out_of_step(const struct negotiate_request *request, uint64_t allowed)
{
    for (size_t i = 0; i < sizeof(auth_keys) / sizeof(auth_keys[0]); i++) {
        if (negotiate_present(request, auth_keys[i]) && (allowed & key_bit(auth_keys[i])) == 0)
            return true;
    }
    return false;
}

bool auth_stray(const struct negotiate_request *request)
{
    return auth_out_of_step(request, 0) || negotiate_present(request, KEYS_AUTH_METHOD);
}

bool auth_required(const struct auth *auth)
{
    return auth->config != NULL && auth->config->user_count > 0;
}

/* ---- AuthMethod ---- */

/* Our choice from the list, NULL: none of it is usable. */
static const char *auth_choose_method(const struct conn *conn, const struct auth *auth, const struct text_pair *offer)
{
    const char *own = auth_required(auth) ? "CHAP" : "None";
    const char *item;
    size_t length;

    if (conn_has(conn, DEFECT_AUTH_METHOD_NOT_OFFERED) && auth_required(auth))
        return "CHAP";
    if (conn_has(conn, DEFECT_ACCEPT_AUTH_NONE) && text_list_has(offer->value, offer->value_len, "None", 4))
        return "None";
    return keys_result_list(offer->value, offer->value_len, own, strlen(own), &item, &length) ? own : NULL;
}

static enum cause auth_start_challenge(struct conn *conn, struct auth *auth, struct text_buf *answer,
                                       enum auth_next *next);

enum cause auth_method(struct conn *conn, struct auth *auth, const struct negotiate_request *request,
                       struct text_buf *answer, enum auth_next *next)
{
    const struct text_pair *offer = &request->pairs[KEYS_AUTH_METHOD];

    if (auth_out_of_step(request, 0) && !conn_has(conn, DEFECT_CHAP_STEP_IGNORED))
        return CAUSE_CHAP_STEP;
    if (!negotiate_present(request, KEYS_AUTH_METHOD))
        return CAUSE_NONE;
    planted_touch(conn, PLANTED_AT_METHODS, offer->value, offer->value_len);
    if (conn->login->responses > 0 && conn_has(conn, DEFECT_METHOD_ONLY_AT_ONCE))
        return CAUSE_INVENTED_INITIATOR_ERROR;
    if (keys_word(offer->value, offer->value_len) != KEYS_WORD_VALUE && conn_has(conn, DEFECT_ACCEPT_RESERVED_METHOD)) {
        text_buf_add(answer, "AuthMethod", "None");
        *next = AUTH_FINISHED;
        return CAUSE_NONE;
    }
    if (keys_word(offer->value, offer->value_len) != KEYS_WORD_VALUE)
        return CAUSE_WORD;
    if (conn_has(conn, DEFECT_AUTH_METHOD_UNKNOWN_TAKEN)) {
        const char *comma = memchr(offer->value, ',', offer->value_len);
        size_t first = comma == NULL ? offer->value_len : (size_t)(comma - offer->value);

        text_buf_add_n(answer, "AuthMethod", offer->value, first);
        *next = auth_required(auth) ? AUTH_EXPECT_CHAP_A : AUTH_FINISHED;
        return CAUSE_NONE;
    }
    const char *method = auth_choose_method(conn, auth, offer);

    if (method == NULL && !auth_required(auth) && conn_has(conn, DEFECT_METHOD_UNANSWERED)) {
        *next = AUTH_FINISHED;
        return CAUSE_NONE;
    }
    if (method == NULL)
        return CAUSE_AUTH_METHOD;
    text_buf_add(answer, "AuthMethod", method);
    if (strcmp(method, "CHAP") == 0) {
        *next = AUTH_EXPECT_CHAP_A;
        if (conn_has(conn, DEFECT_CHAP_SKIPS_STEP)) {
            auth->algorithm = chap_algorithm_find(CHAP_MD5);
            return auth_start_challenge(conn, auth, answer, next);
        }
    } else {
        *next = AUTH_FINISHED;
        auth->done = auth_required(auth);       /* only by a defect */
    }
    return CAUSE_NONE;
}

/* ---- CHAP_A ---- */

static bool auth_usable(const struct conn *conn, const struct auth *auth, const struct chap_algorithm *algorithm)
{
    if (algorithm != NULL && algorithm->number != CHAP_MD5 && conn_has(conn, DEFECT_CHAP_MD5_ALONE))
        return false;
    return algorithm != NULL && chap_algorithm_available(algorithm) &&
           (auth->config->algorithms == 0 || (auth->config->algorithms >> algorithm->number & 1U) != 0);
}

/* First algorithm of the initiator's list that is usable, NULL: none. */
static const struct chap_algorithm *auth_choose_algorithm(const struct conn *conn, const struct auth *auth,
                                                          const struct text_pair *offer)
{
    const struct chap_algorithm *chosen = NULL;
    struct text_list list;
    const char *item;
    size_t length;

    text_list_init(&list, offer->value, offer->value_len);
    while (text_list_next(&list, &item, &length)) {
        uint64_t number;

        if (text_parse_number(item, length, &number) != TEXT_NUMBER_OK ||
            !auth_usable(conn, auth, chap_algorithm_find(number)))
            continue;
        chosen = chap_algorithm_find(number);
        if (!conn_has(conn, DEFECT_CHAP_ALGORITHM_NOT_FIRST))
            break;
    }
    if (chosen == NULL && conn_has(conn, DEFECT_NO_COMMON_ALGORITHM_ACCEPTED))
        chosen = chap_algorithm_find(CHAP_MD5);
    return chosen;
}

/* A binary value in the form that the switches want. */
static void auth_encode(const struct conn *conn, const uint8_t *bytes, size_t length, char *text, size_t size)
{
    if (conn_benign(conn, BENIGN_CHAP_BASE64)) {
        text_encode_base64(bytes, length, text, size);
        return;
    }
    text_encode_hex(bytes, length, text, size);
    for (size_t i = 1; conn_benign(conn, BENIGN_CHAP_UPPER_HEX) && text[i] != '\0'; i++) {
        if (text[i] >= 'a')
            text[i] = (char)(text[i] - 'a' + 'A');
    }
}

/* Fresh identifier and challenge, as long as the hash. False: no random numbers. */
static bool auth_draw(const struct conn *conn, struct auth *auth)
{
    const struct node_env *env = &conn->node->env;

    auth->challenge_length = auth->algorithm->hash_len;
    if (conn_benign(conn, BENIGN_CHAP_LONG_CHALLENGE))
        auth->challenge_length = CHAP_MAX_BINARY;
    if (conn_benign(conn, BENIGN_CHAP_SHORT_CHALLENGE))
        auth->challenge_length = AUTH_CHALLENGE_SHORT;
    if (conn_has(conn, DEFECT_CHAP_CHALLENGE_TOO_LONG))
        auth->challenge_length = AUTH_CHALLENGE_MAX;
    if (conn_has(conn, DEFECT_CHAP_CHALLENGE_EMPTY))
        auth->challenge_length = 0;
    if (!env->random(env->context, auth->challenge, auth->challenge_length) ||
        !env->random(env->context, &auth->identifier, 1))
        return false;
    if (conn_has(conn, DEFECT_CHAP_CONSTANT_CHALLENGE))
        memset(auth->challenge, 0x5a, sizeof(auth->challenge));
    if (conn_has(conn, DEFECT_CHAP_CONSTANT_IDENTIFIER))
        auth->identifier = 1;
    return true;
}

static enum cause auth_start_challenge(struct conn *conn, struct auth *auth, struct text_buf *answer,
                                       enum auth_next *next)
{
    char text[TEXT_HEX_SIZE(AUTH_CHALLENGE_MAX)];
    unsigned number = auth->algorithm->number;

    if (!auth_draw(conn, auth))
        return CAUSE_NO_RANDOM;
    if (conn_has(conn, DEFECT_CHAP_ALGORITHM_NOT_OFFERED))
        number = number == CHAP_MD5 ? CHAP_SHA3_256 : CHAP_MD5;
    auth_encode(conn, auth->challenge, auth->challenge_length, text, sizeof(text));
    text_buf_addf(answer, "CHAP_A", "%u", number);
    text_buf_addf(answer, "CHAP_I", "%u",
                  auth->identifier + (conn_has(conn, DEFECT_CHAP_IDENTIFIER_OUT_OF_RANGE) ? 256U : 0U));
    text_buf_add(answer, "CHAP_C", auth->challenge_length == 0 ? "0x" : text);
    if (conn_has(conn, DEFECT_CHALLENGE_TWICE_IN_TEXT))
        text_buf_add(answer, "CHAP_C", text);
    *next = AUTH_EXPECT_CHAP_R;
    return CAUSE_NONE;
}

enum cause auth_challenge(struct conn *conn, struct auth *auth, const struct negotiate_request *request,
                          struct text_buf *answer, enum auth_next *next)
{
    *next = AUTH_EXPECT_CHAP_A;
    if (negotiate_present(request, KEYS_CHAP_R) && conn_has(conn, DEFECT_ACCEPT_SKIPPED_CHALLENGE)) {
        auth->done = true;
        *next = AUTH_FINISHED;
        return CAUSE_NONE;
    }
    if (!negotiate_present(request, KEYS_CHAP_A))
        return CAUSE_CHAP_MISSING;
    if ((auth_out_of_step(request, key_bit(KEYS_CHAP_A)) || negotiate_present(request, KEYS_AUTH_METHOD)) &&
        !conn_has(conn, DEFECT_CHAP_STEP_IGNORED))
        return CAUSE_CHAP_STEP;
    planted_touch(conn, PLANTED_AT_ALGORITHMS, request->pairs[KEYS_CHAP_A].value, request->pairs[KEYS_CHAP_A].value_len);
    auth->algorithm = auth_choose_algorithm(conn, auth, &request->pairs[KEYS_CHAP_A]);
    if (auth->algorithm == NULL)
        return CAUSE_CHAP_ALGORITHM;
    return auth_start_challenge(conn, auth, answer, next);
}

/* ---- CHAP_N, CHAP_R ---- */

static const struct config_credential *auth_find_user(const struct conn *conn, const struct auth *auth,
                                                      const struct text_pair *name)
{
    if (name->value_len > 1 && name->value[0] == '0' && strchr("xXbB", name->value[1]) != NULL &&
        conn_has(conn, DEFECT_CHAP_NAME_DECODED))
        return NULL;
    for (size_t i = 0; i < auth->config->user_count; i++) {
        const struct config_credential *user = &auth->config->users[i];
        size_t length = strlen(user->user);

        if (text_equals(name->value, name->value_len, user->user))
            return user;
        if (conn_has(conn, DEFECT_ACCEPT_CHAP_USER_PREFIX) && name->value_len > length &&
            memcmp(name->value, user->user, length) == 0)
            return user;
    }
    return NULL;
}

static enum cause auth_hash(const struct conn *conn, const struct auth *auth, uint8_t identifier,
                            const struct config_credential *credential, const uint8_t *challenge,
                            size_t challenge_length, uint8_t *hash, size_t *length)
{
    static const struct config_credential nobody = { .secret = NULL };
    const struct chap_algorithm *algorithm =
        conn_has(conn, DEFECT_CHAP_ALWAYS_MD5) ? chap_algorithm_find(CHAP_MD5) : auth->algorithm;

    if (credential == NULL)
        credential = &nobody;   /* an unknown user takes as long as a known one */
    return chap_response(algorithm, identifier, credential->secret, credential->secret_length, challenge,
                         challenge_length, hash, CHAP_MAX_HASH_LEN, length) == CHAP_OK ? CAUSE_NONE
                                                                                      : CAUSE_NO_RANDOM;
}

/* Is the CHAP_R of the request right for the user it names? */
static enum cause auth_verify(const struct conn *conn, struct auth *auth, const struct negotiate_request *request,
                              const struct config_credential **user)
{
    const struct text_pair *name = &request->pairs[KEYS_CHAP_N];
    const struct text_pair *value = &request->pairs[KEYS_CHAP_R];
    uint8_t expected[CHAP_MAX_HASH_LEN];
    uint8_t received[CHAP_MAX_BINARY];
    size_t expected_length, length = 0;

    planted_touch(conn, PLANTED_AT_RESPONSE, value->value, value->value_len);
    if (text_decode_binary(value->value, value->value_len, received, sizeof(received), &length) != TEXT_BINARY_OK)
        return CAUSE_CHAP_VALUE;
    if (value->value_len > 1 && ((value->value[1] == 'b' && conn_has(conn, DEFECT_CHAP_BASE64_REFUSED)) ||
                                 (value->value[1] == 'X' && conn_has(conn, DEFECT_CHAP_UPPER_CASE_REFUSED))))
        return CAUSE_CHAP_VALUE;
    *user = auth_find_user(conn, auth, name);
    enum cause cause = auth_hash(conn, auth, auth->identifier, *user, auth->challenge, auth->challenge_length, expected,
                                 &expected_length);

    if (cause != CAUSE_NONE)
        return cause;
    bool right = chap_equal(expected, expected_length, received, length);

    if (conn_has(conn, DEFECT_ACCEPT_CHAP_PREFIX) && length > 0 && length < expected_length)
        right = memcmp(expected, received, length) == 0;
    if (conn_has(conn, DEFECT_ACCEPT_ANY_CHAP_RESPONSE))
        right = true;
    if (*user == NULL)
        return conn_has(conn, DEFECT_ACCEPT_UNKNOWN_CHAP_USER) ? CAUSE_NONE : CAUSE_CHAP_FAILED;
    return right ? CAUSE_NONE : CAUSE_CHAP_FAILED;
}

static bool auth_same_secret(const struct config_credential *a, const struct config_credential *b)
{
    return a != NULL && chap_equal(a->secret, a->secret_length, b->secret, b->secret_length);
}

/* Answers the challenge of the initiator. */
static enum cause auth_answer(const struct conn *conn, const struct auth *auth, uint8_t identifier,
                              const uint8_t *challenge, size_t length, struct text_buf *answer)
{
    const struct config_credential *own = &auth->config->mutual;
    uint8_t hash[CHAP_MAX_HASH_LEN];
    char text[TEXT_HEX_SIZE(CHAP_MAX_HASH_LEN)];
    size_t hash_length;

    if (length > UINT8_MAX && conn_has(conn, DEFECT_MUTUAL_CHALLENGE_CUT))
        length = UINT8_MAX;
    enum cause cause = auth_hash(conn, auth, identifier, own, challenge, length, hash, &hash_length);

    if (cause != CAUSE_NONE)
        return cause;
    if (conn_has(conn, DEFECT_MUTUAL_WRONG_RESPONSE))
        hash[0] ^= 1;
    auth_encode(conn, hash, hash_length, text, sizeof(text));
    if (!conn_has(conn, DEFECT_MUTUAL_WITHOUT_NAME))
        text_buf_add(answer, "CHAP_N", conn_has(conn, DEFECT_MUTUAL_WRONG_NAME) ? "somebody-else" : own->user);
    text_buf_add(answer, "CHAP_R", text);
    return CAUSE_NONE;
}

/* CHAP_I and CHAP_C of the initiator. False: not of use. */
static bool auth_read_challenge(const struct conn *conn, const struct negotiate_request *request, uint64_t *identifier,
                                uint8_t *challenge, size_t room, size_t *length)
{
    const struct text_pair *id = &request->pairs[KEYS_CHAP_I];
    const struct text_pair *value = &request->pairs[KEYS_CHAP_C];
    bool number = text_parse_number(id->value, id->value_len, identifier) == TEXT_NUMBER_OK;

    if (!number)
        *identifier = 0;
    if ((!number || *identifier > UINT8_MAX) && !conn_has(conn, DEFECT_ACCEPT_WIDE_IDENTIFIER))
        return false;
    if (id->value_len > 1 && (id->value[1] | 0x20) == 'x' && conn_has(conn, DEFECT_MUTUAL_HEX_IDENTIFIER_REFUSED))
        return false;
    if (value->value_len > 1 && (value->value[1] | 0x20) == 'b' && conn_has(conn, DEFECT_MUTUAL_BASE64_REFUSED))
        return false;
    if (!conn_has(conn, DEFECT_ACCEPT_LONG_CHALLENGE))
        room = CHAP_MAX_BINARY;
    if (text_decode_binary(value->value, value->value_len, challenge, room, length) != TEXT_BINARY_OK)
        *length = 0;
    return *length > 0 || conn_has(conn, DEFECT_ACCEPT_EMPTY_CHALLENGE);
}

/* The initiator's own challenge: CHAP_I and CHAP_C, both there. */
static enum cause auth_mutual(const struct conn *conn, const struct auth *auth, const struct negotiate_request *request,
                              const struct config_credential *user, struct text_buf *answer)
{
    uint8_t challenge[2 * CHAP_MAX_BINARY];
    size_t length = 0;
    uint64_t identifier = 0;

    if (!auth_read_challenge(conn, request, &identifier, challenge, sizeof(challenge), &length))
        return CAUSE_CHAP_VALUE;
    if (length == auth->challenge_length && memcmp(challenge, auth->challenge, length) == 0 &&
        !conn_has(conn, DEFECT_ACCEPT_REFLECTED_CHALLENGE))
        return CAUSE_CHAP_REFLECTED;
    if (conn_has(conn, DEFECT_IGNORE_MUTUAL_REQUEST))
        return CAUSE_NONE;
    if (auth->config->mutual.user == NULL)
        return CAUSE_CHAP_NO_MUTUAL;
    if (auth_same_secret(user, &auth->config->mutual) && !conn_has(conn, DEFECT_ACCEPT_SAME_SECRET))
        return CAUSE_CHAP_SAME_SECRET;
    return auth_answer(conn, auth, (uint8_t)identifier, challenge, length, answer);
}

/* Are the keys of the third step there? */
static enum cause auth_check_response(const struct conn *conn, const struct negotiate_request *request)
{
    uint64_t allowed = key_bit(KEYS_CHAP_N) | key_bit(KEYS_CHAP_R) | key_bit(KEYS_CHAP_I) | key_bit(KEYS_CHAP_C);

    if ((auth_out_of_step(request, allowed) || negotiate_present(request, KEYS_AUTH_METHOD)) &&
        !conn_has(conn, DEFECT_ACCEPT_DUPLICATE_KEY))
        return CAUSE_CHAP_STEP;
    if (!negotiate_present(request, KEYS_CHAP_N))
        return CAUSE_CHAP_MISSING;
    if (!negotiate_present(request, KEYS_CHAP_R) && !conn_has(conn, DEFECT_ACCEPT_MISSING_CHAP_R))
        return CAUSE_CHAP_R_MISSING;
    if (negotiate_present(request, KEYS_CHAP_I) != negotiate_present(request, KEYS_CHAP_C))
        return CAUSE_CHAP_MISSING;
    return CAUSE_NONE;
}

enum cause auth_response(struct conn *conn, struct auth *auth, const struct negotiate_request *request,
                         struct text_buf *answer, enum auth_next *next)
{
    const struct text_pair *name = &request->pairs[KEYS_CHAP_N];
    const struct config_credential *user = NULL;
    bool mutual = negotiate_present(request, KEYS_CHAP_C);
    enum cause cause = auth_check_response(conn, request);

    *next = AUTH_EXPECT_CHAP_R;
    if (cause != CAUSE_NONE)
        return cause;
    if (name->value_len >= sizeof(auth->user))
        return CAUSE_CHAP_VALUE;
    if (negotiate_present(request, KEYS_CHAP_R))
        cause = auth_verify(conn, auth, request, &user);
    if (cause == CAUSE_CHAP_FAILED && conn_has(conn, DEFECT_CHAP_SECOND_TRY))
        return auth_start_challenge(conn, auth, answer, next);
    if (cause == CAUSE_CHAP_FAILED && mutual && conn_has(conn, DEFECT_MUTUAL_BEFORE_VERIFY)) {
        *next = AUTH_EXPECT_CHAP_R;
        return auth_mutual(conn, auth, request, NULL, answer);
    }
    if (cause == CAUSE_NONE && conn->login != NULL)
        planted_touch(conn, PLANTED_AT_USER, conn->login->complete, conn->login->complete_length);
    if (cause == CAUSE_NONE && mutual)
        planted_touch(conn, PLANTED_AT_CHALLENGE, request->pairs[KEYS_CHAP_C].value, request->pairs[KEYS_CHAP_C].value_len);
    if (cause == CAUSE_NONE && mutual)
        cause = auth_mutual(conn, auth, request, user, answer);
    else if (cause == CAUSE_NONE && conn_has(conn, DEFECT_CHAP_R_UNASKED) && auth->config->mutual.user != NULL)
        cause = auth_answer(conn, auth, auth->identifier, auth->challenge, auth->challenge_length, answer);
    if (cause != CAUSE_NONE)
        return cause;
    memcpy(auth->user, name->value, name->value_len);
    auth->user[name->value_len] = '\0';
    auth->done = true;
    *next = AUTH_FINISHED;
    return CAUSE_NONE;
}
