/*
 * A login parser that has nothing to do with the project, for the test of libiscsispec-mutator.so: it gets
 * the PDUs of one initiator from AFL++'s driver and reads them in the way other people write such things. It asks for
 * CHAP with a fixed challenge, and has a fault that takes a right CHAP_R to reach: CHAP_N is copied into 32 bytes.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BHS = 48, NAME_MAX_LEN = 32 };

static const unsigned char challenge[16] = "0123456789abcdef";
static const char secret[] = "other-peoples-secret";

static const char *find(const char *text, size_t len, const char *key)
{
    size_t key_len = strlen(key);

    for (const char *p = text; p < text + len; p += strlen(p) + 1)
        if (strncmp(p, key, key_len) == 0 && p[key_len] == '=')
            return p + key_len + 1;
    return NULL;
}

static int answers(const char *response)
{
    unsigned char hash[MD5_DIGEST_LENGTH];
    unsigned char input[1 + sizeof(secret) - 1 + sizeof(challenge)];
    char expected[2 + 2 * sizeof(hash) + 1] = "0x";

    input[0] = 7;
    memcpy(input + 1, secret, sizeof(secret) - 1);
    memcpy(input + sizeof(secret), challenge, sizeof(challenge));
    MD5(input, sizeof(input), hash);
    for (size_t i = 0; i < sizeof(hash); i++)
        snprintf(expected + 2 + 2 * i, 3, "%02x", hash[i]);
    return strcmp(response, expected) == 0;
}

static void login_pdu(const char *data, size_t len)
{
    char name[NAME_MAX_LEN], *text = malloc(len + 1);
    const char *response, *user;

    if (text == NULL)
        return;
    memcpy(text, data, len);
    text[len] = '\0';
    response = find(text, len, "CHAP_R");
    user = find(text, len, "CHAP_N");
    if (response != NULL && user != NULL && answers(response)) {
        for (size_t i = 0;; i++) { /* the fault */
            ((volatile char *)name)[i] = user[i];
            if (user[i] == '\0')
                break;
        }
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const unsigned char *input, size_t len);

int LLVMFuzzerTestOneInput(const unsigned char *input, size_t len)
{
    size_t at = 0;

    while (len - at >= BHS) {
        size_t data = (size_t)input[at + 5] << 16 | (size_t)input[at + 6] << 8 | input[at + 7];
        size_t padded = (data + 3) & ~(size_t)3;

        if ((input[at] & 0x3f) != 3 || padded > len - at - BHS)
            break;
        login_pdu((const char *)input + at + BHS, data);
        at += BHS + padded;
    }
    return 0;
}
