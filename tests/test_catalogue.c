/* The catalogue: the shipped one is whole, broken ones are refused with a place, and outcome tokens mean what they say.
 */
#include "bad_inputs.h"
#include "harness/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void shipped(void **state)
{
    struct load_error err = {{0}};
    struct catalogue *c = catalogue_load(ISCSISPEC_SOURCE_DIR "/cases/requirements.yaml", &err);
    const struct rule *rule;

    (void)state;
    if (!c)
        fail_msg("%s", err.text);
    assert_true(c->count >= 549);
    assert_int_equal(strlen(c->hash), 16);
    for (size_t i = 0; i < c->count; i++) {
        assert_ptr_equal(catalogue_find(c, c->rules[i].id), &c->rules[i]);
        assert_true(c->rules[i].expected.count > 0);
    }
    assert_null(catalogue_find(c, "L-NONE-001"));
    assert_null(catalogue_find(c, NULL));
    rule = catalogue_find(c, "L-TSIH-005");
    assert_string_equal(rule->subject, "TSIH");
    assert_int_equal(rule->status, 0x020a);
    assert_int_equal(rule->level, RULE_MUST);
    assert_int_equal(rule->party, RULE_TARGET);
    assert_string_equal(catalogue_find(c, "L-KEY-MC-01")->subject, "KEY-MC");
    assert_non_null(catalogue_find(c, "L-CODE-0301b"));
    catalogue_free(c);
}

static int load(const char *path, struct load_error *err)
{
    struct catalogue *c = catalogue_load(path, err);

    catalogue_free(c);
    return c ? 0 : -1;
}

static void broken(void **state)
{
    (void)state;
    assert_true(bad_inputs_check("catalogue", load) >= 11);
}

static void missing_file(void **state)
{
    struct load_error err = {{0}};

    (void)state;
    assert_null(catalogue_load("/nowhere/requirements.yaml", &err));
    assert_string_equal(err.text, "/nowhere/requirements.yaml: cannot be read: No such file or directory");
    assert_null(catalogue_load("/nowhere/requirements.yaml", NULL));
}

