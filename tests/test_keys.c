/* Tests of wire/keys: the table, checks of offers and answers, results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/keys.h"
#include "wire/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct keys_entry *key_of(const char *name)
{
    const struct keys_entry *key = keys_find(name, strlen(name));

    if (key == NULL)
        fail_msg("no key %s", name);
    return key;
}

/* A copy without a null byte behind it, so that a sanitizer sees reads beyond. */
static char *exact(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

static void table_is_consistent(void **state)
{
    (void)state;
    assert_null(keys_at(KEYS_COUNT));
    for (size_t i = 0; i < KEYS_COUNT; i++) {
        const struct keys_entry *key = keys_at(i);
        bool number = key->type == KEYS_NUMBER || key->type == KEYS_NUMBER_MIN || key->type == KEYS_NUMBER_MAX ||
                      key->type == KEYS_RANGE;

        assert_non_null(key->name);
        assert_int_equal(key->id, i);
        assert_ptr_equal(key_of(key->name), key);
        assert_true(text_key_valid(key->name, strlen(key->name)));
        assert_non_null(key->section);
        assert_true(key->senders != 0);
        assert_int_equal(key->stages == 0, key->use == KEYS_FFPO);
        assert_true(key->min <= key->max);
        if (number)
            assert_true(key->max > 0);
        if (key->type == KEYS_LIST || key->type == KEYS_NUMBER_LIST || key->type == KEYS_ENUM)
            assert_non_null(key->values);
        if (key->type == KEYS_BINARY || key->type == KEYS_TEXT || key->type == KEYS_NAME)
            assert_true(key->max_len > 0);
        if ((key->flags & KEYS_AUTHENTICATION) != 0)
            assert_int_equal(key->stages, KEYS_STAGE_SECURITY);
        if (key->values != NULL && key->type != KEYS_ENUM)
            assert_int_equal(keys_check_value(key, key->values, strlen(key->values)), KEYS_VALUE_OK);
    }
}

/* Defaults are values of their key. Ranges have a number for default. */
static void defaults_are_admissible(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS_COUNT; i++) {
        const struct keys_entry *key = keys_at(i);

        if (key->fallback != NULL && key->type != KEYS_RANGE)
            assert_int_equal(keys_check_value(key, key->fallback, strlen(key->fallback)), KEYS_VALUE_OK);
    }
}

