/* The loader of cases: what a case becomes, what is refused and how, and that no bytes can hurt it. */
#include "bad_inputs.h"
#include "harness/case.h"
#include "wire/pdu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct catalogue *rules;

static int load_rules(void **state)
{
    (void)state;
    rules = catalogue_load(ISCSISPEC_SOURCE_DIR "/cases/requirements.yaml", NULL);
    return rules ? 0 : -1;
}

static int free_rules(void **state)
{
    (void)state;
    catalogue_free(rules);
    return 0;
}

static int load_path(const char *path, struct load_error *err)
{
    struct case_list list;
    int rc = case_list_load(&list, &path, 1, rules, err);

    case_list_free(&list);
    return rc;
}

/* Writes a file and loads it. */
static int load_bytes(const char *bytes, size_t len, struct case_list *list, struct load_error *err)
{
    char path[] = "/tmp/iscsispec-case-XXXXXX.yaml";
    const char *paths[] = {path};
    int fd = mkstemps(path, 5);
    int rc;

    assert_true(fd >= 0);
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, bytes + done, len - done);

        assert_true(n > 0);
        done += (size_t)n;
    }
    close(fd);
    rc = case_list_load(list, paths, 1, rules, err);
    unlink(path);
    return rc;
}

static void load_text(const char *text, struct case_list *list)
{
    struct load_error err = {{0}};

    if (load_bytes(text, strlen(text), list, &err) != 0)
        fail_msg("%s", err.text);
}

static void broken(void **state)
{
    (void)state;
    assert_true(bad_inputs_check("cases", load_path) >= 45);
}

static void shipped(void **state)
{
    static const char *const paths[] = {ISCSISPEC_SOURCE_DIR "/cases"};
    struct load_error err = {{0}};
    struct case_list list;

    (void)state;
    if (case_list_load(&list, paths, 1, rules, &err) != 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < list.count; i++) {
        assert_ptr_equal(case_list_find(&list, list.cases[i].id), &list.cases[i]);
        assert_int_equal(strlen(list.cases[i].hash), 16);
        assert_true(list.cases[i].need_count > 0);
    }
    assert_null(case_list_find(&list, "no.such.case"));
    case_list_free(&list);
}

