/* Accept sets against endings: order of look-up, severities, and the sentence that comes out. */
#include "harness/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct outcome status(uint16_t code)
{
    return (struct outcome){.kind = OUTCOME_STATUS, .code = code};
}

static void test_look_up_order(void **state)
{
    struct outcome expected[] = {status(0x0201)}, forbidden[] = {{.kind = OUTCOME_FFP}};
    struct outcome tolerated[] = {{.kind = OUTCOME_STATUS, .code = 0x0200, .whole_class = true}};
    char id[] = "L-X-001";
    static const struct {
        enum rule_severity severity;
        enum conn_end end;
        uint16_t status;
        enum verdict verdict;
        const char *reason;
    } rows[] = {
        {RULE_FAIL, CONN_STATUS, 0x0201, VERDICT_PASS, ""},
        {RULE_FAIL, CONN_STATUS, 0x0203, VERDICT_WARN, "where 0x0201 Authentication failure is due (tolerated)"},
        {RULE_FAIL, CONN_STATUS, 0x0300, VERDICT_FAIL, "where 0x0201 Authentication failure is due"},
        {RULE_WARN, CONN_STATUS, 0x0300, VERDICT_WARN, "is due"},
        {RULE_INFO, CONN_STATUS, 0x0300, VERDICT_PASS, "observed: "},
        {RULE_WARN, CONN_FFP, 0, VERDICT_FAIL, "the rule forbids it"},
        {RULE_FAIL, CONN_CLOSED, 0, VERDICT_FAIL, "is due"},
        {RULE_INFO, CONN_GARBAGE, 0, VERDICT_FAIL, "is due"},
        {RULE_FAIL, CONN_SILENT, 0, VERDICT_FAIL, "is due"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct rule rule = {.id = id,
                                  .expected = {expected, 1},
                                  .tolerated = {tolerated, 1},
                                  .forbidden = {forbidden, 1},
                                  .severity = rows[i].severity};
        const struct outcome_view v = {.end = rows[i].end, .status = rows[i].status};
        struct judgement j = {.verdict = VERDICT_PASS};

        judge_outcome(&v, NULL, &rule, "did this", &j);
        if (j.verdict != rows[i].verdict || !strstr(j.reason, rows[i].reason))
            fail_msg("row %zu: %d %s", i, (int)j.verdict, j.reason);
        assert_int_equal(j.silence, rows[i].end == CONN_SILENT);
    }
}

static void test_own_accept_set(void **state)
{
    struct outcome any[] = {status(0x0208),
                            {.kind = OUTCOME_STATUS, .code = 0x0200, .whole_class = true, .tolerated = true}};
    struct outcome wide[] = {{.kind = OUTCOME_STATUS, .any = true}};
    const struct outcome_list list = {any, 2};
    const struct rule rule = {.expected = {wide, 1}, .severity = RULE_FAIL};
    struct outcome_view v = {.end = CONN_STATUS, .status = 0x0208};
    struct judgement j = {.verdict = VERDICT_PASS};

    (void)state;
    judge_outcome(&v, &list, &rule, "x", &j);
    assert_int_equal(j.verdict, VERDICT_PASS);
    assert_string_equal(j.expected, "0x0208 Can't include in session");
    v.status = 0x0206;
    judge_outcome(&v, &list, &rule, "x", &j);
    assert_int_equal(j.verdict, VERDICT_WARN);
    v.status = 0x0300; /* the rule would take it, the case does not */
    judge_outcome(&v, &list, &rule, "x", &j);
    assert_int_equal(j.verdict, VERDICT_FAIL);
}

static void test_match_all(void **state)
{
    char t[] = "T", csg[] = "CSG", eq[] = "==", zero[] = "0", one[] = "1";
    struct outcome expected[] = {{.kind = OUTCOME_STAY},
                                 {.kind = OUTCOME_FIELD, .key = t, .op = eq, .value = zero},
                                 {.kind = OUTCOME_TEXT},
                                 {.kind = OUTCOME_FIELD, .key = csg, .op = eq, .value = one}};
    const struct rule rule = {.expected = {expected, 4}, .match_all = true, .severity = RULE_FAIL};
    uint8_t answer[PDU_BHS_LEN] = {PDU_LOGIN_RESPONSE, 0x04};
    struct outcome_view v = {.end = CONN_FFP, .answer = answer};
    struct judgement j = {.verdict = VERDICT_PASS};

    (void)state;
    judge_outcome(&v, NULL, &rule, "x", &j);
    assert_int_equal(j.verdict, VERDICT_PASS);
    answer[1] = 0x00;
    judge_outcome(&v, NULL, &rule, "x", &j);
    assert_int_equal(j.verdict, VERDICT_FAIL);
    assert_string_equal(j.reason, "x where CSG == 1 is due");
}

static void test_undecidable(void **state)
{
    struct outcome words[] = {{.kind = OUTCOME_TEXT}};
    char id[] = "L-X-002";
    const struct rule rule = {.id = id, .expected = {words, 1}};
    const struct outcome_view v = {.end = CONN_FFP};
    struct judgement j = {.verdict = VERDICT_PASS};

    (void)state;
    judge_outcome(&v, NULL, &rule, "x", &j);
    assert_int_equal(j.verdict, VERDICT_ERROR);
}

static void test_each_kind(void **state)
{
    static const char text[] = "TargetPortalGroupTag=1\0MaxBurstLength=4096\0HeaderDigest=None";
    char mbl[] = "MaxBurstLength", hd[] = "HeaderDigest", star[] = "*", range[] = "[512..8192]", none[] = "CRC32C|None";
    char narrow[] = "[512..1024]", admissible[] = "admissible", tsih[] = "TSIH", in[] = "in", set[] = "{1, 0x4}";
    char itt[] = "ITT", eq[] = "==", less[] = "<", request[] = "request ITT", five[] = "5", absent[] = "MaxConnections";
    uint8_t answer[PDU_BHS_LEN] = {PDU_LOGIN_RESPONSE, 0x87}, sent[PDU_BHS_LEN] = {0x43, 0x87};
    const struct outcome_view ffp = {
        .end = CONN_FFP, .answer = answer, .request = sent, .text = text, .text_len = sizeof(text), .stimulus = mbl};
    const struct outcome_view refused = {.end = CONN_STATUS, .status = 0x0205},
                              reject = {.end = CONN_REJECTED, .reason = 4};
    const struct outcome_view closed = {.end = CONN_CLOSED}, silent = {.end = CONN_SILENT};
    const struct {
        struct outcome o;
        const struct outcome_view *v;
        enum outcome_met met;
    } rows[] = {
        {{.kind = OUTCOME_STATUS, .code = 0}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_STATUS, .any = true}, &ffp, OUTCOME_NOT_MET},
        {{.kind = OUTCOME_STATUS, .any = true}, &refused, OUTCOME_MET},
        {{.kind = OUTCOME_STATUS, .code = 0x0300, .whole_class = true}, &refused, OUTCOME_NOT_MET},
        {{.kind = OUTCOME_CLOSE}, &closed, OUTCOME_MET},
        {{.kind = OUTCOME_CLOSE}, &refused, OUTCOME_NOT_MET},
        {{.kind = OUTCOME_ACCEPT}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_STAY}, &ffp, OUTCOME_NOT_MET},
        {{.kind = OUTCOME_FFP}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_SILENCE}, &silent, OUTCOME_MET},
        {{.kind = OUTCOME_REJECT_PDU, .any = true}, &reject, OUTCOME_MET},
        {{.kind = OUTCOME_REJECT_PDU, .code = 9}, &reject, OUTCOME_NOT_MET},
        {{.kind = OUTCOME_ANSWER, .key = mbl, .value = range}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_ANSWER, .key = star, .value = range}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_ANSWER, .key = mbl, .value = narrow}, &ffp, OUTCOME_NOT_MET},
        {{.kind = OUTCOME_ANSWER, .key = mbl, .value = admissible}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_ANSWER, .key = hd, .value = none}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_ANSWER, .key = star, .value = range}, &closed, OUTCOME_UNDECIDED},
        {{.kind = OUTCOME_NO_ANSWER, .key = absent}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_NO_ANSWER, .key = absent}, &closed, OUTCOME_NOT_MET},
        {{.kind = OUTCOME_DECLARE, .key = hd}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_FIELD, .key = tsih, .op = in, .value = set}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_FIELD, .key = itt, .op = eq, .value = request}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_FIELD, .key = tsih, .op = less, .value = five}, &ffp, OUTCOME_MET},
        {{.kind = OUTCOME_FIELD, .key = tsih, .op = less, .value = five}, &closed, OUTCOME_NOT_MET},
        {{.kind = OUTCOME_TEXT}, &ffp, OUTCOME_UNDECIDED},
    };

    (void)state;
    answer[15] = 4;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (outcome_meets(&rows[i].o, rows[i].v) != rows[i].met)
            fail_msg("row %zu", i);
}

/* A value against alternatives: words, ranges, what the key admits. */
static void test_values(void **state)
{
    static const struct {
        const char *wanted, *value;
        bool matches;
    } rows[] = {
        {"[512..1024]|Reject", "512", true},
        {"[512..1024]|Reject", "Reject", true},
        {"[512..1024]|Reject", "1025", false},
        {"[512..1024]|Reject", "NotUnderstood", false},
        {"Reject|[512..1024]", "0x400", true},
        {"[0..1]|[4..5]", "4", true},
        {"[0..1]|[4..5]", "3", false},
        {"NotUnderstood|*", "anything", true},
        {"None|admissible", "262144", true},
        {"None|admissible", "-1", false},
        {"[..]", "1", false},
        {"[1..", "1", false},
        {"A||B", "", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (outcome_value_matches("MaxBurstLength", rows[i].wanted, rows[i].value, strlen(rows[i].value)) !=
            rows[i].matches)
            fail_msg("row %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_look_up_order), cmocka_unit_test(test_own_accept_set), cmocka_unit_test(test_match_all),
        cmocka_unit_test(test_undecidable),   cmocka_unit_test(test_each_kind),      cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