/* The rows of section 13 by hand, from another reading of the RFC. */
static void rows_of_the_rfc(void **state)
{
    static const struct {
        const char *name;
        enum keys_type type;
        uint64_t min;
        uint64_t max;
        const char *fallback;
        enum keys_use use;
        enum keys_scope scope;
        bool discovery; /* has a meaning in discovery */
    } rows[] = {
        {"HeaderDigest", KEYS_LIST, 0, 0, "None", KEYS_IO, KEYS_CONNECTION_ONLY, true},
        {"DataDigest", KEYS_LIST, 0, 0, "None", KEYS_IO, KEYS_CONNECTION_ONLY, true},
        {"MaxConnections", KEYS_NUMBER_MIN, 1, 65535, "1", KEYS_LO, KEYS_SESSION_WIDE, false},
        {"InitialR2T", KEYS_BOOL_OR, 0, 0, "Yes", KEYS_LO, KEYS_SESSION_WIDE, false},
        {"ImmediateData", KEYS_BOOL_AND, 0, 0, "Yes", KEYS_LO, KEYS_SESSION_WIDE, false},
        {"MaxRecvDataSegmentLength", KEYS_NUMBER, 512, 16777215, "8192", KEYS_ALL, KEYS_CONNECTION_ONLY, true},
        {"MaxBurstLength", KEYS_NUMBER_MIN, 512, 16777215, "262144", KEYS_LO, KEYS_SESSION_WIDE, false},
        {"FirstBurstLength", KEYS_NUMBER_MIN, 512, 16777215, "65536", KEYS_LO, KEYS_SESSION_WIDE, false},
        {"DefaultTime2Wait", KEYS_NUMBER_MAX, 0, 3600, "2", KEYS_LO, KEYS_SESSION_WIDE, true},
        {"DefaultTime2Retain", KEYS_NUMBER_MIN, 0, 3600, "20", KEYS_LO, KEYS_SESSION_WIDE, true},
        {"MaxOutstandingR2T", KEYS_NUMBER_MIN, 1, 65535, "1", KEYS_LO, KEYS_SESSION_WIDE, false},
        {"DataPDUInOrder", KEYS_BOOL_OR, 0, 0, "Yes", KEYS_LO, KEYS_SESSION_WIDE, false},
        {"DataSequenceInOrder", KEYS_BOOL_OR, 0, 0, "Yes", KEYS_LO, KEYS_SESSION_WIDE, false},
        {"ErrorRecoveryLevel", KEYS_NUMBER_MIN, 0, 2, "0", KEYS_LO, KEYS_SESSION_WIDE, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct keys_entry *key = key_of(rows[i].name);

        assert_int_equal(key->type, rows[i].type);
        assert_true(key->min == rows[i].min && key->max == rows[i].max);
        assert_string_equal(key->fallback, rows[i].fallback);
        assert_int_equal(key->use, rows[i].use);
        assert_int_equal(key->scope, rows[i].scope);
        assert_int_equal(key->stages, KEYS_STAGE_OPERATIONAL);
        assert_int_equal(key->senders, KEYS_FROM_BOTH);
        assert_true((key->flags & KEYS_MUST_UNDERSTAND) != 0);
        assert_int_equal((key->flags & KEYS_IRRELEVANT_IN_DISCOVERY) == 0, rows[i].discovery);
        assert_int_equal((key->flags & KEYS_DECLARATIVE) != 0, key->id == KEYS_MAX_RECV_DATA_SEGMENT_LENGTH);
    }
    assert_true((key_of("TargetAddress")->flags & KEYS_REPEATABLE) != 0);
    assert_int_equal(key_of("TargetAddress")->senders, KEYS_FROM_TARGET);
}

static void find_is_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS_COUNT; i++)
        assert_ptr_equal(keys_find(keys_at(i)->name, keys_at(i)->name_len), keys_at(i));
    assert_null(keys_find("targetname", 10));
    assert_null(keys_find("TargetName", 9));
    assert_null(keys_find("TargetNames", 11));
    assert_null(keys_find("", 0));
    assert_null(keys_find("X-com.example.key", 17));
    assert_non_null(keys_find("TargetNameAndMore", 10));
    assert_true(keys_is_private("X-com.example.key", 17));
    assert_false(keys_is_private("X#NodeArchitecture", 18));
    assert_false(keys_is_private("X", 1));
}

static void reserved_words(void **state)
{
    (void)state;
    assert_int_equal(keys_word("Reject", 6), KEYS_WORD_REJECT);
    assert_int_equal(keys_word("Irrelevant", 10), KEYS_WORD_IRRELEVANT);
    assert_int_equal(keys_word("NotUnderstood", 13), KEYS_WORD_NOT_UNDERSTOOD);
    assert_int_equal(keys_word("reject", 6), KEYS_WORD_VALUE);
    assert_int_equal(keys_word("Rejects", 7), KEYS_WORD_VALUE);
    assert_int_equal(keys_word("", 0), KEYS_WORD_VALUE);
}

