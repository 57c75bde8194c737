/*
 * chap.c - CHAP response hashes through libcrypto's EVP interface.
 *
 * Hashes are fetched by name at each call: OpenSSL may forbid one (MD5 under a
 * FIPS policy), which has to come out as an error and not as a crash.
 */
#include "wire/chap.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

static const struct chap_algorithm algorithms[] = {
    {CHAP_MD5, "MD5", "MD5", 16},
    {CHAP_SHA1, "SHA-1", "SHA1", 20},
    {CHAP_SHA256, "SHA-256", "SHA256", 32},
    {CHAP_SHA3_256, "SHA3-256", "SHA3-256", 32},
};

#define ALGORITHM_COUNT (sizeof(algorithms) / sizeof(algorithms[0]))

const struct chap_algorithm *chap_algorithm_at(size_t index)
{
    return index < ALGORITHM_COUNT ? &algorithms[index] : NULL;
}

const struct chap_algorithm *chap_algorithm_find(uint64_t number)
{
    for (size_t i = 0; i < ALGORITHM_COUNT; i++)
        if (algorithms[i].number == number)
            return &algorithms[i];
    return NULL;
}

bool chap_algorithm_available(const struct chap_algorithm *algorithm)
{
    EVP_MD *md = EVP_MD_fetch(NULL, algorithm->evp_name, NULL);
    bool available = md != NULL;

    EVP_MD_free(md);
    return available;
}

/* EVP calls in a row; false as soon as one fails. */
static bool hash_parts(EVP_MD_CTX *context, const EVP_MD *md, uint8_t id, const void *secret, size_t secret_len,
                       const void *challenge, size_t challenge_len, uint8_t *digest, unsigned *digest_len)
{
    return EVP_DigestInit_ex(context, md, NULL) == 1 && EVP_DigestUpdate(context, &id, 1) == 1 &&
           EVP_DigestUpdate(context, secret, secret_len) == 1 &&
           EVP_DigestUpdate(context, challenge, challenge_len) == 1 &&
           EVP_DigestFinal_ex(context, digest, digest_len) == 1;
}

enum chap_error chap_response(const struct chap_algorithm *algorithm, uint8_t id, const void *secret, size_t secret_len,
                              const void *challenge, size_t challenge_len, uint8_t *out, size_t out_cap,
                              size_t *out_len)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    EVP_MD_CTX *context;
    EVP_MD *md;
    bool done;

    *out_len = 0;
    if (out_cap < algorithm->hash_len)
        return CHAP_NO_ROOM;
    md = EVP_MD_fetch(NULL, algorithm->evp_name, NULL);
    context = EVP_MD_CTX_new();
    done = md != NULL && context != NULL &&
           hash_parts(context, md, id, secret, secret_len, challenge, challenge_len, digest, &digest_len) &&
           digest_len == algorithm->hash_len;
    EVP_MD_CTX_free(context);
    EVP_MD_free(md);
    if (!done)
        return CHAP_UNAVAILABLE;
    memcpy(out, digest, digest_len);
    OPENSSL_cleanse(digest, sizeof(digest));
    *out_len = digest_len;
    return CHAP_OK;
}

bool chap_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return a_len == b_len && CRYPTO_memcmp(a, b, a_len) == 0;
}