static void all_fields(void **state)
{
    static const char text[] = "- id: test.all\n"
                               "  title: Everything at once\n"
                               "  proves: [L-TSIH-005]\n"
                               "  code: 0x020a\n"
                               "  needs: { a: [open], b: chap }\n"
                               "  caught-by: [some-defect]\n"
                               "  safe: no\n"
                               "  audit: { ignore: [{ rule: L-TSIH-001, why: a reason }] }\n"
                               "  steps:\n"
                               "    - login:\n"
                               "        role: a\n"
                               "        base: security\n"
                               "        stop: { after: 1, when: sent }\n"
                               "        pdu: 2\n"
                               "        set: [MaxConnections=2]\n"
                               "        text: 'A=\\x41\\0\\\\{target}'\n"
                               "        pad: 'ff 00'\n"
                               "        header: { TSIH: 0x1234, ISID: \"{isid}\" }\n"
                               "        bytes: { 1: c7 }\n"
                               "        edits: [{ drop: '*' }]\n"
                               "    - insert: { after: 0, when: sent, pdu: scsi-command, header: { R: 1 } }\n"
                               "    - split: { pdu: 1, at: [1, 48], delay: 5 }\n"
                               "    - continue: { pdu: 1, behind: [\"A=1\\0\"] }\n"
                               "    - truncate: { pdu: 1, to: 20, then: hold }\n"
                               "    - expect: { rule: L-TSIH-005, then: closed, alive: no }\n"
                               "    - expect: { any: [{ status: class2, level: tolerated }, close], responses: 0 }\n"
                               "    - login: { as: B, base: join, of: A, via: chap, role: b }\n"
                               "    - send: { hex: '40 00', answer: no }\n"
                               "    - logout:\n"
                               "    - wait: { ms: 10 }\n"
                               "    - control: { do: drain, undo: resume }\n"
                               "    - follow: { from: A, as: C }\n"
                               "    - nop: { on: C }\n";
    struct case_list list;
    const struct case_def *c;
    const struct case_login *l;

    (void)state;
    load_text(text, &list);
    assert_int_equal(list.count, 1);
    c = &list.cases[0];
    assert_int_equal(c->code, 0x020a);
    assert_int_equal(c->need_count, 2);
    assert_string_equal(c->needs[1].role, "b");
    assert_string_equal(c->needs[1].conditions.items[0], "chap");
    assert_false(c->safe);
    assert_string_equal(c->ignores[0].rule, "L-TSIH-001");
    assert_int_equal(c->step_count, 10);

    l = &c->steps[0].login;
    assert_string_equal(l->as, "A");
    assert_string_equal(c->steps[0].on, "A");
    assert_int_equal(l->base, CASE_BASE_SECURITY);
    assert_int_equal(l->stop_pdu, 1);
    assert_int_equal(l->stop_when, CASE_WHEN_SENT);
    assert_int_equal(l->edit_count, 2);
    assert_int_equal(l->edits[0].pdu, 2);
    assert_int_equal(l->edits[0].text_len, 13);
    assert_memory_equal(l->edits[0].text, "A=A\0\\{target}", 13);
    assert_int_equal(l->edits[0].pad_len, 2);
    assert_int_equal(l->edits[0].header_count, 2);
    assert_string_equal(l->edits[0].header[1].value, "{isid}");
    assert_int_equal(l->edits[0].bytes[0].offset, 1);
    assert_int_equal(l->edits[0].bytes[0].bytes[0], 0xc7);
    assert_string_equal(l->edits[1].drop.items[0], "*");
    assert_int_equal(l->shape_count, 4);
    assert_int_equal(l->shapes[0].pdu.opcode, PDU_SCSI_COMMAND);
    assert_int_equal(l->shapes[0].when, CASE_WHEN_SENT);
    assert_int_equal(l->shapes[1].offset_count, 2);
    assert_int_equal(l->shapes[1].delay_ms, 5);
    assert_int_equal(l->shapes[2].mark_lens[0], 4);
    assert_int_equal(l->shapes[3].cut, CASE_CUT_HOLD);

    assert_ptr_equal(c->steps[1].expect.entry, catalogue_find(rules, "L-TSIH-005"));
    assert_int_equal(c->steps[1].expect.then, CASE_END_CLOSED);
    assert_int_equal(c->steps[1].expect.alive, 0);
    assert_int_equal(c->steps[2].expect.alive, -1);
    assert_int_equal(c->steps[2].expect.responses, 0);
    assert_true(c->steps[2].expect.any.items[0].tolerated);
    assert_false(c->steps[2].expect.any.items[1].tolerated);
    assert_int_equal(c->steps[3].login.via, CASE_BASE_CHAP);
    assert_true(c->steps[4].no_answer);
    assert_int_equal(c->steps[4].pdu.hex_len, 2);
    assert_int_equal(c->steps[4].pdu.opcode, -1);
    assert_string_equal(c->steps[4].on, "B");
    assert_string_equal(c->steps[5].reason, "session");
    assert_int_equal(c->steps[6].wait_ms, 10);
    assert_string_equal(c->steps[7].control_undo, "resume");
    assert_string_equal(c->steps[8].on, "A");
    assert_string_equal(c->steps[8].login.as, "C");
    case_list_free(&list);
}

#define MATRIX(order, steps)                                                                                           \
    "- id: test.matrix\n  title: A family\n  matrix: " order "\n  steps:\n    - login: { set: [\"MaxConnections="      \
    "${n}\"] }\n    - expect: { any: [{ status: \"${code}\" }] }\n" steps

static void matrix(void **state)
{
    struct case_list list, other;

    (void)state;
    load_text(MATRIX("{ n: [1, 2], code: { low: 0x0200, high: 0x0207 } }", ""), &list);
    load_text(MATRIX("{ code: { high: 0x0207, low: 0x0200 }, n: [2, 1] }", ""), &other);
    assert_int_equal(list.count, 4);
    assert_string_equal(list.cases[0].id, "test.matrix.code=high,n=1");
    assert_string_equal(list.cases[3].id, "test.matrix.code=low,n=2");
    assert_string_equal(list.cases[3].steps[0].login.edits[0].set.items[0], "MaxConnections=2");
    assert_int_equal(list.cases[3].steps[1].expect.any.items[0].code, 0x0200);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(list.cases[i].id, other.cases[i].id);
        assert_string_equal(list.cases[i].hash, other.cases[i].hash);
    }
    assert_string_not_equal(list.cases[0].hash, list.cases[1].hash);
    case_list_free(&list);
    case_list_free(&other);
}