static const struct {
    const char *key;
    const char *value;
    enum keys_check check;
} offer_rows[] = {
    {"MaxBurstLength", "512", KEYS_VALUE_OK},
    {"MaxBurstLength", "0x200", KEYS_VALUE_OK},
    {"MaxBurstLength", "16777215", KEYS_VALUE_OK},
    {"MaxBurstLength", "511", KEYS_VALUE_OUT_OF_RANGE},
    {"MaxBurstLength", "16777216", KEYS_VALUE_OUT_OF_RANGE},
    {"MaxBurstLength", "18446744073709551616", KEYS_VALUE_OUT_OF_RANGE},
    {"MaxBurstLength", "0512", KEYS_VALUE_SYNTAX},
    {"MaxBurstLength", "-512", KEYS_VALUE_SYNTAX},
    {"MaxBurstLength", "512 ", KEYS_VALUE_SYNTAX},
    {"MaxBurstLength", "512~1024", KEYS_VALUE_SYNTAX},
    {"MaxBurstLength", "", KEYS_VALUE_EMPTY},
    {"MaxBurstLength", "Reject", KEYS_VALUE_RESERVED_WORD},
    {"MaxBurstLength", "None", KEYS_VALUE_SYNTAX},
    {"ErrorRecoveryLevel", "2", KEYS_VALUE_OK},
    {"ErrorRecoveryLevel", "3", KEYS_VALUE_OUT_OF_RANGE},
    {"InitialR2T", "Yes", KEYS_VALUE_OK},
    {"InitialR2T", "yes", KEYS_VALUE_SYNTAX},
    {"InitialR2T", "Maybe", KEYS_VALUE_SYNTAX},
    {"InitialR2T", "Irrelevant", KEYS_VALUE_RESERVED_WORD},
    {"HeaderDigest", "None", KEYS_VALUE_OK},
    {"HeaderDigest", "CRC32C,None", KEYS_VALUE_OK},
    {"HeaderDigest", "Y-com.example.sum,None", KEYS_VALUE_OK},
    {"HeaderDigest", "CRC32C,,None", KEYS_VALUE_SYNTAX},
    {"HeaderDigest", "CRC32C,", KEYS_VALUE_SYNTAX},
    {"HeaderDigest", "CRC32C, None", KEYS_VALUE_SYNTAX},
    {"HeaderDigest", "", KEYS_VALUE_EMPTY},
    {"SessionType", "Normal", KEYS_VALUE_OK},
    {"SessionType", "Discovery", KEYS_VALUE_OK},
    {"SessionType", "Foo", KEYS_VALUE_UNKNOWN},
    {"SessionType", "Discovery,Normal", KEYS_VALUE_UNKNOWN},
    {"SessionType", "Reject", KEYS_VALUE_RESERVED_WORD},
    {"InitiatorName", "iqn.2001-04.com.example:a", KEYS_VALUE_OK},
    {"InitiatorName", "example", KEYS_VALUE_SYNTAX},
    {"InitiatorName", "", KEYS_VALUE_EMPTY},
    {"InitiatorAlias", "", KEYS_VALUE_OK},
    {"InitiatorAlias", "Reject", KEYS_VALUE_OK},
    {"InitiatorAlias", "caf\xc3\xa9", KEYS_VALUE_OK},
    {"InitiatorAlias", "caf\xe9", KEYS_VALUE_SYNTAX},
    {"TargetAddress", "10.0.0.1:5003,1", KEYS_VALUE_OK},
    {"TargetAddress", "10.0.0.1:99999,1", KEYS_VALUE_SYNTAX},
    {"TargetPortalGroupTag", "0", KEYS_VALUE_OK},
    {"TargetPortalGroupTag", "65536", KEYS_VALUE_OUT_OF_RANGE},
    {"SendTargets", "All", KEYS_VALUE_OK},
    {"SendTargets", "", KEYS_VALUE_OK},
    {"SendTargets", "eui.02004567A425678D", KEYS_VALUE_OK},
    {"SendTargets", "all", KEYS_VALUE_SYNTAX},
    {"CHAP_A", "5", KEYS_VALUE_OK},
    {"CHAP_A", "7,0x5", KEYS_VALUE_OK},
    {"CHAP_A", "5,MD5", KEYS_VALUE_SYNTAX},
    {"CHAP_I", "255", KEYS_VALUE_OK},
    {"CHAP_I", "256", KEYS_VALUE_OUT_OF_RANGE},
    {"CHAP_C", "0x1", KEYS_VALUE_OK},
    {"CHAP_C", "0bAAAA", KEYS_VALUE_OK},
    {"CHAP_C", "0x", KEYS_VALUE_EMPTY},
    {"CHAP_C", "0xzz", KEYS_VALUE_SYNTAX},
    {"CHAP_C", "1234", KEYS_VALUE_SYNTAX},
    {"CHAP_N", "", KEYS_VALUE_EMPTY},
    {"CHAP_N", "Reject", KEYS_VALUE_OK},
    {"IFMarkInt", "1~65535", KEYS_VALUE_OK},
    {"IFMarkInt", "2048", KEYS_VALUE_SYNTAX},
    {"IFMarkInt", "9~1", KEYS_VALUE_SYNTAX},
    {"IFMarkInt", "0~9", KEYS_VALUE_OUT_OF_RANGE},
    {"MaxAHSLength", "0", KEYS_VALUE_OK},
    {"MaxAHSLength", "1", KEYS_VALUE_OUT_OF_RANGE},
    {"MaxAHSLength", "2", KEYS_VALUE_OK},
};