static void tokens(void **state)
{
    static const struct {
        const char *token;
        enum outcome_kind kind;
        unsigned code;
        const char *key, *op, *value;
    } rows[] = {
        {"status:0x0203", OUTCOME_STATUS, 0x0203, NULL, NULL, NULL},
        {"status:0x0201 then close", OUTCOME_STATUS, 0x0201, NULL, NULL, NULL},
        {"status:class3", OUTCOME_STATUS, 0x0300, NULL, NULL, NULL},
        {"status:any", OUTCOME_STATUS, 0, NULL, NULL, NULL},
        {"status:0x0200 (only for 512)", OUTCOME_TEXT, 0, NULL, NULL, NULL},
        {"close", OUTCOME_CLOSE, 0, NULL, NULL, NULL},
        {"close eventually", OUTCOME_TEXT, 0, NULL, NULL, NULL},
        {"accept", OUTCOME_ACCEPT, 0, NULL, NULL, NULL},
        {"stay", OUTCOME_STAY, 0, NULL, NULL, NULL},
        {"ffp", OUTCOME_FFP, 0, NULL, NULL, NULL},
        {"answer:HeaderDigest=CRC32C|None", OUTCOME_ANSWER, 0, "HeaderDigest", NULL, "CRC32C|None"},
        {"answer:MaxBurstLength in [512..16384]", OUTCOME_ANSWER, 0, "MaxBurstLength", NULL, "[512..16384]"},
        {"answer:*=in [0..2]", OUTCOME_ANSWER, 0, "*", NULL, "[0..2]"},
        {"answer:DefaultTime2Wait admissible", OUTCOME_ANSWER, 0, "DefaultTime2Wait", NULL, "admissible"},
        {"answer:*=admissible", OUTCOME_ANSWER, 0, "*", NULL, "admissible"},
        {"answer:<key>=NotUnderstood", OUTCOME_ANSWER, 0, "*", NULL, "NotUnderstood"},
        {"answer:HeaderDigest", OUTCOME_ANSWER, 0, "HeaderDigest", NULL, "*"},
        {"answer:X#Foo=NotUnderstood", OUTCOME_ANSWER, 0, "X#Foo", NULL, "NotUnderstood"},
        {"answer:first supported", OUTCOME_TEXT, 0, NULL, NULL, NULL},
        {"answer:*=<session value>", OUTCOME_TEXT, 0, NULL, NULL, NULL},
        {"answer:*!=NotUnderstood", OUTCOME_TEXT, 0, NULL, NULL, NULL},
        {"answer:MaxBurstLength in [512..16777215] but not 27486", OUTCOME_TEXT, 0, NULL, NULL, NULL},
        {"noanswer:*", OUTCOME_NO_ANSWER, 0, "*", NULL, NULL},
        {"noanswer:InitialR2T", OUTCOME_NO_ANSWER, 0, "InitialR2T", NULL, NULL},
        {"declare:TargetAlias", OUTCOME_DECLARE, 0, "TargetAlias", NULL, NULL},
        {"declare:MaxRecvDataSegmentLength in [512..16777215]", OUTCOME_DECLARE, 0, "MaxRecvDataSegmentLength", NULL,
         "[512..16777215]"},
        {"declare:TargetPortalGroupTag in the first response", OUTCOME_TEXT, 0, NULL, NULL, NULL},
        {"field:T==0", OUTCOME_FIELD, 0, "T", "==", "0"},
        {"field:DataSegmentLength<=8192", OUTCOME_FIELD, 0, "DataSegmentLength", "<=", "8192"},
        {"field:NSG in {1,3}", OUTCOME_FIELD, 0, "NSG", "in", "{1,3}"},
        {"field:ITT==request ITT", OUTCOME_FIELD, 0, "ITT", "==", "request ITT"},
        {"field:TSIH!=0", OUTCOME_FIELD, 0, "TSIH", "!=", "0"},
        {"field:T==1,NSG==1", OUTCOME_TEXT, 0, NULL, NULL, NULL},
        {"field:NoSuchField==1", OUTCOME_TEXT, 0, NULL, NULL, NULL},
        {"reject-pdu:any", OUTCOME_REJECT_PDU, 0, NULL, NULL, NULL},
        {"reject-pdu:0x04", OUTCOME_REJECT_PDU, 4, NULL, NULL, NULL},
        {"no-response until login timeout then close", OUTCOME_SILENCE, 0, NULL, NULL, NULL},
        {"session A alive", OUTCOME_TEXT, 0, NULL, NULL, NULL},
        {"", OUTCOME_TEXT, 0, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome o;

        assert_int_equal(outcome_parse(rows[i].token, &o, NULL, NULL), 0);
        if (o.kind != rows[i].kind || o.code != rows[i].code || (rows[i].key && strcmp(o.key, rows[i].key) != 0) ||
            (rows[i].op && strcmp(o.op, rows[i].op) != 0) || (rows[i].value && strcmp(o.value, rows[i].value) != 0) ||
            !rows[i].key != !o.key || !rows[i].value != !o.value)
            fail_msg("%s: kind %d code %x %s %s %s", rows[i].token, (int)o.kind, o.code, o.key ? o.key : "-",
                     o.op ? o.op : "-", o.value ? o.value : "-");
        assert_string_equal(o.text, rows[i].token);
        outcome_free(&o);
    }
}

static void malformed_tokens(void **state)
{
    static const char *const rows[] = {"status:0x02zz", "status:0x020",  "status:",       "status:class",
                                       "status:classz", "reject-pdu:04", "reject-pdu:0x4"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct load_error err = {{0}};
        struct position at = {"f.yaml", 3, 4};
        struct outcome o;

        assert_int_equal(outcome_parse(rows[i], &o, &at, &err), -1);
        assert_memory_equal(err.text, "f.yaml:3:4: ", 12);
        assert_null(o.text);
    }
}

static void coverage(void **state)
{
    static const struct {
        const char *a, *b;
        bool covered;
    } rows[] = {
        {"status:0x0203", "status:0x0203", true},
        {"status:0x0203", "status:class2", true},
        {"status:class2", "status:0x0203", false},
        {"status:class2", "status:any", true},
        {"status:any", "status:class2", false},
        {"status:0x0000", "status:any", false},
        {"status:0x0301", "status:class2", false},
        {"close", "close", true},
        {"close", "status:class2", false},
        {"ffp", "accept", true},
        {"stay", "accept", true},
        {"accept", "ffp", false},
        {"close", "accept", false},
        {"ffp", "status:0x0000", true},
        {"answer:A=1", "answer:A=1|2", true},
        {"answer:A=1|2", "answer:A=1", false},
        {"answer:A=3", "answer:A in [1..5]", true},
        {"answer:A=3|6", "answer:A in [1..5]", false},
        {"answer:A in [2..3]", "answer:A in [1..5]", true},
        {"answer:A in [2..9]", "answer:A in [1..5]", false},
        {"answer:A=3", "answer:*=3", true},
        {"answer:*=3", "answer:A=3", false},
        {"answer:A=anything", "answer:A", true},
        {"answer:A", "answer:A=3", false},
        {"answer:MaxBurstLength=512", "answer:MaxBurstLength admissible", true},
        {"answer:MaxBurstLength=1", "answer:MaxBurstLength admissible", false},
        {"answer:MaxBurstLength in [512..600]", "answer:*=admissible", true},
        {"noanswer:A", "noanswer:*", true},
        {"noanswer:A", "noanswer:B", false},
        {"declare:A=1", "declare:A", true},
        {"declare:A", "declare:A=1", false},
        {"field:T==0", "field:T==0", true},
        {"field:T==0", "field:T==1", false},
        {"reject-pdu:0x04", "reject-pdu:any", true},
        {"reject-pdu:any", "reject-pdu:0x04", false},
        {"stay", "stay, then ffp", true},
        {"stay", "stays", false},
        {"field:T==1", "field:T==1,NSG==1", true},
        {"no-response", "no-response until login timeout then close", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome a, b;

        assert_int_equal(outcome_parse(rows[i].a, &a, NULL, NULL), 0);
        assert_int_equal(outcome_parse(rows[i].b, &b, NULL, NULL), 0);
        if (outcome_covered(&a, &b) != rows[i].covered)
            fail_msg("%s in %s: not %d", rows[i].a, rows[i].b, rows[i].covered);
        outcome_free(&a);
        outcome_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped), cmocka_unit_test(broken),           cmocka_unit_test(missing_file),
        cmocka_unit_test(tokens),  cmocka_unit_test(malformed_tokens), cmocka_unit_test(coverage),
    };

    return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