/* Titles, comments, order of keys and place in the file are not part of what is vouched for; all else is. */
static void hashes(void **state)
{
    static const struct {
        const char *text;
        bool same;
    } rows[] = {
        {"- id: test.a\n  title: One\n  steps:\n    - login: { base: plain, pdu: 1, add: [A=1] }\n"
         "    - expect: { rule: L-TSIH-005 }\n",
         true},
        {"# remark\n- title: Two\n  id: test.a\n  covers: [x]\n  steps:\n    - login: { pdu: 1, add: [A=1], base: "
         "plain }\n"
         "    - expect: { rule: L-TSIH-005 }\n",
         true},
        {"- id: test.a\n  title: One\n  steps:\n    - login: { base: plain, pdu: 1, add: [A=2] }\n"
         "    - expect: { rule: L-TSIH-005 }\n",
         false},
        {"- id: test.a\n  title: One\n  steps:\n    - login: { base: plain, pdu: 1, add: [A=1] }\n"
         "    - expect: { rule: L-TSIH-006 }\n",
         false},
        {"- id: test.b\n  title: One\n  steps:\n    - login: { base: plain, pdu: 1, add: [A=1] }\n"
         "    - expect: { rule: L-TSIH-005 }\n",
         false},
    };
    char first[17] = "";

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct case_list list;

        load_text(rows[i].text, &list);
        if (i == 0)
            memcpy(first, list.cases[0].hash, sizeof first);
        assert_int_equal(strcmp(first, list.cases[0].hash) == 0, rows[i].same);
        case_list_free(&list);
    }
}

static void selection(void **state)
{
    static const char text[] = "- id: chap.wrong.secret\n  title: One\n  proves: [L-TSIH-005]\n  code: 0x020a\n"
                               "  caught-by: [some-defect]\n  steps:\n    - login: {}\n"
                               "    - expect: { rule: L-STG-012 }\n";
    static const struct {
        const char *exprs[3];
        int selected;
    } rows[] = {
        {{NULL}, 1},
        {{"chap.*"}, 1},
        {{"keys.*"}, 0},
        {{"keys.*,chap.wrong.secret"}, 1},
        {{"keys.*", "chap.*"}, 1},
        {{"!chap.*"}, 0},
        {{"!keys.*"}, 1},
        {{"chap.*,!*.secret"}, 0},
        {{"chap.*", "!code:0x020a"}, 0},
        {{"code:0x020A"}, 1},
        {{"code:020a"}, 1},
        {{"code:0x0200"}, 0},
        {{"rule:L-TSIH-*"}, 1},
        {{"rule:L-STG-012"}, 1},
        {{"subject:tmp"}, 1},
        {{"subject:chap"}, 0},
        {{"defect:some-*"}, 1},
        {{"section:6.3.*"}, 1},
        {{"section:10.*"}, 0},
        {{"id:chap.wrong.secret"}, 1},
        {{""}, -1},
        {{"chap.*,"}, -1},
        {{"cod:0x0200"}, -1},
        {{"code:"}, -1},
        {{"code:0x02zz"}, -1},
        {{"code:0x0299"}, -1},
        {{"code:0x02*"}, 1},
        {{"code:[0-3]2??"}, 1},
    };
    struct case_list list;

    (void)state;
    load_text(text, &list);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct load_error err = {{0}};
        size_t n = 0;
        int got;

        while (rows[i].exprs[n])
            n++;
        got = case_selected(&list.cases[0], rules, rows[i].exprs, n, &err);
        if (got != rows[i].selected)
            fail_msg("%s: %d, %s", rows[i].exprs[0] ? rows[i].exprs[0] : "", got, err.text);
        assert_int_equal(got < 0, err.text[0] != '\0');
    }
    case_list_free(&list);

    load_text(MATRIX("{ n: [1], code: [0x0200, 0x0207] }", ""), &list);
    {
        const char *exprs[] = {"test.matrix.code=0x0207,n=1"};

        assert_int_equal(case_selected(&list.cases[0], rules, exprs, 1, NULL), 0);
        assert_int_equal(case_selected(&list.cases[1], rules, exprs, 1, NULL), 1);
    }
    case_list_free(&list);
}