static void offers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(offer_rows); i++) {
        char *value = exact(offer_rows[i].value);
        enum keys_check check = keys_check_value(key_of(offer_rows[i].key), value, strlen(offer_rows[i].value));

        free(value);
        if (check != offer_rows[i].check)
            fail_msg("%s=%s: %s", offer_rows[i].key, offer_rows[i].value, keys_check_name(check));
    }
}

static void lengths(void **state)
{
    char text[2 * 1025 + 3];

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(keys_check_value(key_of("InitiatorAlias"), text, 255), KEYS_VALUE_OK);
    assert_int_equal(keys_check_value(key_of("InitiatorAlias"), text, 256), KEYS_VALUE_TOO_LONG);
    assert_int_equal(keys_check_value(key_of("HeaderDigest"), text, 255), KEYS_VALUE_OK);
    assert_int_equal(keys_check_value(key_of("HeaderDigest"), text, 256), KEYS_VALUE_TOO_LONG);
    assert_int_equal(keys_check_value(key_of("TargetName"), text, 224), KEYS_VALUE_TOO_LONG);
    assert_int_equal(keys_check_value(key_of("TargetAddress"), text, 255), KEYS_VALUE_OK);
    assert_int_equal(keys_check_value(key_of("TargetAddress"), text, 256), KEYS_VALUE_TOO_LONG);
    memcpy(text, "0x", 2);
    assert_int_equal(keys_check_value(key_of("CHAP_C"), text, 2 + 2048), KEYS_VALUE_OK);
    assert_int_equal(keys_check_value(key_of("CHAP_C"), text, 2 + 2049), KEYS_VALUE_TOO_LONG);
}

static const struct {
    const char *key;
    const char *offer;
    const char *answer;
    enum keys_answer result;
} answer_rows[] = {
    {"MaxBurstLength", "8192", "8192", KEYS_ANSWER_OK},
    {"MaxBurstLength", "8192", "512", KEYS_ANSWER_OK},
    {"MaxBurstLength", "8192", "0x2000", KEYS_ANSWER_OK},
    {"MaxBurstLength", "8192", "8193", KEYS_ANSWER_ABOVE_OFFER},
    {"MaxBurstLength", "8192", "511", KEYS_ANSWER_OUT_OF_RANGE},
    {"MaxBurstLength", "8192", "", KEYS_ANSWER_SYNTAX},
    {"MaxBurstLength", "8192", "Reject", KEYS_ANSWER_REJECT},
    {"MaxBurstLength", "8192", "Irrelevant", KEYS_ANSWER_IRRELEVANT},
    {"MaxBurstLength", "8192", "NotUnderstood", KEYS_ANSWER_NOT_UNDERSTOOD},
    {"MaxBurstLength", "1", "16777215", KEYS_ANSWER_OK},
    {"MaxBurstLength", "junk", "16777216", KEYS_ANSWER_OUT_OF_RANGE},
    {"DefaultTime2Wait", "5", "5", KEYS_ANSWER_OK},
    {"DefaultTime2Wait", "5", "3600", KEYS_ANSWER_OK},
    {"DefaultTime2Wait", "5", "4", KEYS_ANSWER_BELOW_OFFER},
    {"ImmediateData", "Yes", "No", KEYS_ANSWER_OK},
    {"ImmediateData", "Yes", "Yes", KEYS_ANSWER_OK},
    {"ImmediateData", "No", "No", KEYS_ANSWER_OK},
    {"ImmediateData", "No", "Yes", KEYS_ANSWER_WRONG_BOOL},
    {"InitialR2T", "No", "Yes", KEYS_ANSWER_OK},
    {"InitialR2T", "Yes", "Yes", KEYS_ANSWER_OK},
    {"InitialR2T", "Yes", "No", KEYS_ANSWER_WRONG_BOOL},
    {"InitialR2T", "Maybe", "No", KEYS_ANSWER_OK},
    {"InitialR2T", "Yes", "1", KEYS_ANSWER_SYNTAX},
    {"HeaderDigest", "CRC32C,None", "None", KEYS_ANSWER_OK},
    {"HeaderDigest", "CRC32C", "None", KEYS_ANSWER_NOT_OFFERED},
    {"HeaderDigest", "CRC32C,None", "CRC32C,None", KEYS_ANSWER_NOT_OFFERED},
    {"HeaderDigest", "CRC32C,None", "", KEYS_ANSWER_SYNTAX},
    {"HeaderDigest", "CRC32C,None", "CRC32", KEYS_ANSWER_NOT_OFFERED},
    {"CHAP_A", "7,5", "0x5", KEYS_ANSWER_OK},
    {"CHAP_A", "7,5", "6", KEYS_ANSWER_NOT_OFFERED},
    {"CHAP_A", "7,5", "7,5", KEYS_ANSWER_NOT_OFFERED},
    {"CHAP_A", "7,5", "MD5", KEYS_ANSWER_SYNTAX},
    {"IFMarkInt", "10~20", "10", KEYS_ANSWER_OK},
    {"IFMarkInt", "10~20", "21", KEYS_ANSWER_NOT_OFFERED},
    {"IFMarkInt", "10~20", "70000", KEYS_ANSWER_OUT_OF_RANGE},
    {"MaxRecvDataSegmentLength", "8192", "8192", KEYS_ANSWER_UNEXPECTED},
    {"InitiatorAlias", "a", "NotUnderstood", KEYS_ANSWER_NOT_UNDERSTOOD},
    {"SendTargets", "All", "All", KEYS_ANSWER_UNEXPECTED},
};

static void answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answer_rows); i++) {
        char *offer = exact(answer_rows[i].offer);
        char *answer = exact(answer_rows[i].answer);
        enum keys_answer result = keys_check_answer(key_of(answer_rows[i].key), offer, strlen(answer_rows[i].offer),
                                                    answer, strlen(answer_rows[i].answer));

        free(offer);
        free(answer);
        if (result != answer_rows[i].result)
            fail_msg("%s=%s answered %s: %s", answer_rows[i].key, answer_rows[i].offer, answer_rows[i].answer,
                     keys_answer_name(result));
    }
}

static void answer_due(void **state)
{
    static const struct {
        const char *key;
        const char *offer;
        bool required;
    } rows[] = {
        {"ImmediateData", "Yes", true},
        {"ImmediateData", "No", false},
        {"InitialR2T", "No", true},
        {"InitialR2T", "Yes", false},
        {"InitialR2T", "Perhaps", true},
        {"MaxBurstLength", "512", true},
        {"HeaderDigest", "None", true},
        {"MaxRecvDataSegmentLength", "512", false},
        {"InitiatorName", "iqn.2001-04.com.example", false},
        {"AuthMethod", "None", true},
        {"IFMarkInt", "1~2", true},
        {"SendTargets", "All", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(keys_answer_required(key_of(rows[i].key), rows[i].offer, strlen(rows[i].offer)),
                         rows[i].required);
}

static void results(void **state)
{
    static const struct {
        const char *key;
        const char *offer;
        const char *own;
        const char *result; /* NULL: no answer */
    } rows[] = {
        {"MaxBurstLength", "8192", "4096", "4096"},
        {"MaxBurstLength", "0x1000", "8192", "4096"},
        {"MaxBurstLength", "511", "8192", "Reject"},
        {"MaxBurstLength", "junk", "8192", "Reject"},
        {"DefaultTime2Wait", "5", "2", "5"},
        {"DefaultTime2Wait", "1", "2", "2"},
        {"ImmediateData", "Yes", "Yes", "Yes"},
        {"ImmediateData", "Yes", "No", "No"},
        {"ImmediateData", "No", "Yes", "No"},
        {"InitialR2T", "No", "No", "No"},
        {"InitialR2T", "No", "Yes", "Yes"},
        {"InitialR2T", "Yes", "No", "Yes"},
        {"InitialR2T", "maybe", "No", "Reject"},
        {"HeaderDigest", "None,CRC32C", "CRC32C,None", "None"},
        {"HeaderDigest", "CRC32C", "None", "Reject"},
        {"HeaderDigest", "X,CRC32C", "CRC32C", "CRC32C"},
        {"HeaderDigest", ",CRC32C", "CRC32C", "Reject"},
        {"CHAP_A", "8,0x7,5", "5,7", "0x7"},
        {"CHAP_A", "6", "5", "Reject"},
        {"IFMarker", "Yes", "No", "No"},
        {"IFMarkInt", "1~2", "2", "Reject"},
        {"MaxRecvDataSegmentLength", "8192", "8192", NULL},
        {"InitiatorAlias", "x", "y", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[32] = "untouched";
        char *offer = exact(rows[i].offer);
        size_t len = keys_result(key_of(rows[i].key), offer, strlen(rows[i].offer), rows[i].own, out, sizeof(out));

        free(offer);
        if (rows[i].result == NULL) {
            assert_int_equal(len, 0);
            continue;
        }
        assert_string_equal(out, rows[i].result);
        assert_int_equal(len, strlen(rows[i].result));
        assert_int_equal(keys_result(key_of(rows[i].key), rows[i].offer, strlen(rows[i].offer), rows[i].own, out, len),
                         0);
    }
}

/* Whatever keys_result answers, keys_check_answer takes. */
static void results_are_possible_answers(void **state)
{
    static const char *const offers_tried[] = {"Yes",      "No",          "1",    "512", "3600",      "65535",
                                               "16777215", "CRC32C,None", "None", "5",   "CHAP,None", "RFC3720"};

    (void)state;
    for (size_t i = 0; i < KEYS_COUNT; i++) {
        for (size_t j = 0; j < COUNT(offers_tried); j++) {
            const struct keys_entry *key = keys_at(i);
            const char *offer = offers_tried[j];
            const char *own = key->values != NULL ? key->values : key->fallback;
            char out[64];
            size_t len;

            if (own == NULL)
                continue;
            len = keys_result(key, offer, strlen(offer), own, out, sizeof(out));
            if (len > 0 && keys_word(out, len) == KEYS_WORD_VALUE)
                assert_int_equal(keys_check_answer(key, offer, strlen(offer), out, len), KEYS_ANSWER_OK);
        }
    }
}

static void pure_results(void **state)
{
    const struct keys_entry *declared = key_of("MaxRecvDataSegmentLength");

    (void)state;
    assert_int_equal(keys_result_number(key_of("MaxBurstLength"), 3, 9), 3);
    assert_int_equal(keys_result_number(key_of("DefaultTime2Wait"), 3, 9), 9);
    assert_int_equal(keys_result_number(declared, 3, 9), 9);
    assert_false(keys_result_bool(key_of("ImmediateData"), true, false));
    assert_true(keys_result_bool(key_of("InitialR2T"), true, false));
    assert_false(keys_result_bool(declared, true, false));
}

static void outcomes_have_names(void **state)
{
    (void)state;
    assert_string_equal(keys_check_name(KEYS_VALUE_OUT_OF_RANGE), "out of range");
    assert_string_equal(keys_answer_name(KEYS_ANSWER_ABOVE_OFFER), "above the offer");
    for (int i = KEYS_VALUE_OK; i <= KEYS_VALUE_RESERVED_WORD; i++)
        assert_string_not_equal(keys_check_name((enum keys_check)i), "unknown");
    for (int i = KEYS_ANSWER_OK; i <= KEYS_ANSWER_WRONG_BOOL; i++)
        assert_string_not_equal(keys_answer_name((enum keys_answer)i), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_consistent),
        cmocka_unit_test(defaults_are_admissible),
        cmocka_unit_test(rows_of_the_rfc),
        cmocka_unit_test(find_is_exact),
        cmocka_unit_test(reserved_words),
        cmocka_unit_test(offers),
        cmocka_unit_test(lengths),
        cmocka_unit_test(answers),
        cmocka_unit_test(answer_due),
        cmocka_unit_test(results),
        cmocka_unit_test(results_are_possible_answers),
        cmocka_unit_test(pure_results),
        cmocka_unit_test(outcomes_have_names),
    };

    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