/* Folders: sorted, data of other kinds left out, the first folder is the subject. */
static void folders(void **state)
{
    static const char one[] = "- id: x.%c\n  title: One\n  steps:\n    - login: {}\n    - expect: { ffp: yes }\n";
    static const char *const dirs[] = {"", "/b", "/b/deeper", "/profiles", "/.hidden"};
    static const char *const files[] = {"/b/two.yaml",        "/b/deeper/one.yaml", "/top.yaml",      "/b/notes.txt",
                                        "/requirements.yaml", "/profiles/p.yaml",   "/.hidden/h.yaml"};
    char root[] = "/tmp/iscsispec-cases-XXXXXX";
    const char *paths[] = {root};
    struct load_error err = {{0}};
    struct case_list list;
    char path[128];

    (void)state;
    assert_non_null(mkdtemp(root));
    for (size_t i = 1; i < sizeof dirs / sizeof dirs[0]; i++) {
        snprintf(path, sizeof path, "%s%s", root, dirs[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        FILE *f;

        snprintf(path, sizeof path, "%s%s", root, files[i]);
        f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, one, (char)('a' + (char)i));
        fclose(f);
    }
    if (case_list_load(&list, paths, 1, rules, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.cases[0].subject, "b");
    assert_string_equal(list.cases[1].subject, "b");
    assert_string_equal(list.cases[2].id, "x.c");
    case_list_free(&list);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s%s", root, files[i]);
        unlink(path);
    }
    for (size_t i = sizeof dirs / sizeof dirs[0]; i-- > 0;) {
        snprintf(path, sizeof path, "%s%s", root, dirs[i]);
        rmdir(path);
    }
}

/* Bytes that no editor writes: an error each, at a place. */
static void hostile_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *says;
    } rows[] = {
        {"- id: \xff\n", 8, ":1:7: a byte that is no UTF-8 text"},
        {"- id: a\0b\n", 10, ":1:8: a byte that is no UTF-8 text"},
        {"- *x\n", 5, ":1:3: aliases are not allowed here"},
        {"- !!str x\n", 10, ":1:3: tags are not allowed here"},
        {"- {a: 1, a: 2}\n", 15, ":1:10: a: the key stands already in line 1"},
        {"[]\n---\n[]\n", 10, ":2:1: a second document"},
    };
    struct load_error err;
    struct case_list list;
    size_t len = (17u << 20);
    char *big = malloc(len);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(&err, 0, sizeof err);
        assert_int_equal(load_bytes(rows[i].bytes, rows[i].len, &list, &err), -1);
        if (!strstr(err.text, rows[i].says))
            fail_msg("%s, expected %s", err.text, rows[i].says);
    }
    assert_non_null(big);
    memset(big, '[', len);
    memset(&err, 0, sizeof err);
    assert_int_equal(load_bytes(big, 100000, &list, &err), -1);
    assert_non_null(strstr(err.text, "nested deeper than 32 levels"));
    memset(&err, 0, sizeof err);
    assert_int_equal(load_bytes(big, len, &list, &err), -1);
    assert_non_null(strstr(err.text, "larger than 16 MiB"));
    free(big);
}

/* Cuts and flips of a real file: whatever comes of it, it is an answer. */
static void mutilated(void **state)
{
    char *text = malloc(64u << 10);
    FILE *f = fopen(ISCSISPEC_SOURCE_DIR "/cases/text/form.yaml", "r");
    uint32_t random = 1;
    size_t len;

    (void)state;
    assert_non_null(text);
    assert_non_null(f);
    len = fread(text, 1, 64u << 10, f);
    fclose(f);
    for (int i = 0; i < 300; i++) {
        struct load_error err = {{0}};
        struct case_list list;
        char *copy = malloc(len);
        size_t cut;

        assert_non_null(copy);
        memcpy(copy, text, len);
        random = random * 1664525u + 1013904223u;
        cut = random % len;
        if (i % 2)
            copy[cut] = "{}[]:-'\"\n &*!|>#%@`\\\t,0"[random >> 24 & 15];
        if (load_bytes(copy, i % 2 ? len : cut, &list, &err) == 0)
            case_list_free(&list);
        else
            assert_true(err.text[0] != '\0');
        free(copy);
    }
    free(text);
}

static void schema(void **state)
{
    json_t *s = case_schema();

    (void)state;
    assert_non_null(s);
    assert_non_null(json_object_get(json_object_get(s, "$defs"), "login"));
    assert_non_null(
        json_object_get(json_object_get(json_object_get(json_object_get(s, "$defs"), "expect"), "properties"), "rule"));
    json_decref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken),  cmocka_unit_test(shipped),       cmocka_unit_test(all_fields),
        cmocka_unit_test(matrix),  cmocka_unit_test(hashes),        cmocka_unit_test(selection),
        cmocka_unit_test(folders), cmocka_unit_test(hostile_bytes), cmocka_unit_test(mutilated),
        cmocka_unit_test(schema),
    };

    return cmocka_run_group_tests_name("case", tests, load_rules, free_rules);
}
