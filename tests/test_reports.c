/* The coverage table from results that are made up, its golden file, JUnit. */
#include "reports/coverage.h"
#include "reports/html.h"
#include "reports/matrix.h"
#include "reports/reports.h"
#include "reports/rulebook.h"
#include "reports/table.h"

#include <libxml/parser.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static json_t *line(const char *id, const char *code, enum verdict v, const char *status, const char *proof)
{
    json_t *item = result_new(id, v, "the reason");
    const struct status_entry *status_code = status_find_text(code);
    json_t *proven = json_object();

    json_object_set_new(item, "title", json_string("What it is about"));
    json_object_set_new(item, "subject", json_pack("s#", id, (int)strcspn(id, ".")));
    assert_non_null(status_code);
    json_object_set_new(item, "code", json_integer(status_code->code));
    json_object_set_new(item, "judged", json_string(verdict_name(v)));
    json_object_set_new(item, "needs", json_pack("[s]", "open"));
    json_object_set_new(item, "seen",
                        json_pack("[{s:s, s:[s], s:s, s:b}]", "conn", "A", "status", status, "end", "fin", "ffp",
                                  strcmp(status, "0x0000") == 0));
    if (proof != NULL) {
        json_object_set_new(proven, "a-defect", json_string(proof));
    }
    json_object_set_new(item, "proven", proven);
    json_object_set_new(item, "ms", json_real(1.5));
    json_object_set_new(item, "evidence", json_pack("{s:s, s:s}", "pcap", "evidence/x.pcap", "text", "evidence/x.txt"));
    return item;
}

static void add(struct results *r, const char *id, const char *code, enum verdict v, const char *status,
                const char *proof)
{
    assert_int_equal(json_array_append_new(r->cases, line(id, code, v, status, proof)), 0);
}

/* One of each cell. */
static void make_run(struct results *r)
{
    json_t *codes = json_object();

    assert_true(results_init(r));
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        char code[8];

        snprintf(code, sizeof(code), "0x%04x", (unsigned)status_at(i)->code);
        json_object_set_new(codes, code, json_pack("{s:b, s:s}", "ok", i != 3, "reported", "something"));
    }
    json_object_set_new(r->head, "iscsispec", json_string("0.0.0"));
    json_object_set_new(r->head, "profile", json_string("made-up"));
    json_object_set_new(r->head, "title", json_string("A target that was made up"));
    json_object_set_new(r->head, "started", json_string("2026-01-01T00:00:00Z"));
    json_object_set_new(r->head, "not_offered",
                        json_pack("[{s:s, s:s}, {s:s, s:s}]", "code", "0x0204", "reason", "forgets | removed names",
                                  "condition", "drained", "reason", "cannot drain"));
    json_object_set_new(r->head, "code_notes",
                        json_pack("{s:{s:s, s:s}}", "0x0203", "source", "src/login.c:1", "note", "by name only"));
    json_object_set_new(r->head, "decoder", json_pack("{s:s, s:o}", "name", "libiscsi 1.19.0", "codes", codes));
    add(r, "a.valid", "0x0000", VERDICT_PASS, "0x0000", "FAIL");
    add(r, "a.acl", "0x0202", VERDICT_PASS, "0x0203", "FAIL");
    add(r, "a.name", "0x0203", VERDICT_PASS, "0x0203", "FAIL");
    add(r, "a.name-too", "0x0203", VERDICT_FAIL, "0x0301", "FAIL");
    add(r, "b.join", "0x0206", VERDICT_FAIL, "0x0000", "FAIL");
    add(r, "b.missing", "0x0207", VERDICT_PASS, "0x0207", NULL);
    add(r, "b.forced", "0x0300", VERDICT_PASS, "0x0300", "FAIL");
    json_object_set_new(r->head, "forced", json_pack("[s]", "0x0300"));
    add(r, "b.drained", "0x0301", VERDICT_SKIP, "", "FAIL");
    json_object_set_new(json_array_get(r->cases, 7), "seen", json_array());
    results_sort(r);
}

static const struct coverage_row *row_of(const struct coverage *c, unsigned code)
{
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        if (c->rows[i].status->code == code) {
            return &c->rows[i];
        }
    }
    fail();
    return NULL;
}

static void assert_cells(const struct coverage *c, unsigned code, const char *server, const char *test)
{
    char text[64];

    assert_string_equal(coverage_server_cell(row_of(c, code), text, sizeof(text)), server);
    assert_string_equal(coverage_test_cell(row_of(c, code), text, sizeof(text)), test);
}

static void cells_follow_from_results(void **state)
{
    struct coverage c;
    struct results r;

    (void)state;
    make_run(&r);
    coverage_compute(&c, &r);
    assert_cells(&c, 0x0000, "✅", "✅");
    assert_cells(&c, 0x0101, "–", "❌");
    assert_cells(&c, 0x0202, "○ 0203", "✅");
    assert_cells(&c, 0x0203, "✅", "✅ 1 of 2 failed");
    assert_cells(&c, 0x0204, "–", "❌");
    assert_cells(&c, 0x0206, "❌", "✅ 1 of 1 failed");
    assert_cells(&c, 0x0207, "✅", "❌");
    assert_cells(&c, 0x0300, "forced", "✅");
    assert_cells(&c, 0x0301, "–", "❌");
    assert_string_equal(row_of(&c, 0x0301)->reason, "the reason");
    assert_string_equal(row_of(&c, 0x0204)->reason, "forgets | removed names");
    assert_false(row_of(&c, status_at(3)->code)->decoded);
    assert_int_equal(c.decoded, 17);
    assert_int_equal(c.seen, 3);
    assert_int_equal(c.proven, 5);
    results_free(&r);
}

static void verdicts_of_others_do_not_count(void **state)
{
    struct coverage c;
    struct results r;

    (void)state;
    assert_true(results_init(&r));
    /* The code came, but in a case for another code; and an ERROR is no verdict on the target. */
    add(&r, "a.acl", "0x0202", VERDICT_PASS, "0x0203", "FAIL");
    add(&r, "a.name", "0x0203", VERDICT_ERROR, "0x0203", "FAIL");
    coverage_compute(&c, &r);
    assert_cells(&c, 0x0203, "–", "❌");
    assert_int_equal(c.seen, 0);
    assert_int_equal(c.decoded, 0);
    results_free(&r);
}

static void percent_is_rounded(void **state)
{
    (void)state;
    assert_int_equal(coverage_percent(0), 0);
    assert_int_equal(coverage_percent(5), 28);
    assert_int_equal(coverage_percent(11), 61);
    assert_int_equal(coverage_percent(18), 100);
}

static char *slurp(FILE *file)
{
    char *text;
    long len;

    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    len = ftell(file);
    rewind(file);
    text = calloc(1, (size_t)len + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)len, file), (size_t)len);
    return text;
}

/* ISCSISPEC_GOLDEN=write makes the golden files anew. */
static void assert_golden(const char *name, FILE *made)
{
    char path[512];
    char *have = slurp(made), *want;
    const char *mode = getenv("ISCSISPEC_GOLDEN");
    FILE *golden;

    snprintf(path, sizeof(path), "%s/tests/golden/%s", ISCSISPEC_SOURCE_DIR, name);
    if (mode != NULL && strcmp(mode, "write") == 0) {
        golden = fopen(path, "we");
        assert_non_null(golden);
        fputs(have, golden);
        fclose(golden);
    }
    golden = fopen(path, "re");
    assert_non_null(golden);
    want = slurp(golden);
    fclose(golden);
    assert_string_equal(have, want);
    free(want);
    free(have);
}

static void markdown_is_golden(void **state)
{
    struct results r;
    FILE *made = tmpfile();

    (void)state;
    make_run(&r);
    assert_int_equal(markdown_write(made, &r, NULL, false), 0);
    assert_golden("coverage.md", made);
    fclose(made);
    made = tmpfile();
    assert_int_equal(markdown_write(made, &r, NULL, true), 0);
    assert_golden("coverage-published.md", made);
    fclose(made);
    results_free(&r);
}

static void published_form_has_nothing_of_one_run(void **state)
{
    struct results r;
    FILE *made = tmpfile();
    char *text;

    (void)state;
    make_run(&r);
    assert_int_equal(markdown_write(made, &r, NULL, true), 0);
    text = slurp(made);
    assert_null(strstr(text, "2026-01-01"));
    assert_null(strstr(text, "evidence/"));
    assert_null(strstr(text, "<br>the reason"));
    free(text);
    fclose(made);
    results_free(&r);
}

static void matrix_is_golden(void **state)
{
    struct results runs[2];
    FILE *made = tmpfile();

    (void)state;
    make_run(&runs[0]);
    make_run(&runs[1]);
    json_object_set_new(runs[1].head, "profile", json_string("other"));
    assert_int_equal(matrix_write(made, runs, 2), 0);
    assert_golden("matrix.md", made);
    fclose(made);
    results_free(&runs[0]);
    results_free(&runs[1]);
}

/* As make_run, with every verdict and texts that would break a line of TAP. */
static void make_verdicts(struct results *r)
{
    make_run(r);
    json_object_set_new(r->head, "waivers", json_pack("[{s:s}]", "reason", "known # and\nfollowed up"));
    for (int v = VERDICT_PASS; v <= VERDICT_ERROR; v++) {
        json_object_set_new(json_array_get(r->cases, (size_t)v), "verdict", json_string(verdict_name((enum verdict)v)));
    }
    json_object_set_new(json_array_get(r->cases, VERDICT_XFAIL), "waived_by", json_pack("[i]", 0));
    json_object_set_new(json_array_get(r->cases, VERDICT_FAIL), "id", json_string("a#b\\c"));
    json_object_set_new(json_array_get(r->cases, VERDICT_FAIL), "reason", json_string("said \"no\"\n...\nok 99"));
    json_object_set_new(json_array_get(r->cases, VERDICT_FAIL), "findings",
                        json_pack("[{s:s, s:s, s:s, s:s}, {s:s, s:s}]", "rule", "L-STAT-001", "severity", "fail", "was",
                                  "this", "allowed", "that", "rule", "L-TSIH-003", "severity", "info"));
}

static void tap_is_golden(void **state)
{
    struct results r;
    FILE *made = tmpfile();

    (void)state;
    make_verdicts(&r);
    json_object_set_new(r.head, "interrupted", json_true());
    assert_int_equal(tap_write(made, &r), 0);
    assert_golden("results.tap", made);
    fclose(made);
    results_free(&r);
}

static struct catalogue *shipped_rules(void)
{
    struct load_error err = {""};
    struct catalogue *rules = catalogue_load(ISCSISPEC_SOURCE_DIR "/cases/requirements.yaml", &err);

    if (rules == NULL) {
        fail_msg("%s", err.text);
    }
    return rules;
}

static const struct rulebook_row *rule_row(const struct rulebook *book, const char *id)
{
    for (size_t i = 0; i < book->count; i++) {
        if (strcmp(book->rows[i].rule->id, id) == 0) {
            return &book->rows[i];
        }
    }
    fail_msg("no rule %s", id);
    return NULL;
}

/* One rule of each state; and what may not count as one. */
static void rules_by_state(void **state)
{
    struct catalogue *rules = shipped_rules();
    struct rulebook book;
    struct results r;
    json_t *item;

    (void)state;
    assert_true(results_init(&r));
    json_object_set_new(r.head, "audited", json_pack("{s:i, s:i}", "L-ITT-001", 5, "L-TSIH-004", 3));
    item = line("a.proven", "0x0000", VERDICT_PASS, "0x0000", "FAIL");
    json_object_set_new(item, "proves", json_pack("[s, s]", "L-VER-001", "L-DUP-001"));
    json_array_append_new(r.cases, item);
    item = line("b.unproven", "0x0000", VERDICT_PASS, "0x0000", "PASS"); /* the defect does not make it fail */
    json_object_set_new(item, "proves", json_pack("[s]", "L-VER-002"));
    json_array_append_new(r.cases, item);
    item = line("c.broken", "0x0200", VERDICT_FAIL, "0x0000", "FAIL");
    json_object_set_new(item, "broke", json_string("L-DUP-001"));
    json_object_set_new(item, "findings",
                        json_pack("[{s:s, s:s}, {s:s, s:s}, {s:s, s:s, s:b}]", "rule", "L-TSIH-004", "severity", "warn",
                                  "rule", "L-VER-001", "severity", "info", "rule", "L-VER-001", "severity", "fail",
                                  "ignored", 1));
    json_array_append_new(r.cases, item);
    item = line("c.fine-elsewhere", "0x0200", VERDICT_PASS, "0x0200", "FAIL");
    json_object_set_new(item, "proves", json_pack("[s]", "L-DUP-001"));
    json_array_append_new(r.cases, item);
    item = line("d.skipped", "0x0200", VERDICT_SKIP, "", "FAIL");
    json_object_set_new(item, "proves", json_pack("[s]", "L-VER-003"));
    json_array_append_new(r.cases, item);
    assert_true(rulebook_compute(&book, &r, rules));
    assert_int_equal(rule_row(&book, "L-VER-001")->state, RULEBOOK_PROVEN);
    assert_int_equal(rule_row(&book, "L-VER-002")->state, RULEBOOK_NOT_REACHED);
    assert_int_equal(rule_row(&book, "L-VER-003")->state, RULEBOOK_NOT_REACHED);
    assert_int_equal(rule_row(&book, "L-ITT-001")->state, RULEBOOK_CHECKED);
    assert_int_equal(rule_row(&book, "L-TSIH-004")->state, RULEBOOK_BROKEN);
    assert_int_equal(rule_row(&book, "L-DUP-001")->state, RULEBOOK_BROKEN); /* broken once is broken */
    assert_int_equal(rule_row(&book, "L-DUP-001")->broken_in, 1);
    rulebook_free(&book);
    catalogue_free(rules);
    results_free(&r);
}

static void sarif_tells_what_failed(void **state)
{
    struct catalogue *rules = shipped_rules();
    struct results r;
    json_t *root, *run, *results;

    (void)state;
    make_verdicts(&r);
    root = sarif_json(&r, rules);
    run = json_array_get(json_object_get(root, "runs"), 0);
    results = json_object_get(run, "results");
    /* WARN, FAIL and its finding, XFAIL, XPASS, CRASH; neither PASS nor SKIP, and ERROR is none of the target's. */
    assert_int_equal(json_array_size(results), 4);
    assert_false(
        json_is_true(json_object_get(json_array_get(json_object_get(run, "invocations"), 0), "executionSuccessful")));
    json_decref(root);
    catalogue_free(rules);
    results_free(&r);
}

/* Whatever stands in the results, it cannot end the script element that holds it. */
static void html_holds_no_foreign_element(void **state)
{
    struct catalogue *rules = shipped_rules();
    struct results r;
    struct html_run run = {&r, NULL, ""};
    FILE *made = tmpfile();
    char *text, *at;
    size_t scripts = 0;

    (void)state;
    make_verdicts(&r);
    json_object_set_new(json_array_get(r.cases, 0), "reason", json_string("</script><!-- <script>"));
    json_object_set_new(r.head, "title", json_string("</title></script><script>alert(1)</script>"));
    assert_int_equal(html_write(made, &run, 1, rules), 0);
    text = slurp(made);
    for (at = text; (at = strstr(at, "</script>")) != NULL; at++) {
        scripts++;
    }
    assert_int_equal(scripts, 2);
    assert_null(strstr(text, "/*@"));
    assert_null(strstr(text, "alert(1)</script>"));
    assert_non_null(strstr(text, "\\u003c/script>\\u003c!-- \\u003cscript>"));
    free(text);
    fclose(made);
    catalogue_free(rules);
    results_free(&r);
}

/* A file that names evidence elsewhere does not get it into the page. */
static void html_reads_nothing_outside(void **state)
{
    struct results r;
    struct html_run run = {&r, "/tmp", NULL};
    char path[] = "/tmp/iscsispec-outside.XXXXXX";
    int fd = mkstemp(path);
    json_t *data, *line_in, *ladders;

    (void)state;
    assert_true(fd >= 0 && write(fd, "{\"conns\":[]}", 12) == 12);
    close(fd);
    make_run(&r);
    line_in = json_array_get(r.cases, 0);
    for (int inside = 0; inside < 2; inside++) {
        char file[64];

        snprintf(file, sizeof(file), "%s%s", inside ? "" : "../tmp/", path + 5);
        json_object_set_new(line_in, "evidence", json_pack("{s:s}", "json", file));
        data = html_data(&run, 1, NULL);
        ladders = json_array_get(json_object_get(data, "ladders"), 0);
        assert_int_equal(json_object_size(ladders), inside);
        json_decref(data);
    }
    unlink(path);
    results_free(&r);
}

static void matrix_names_who_broke_what(void **state)
{
    struct catalogue *rules = shipped_rules();
    struct results runs[2];
    FILE *made = tmpfile();
    char *text;

    (void)state;
    make_run(&runs[0]);
    make_verdicts(&runs[1]);
    json_object_set_new(runs[1].head, "profile", json_string("other"));
    assert_int_equal(matrix_write_all(made, runs, 2, rules), 0);
    text = slurp(made);
    assert_non_null(strstr(text, "- `other`: A target that was made up: 1 PASS"));
    assert_non_null(strstr(text, "| Subject "));
    assert_non_null(strstr(text, "Broken by other (`a#b\\c`)."));
    free(text);
    fclose(made);
    catalogue_free(rules);
    results_free(&runs[0]);
    results_free(&runs[1]);
}

static size_t count_elements(const xmlNode *node, const char *name)
{
    size_t count = 0;

    for (const xmlNode *at = node; at != NULL; at = at->next) {
        count += at->type == XML_ELEMENT_NODE && strcmp((const char *)at->name, name) == 0;
        count += count_elements(at->children, name);
    }
    return count;
}

static void junit_is_well_formed(void **state)
{
    char path[] = "/tmp/iscsispec-junit.XXXXXX";
    int fd = mkstemp(path);
    struct results r;
    xmlDocPtr doc;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    make_run(&r);
    /* What a peer may put into a reason. */
    json_object_set_new(json_array_get(r.cases, 0), "reason", json_string("<&\"' \x01 ]]> \xef\xbf\xbf"));
    json_object_set_new(json_array_get(r.cases, 0), "verdict", json_string("FAIL"));
    assert_int_equal(junit_write(path, &r), 0);
    doc = xmlReadFile(path, NULL, XML_PARSE_NONET);
    assert_non_null(doc);
    assert_int_equal(count_elements(xmlDocGetRootElement(doc), "testsuite"), 2);
    assert_int_equal(count_elements(xmlDocGetRootElement(doc), "testcase"), 8);
    assert_int_equal(count_elements(xmlDocGetRootElement(doc), "failure"), 3);
    assert_int_equal(count_elements(xmlDocGetRootElement(doc), "skipped"), 1);
    xmlFreeDoc(doc);
    xmlCleanupParser();
    unlink(path);
    results_free(&r);
}

static void json_has_every_code(void **state)
{
    struct results r;
    json_t *root;

    (void)state;
    make_run(&r);
    root = coverage_json(&r);
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "codes")), STATUS_COUNT);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "counts"), "server")), 3);
    json_decref(root);
    results_free(&r);
}

static void table_counts_columns_of_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(table_width("abc"), 3);
    assert_int_equal(table_width("✅"), 2);
    assert_int_equal(table_width("○ 0203"), 6);
    assert_int_equal(table_width("–"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_follow_from_results),
        cmocka_unit_test(verdicts_of_others_do_not_count),
        cmocka_unit_test(percent_is_rounded),
        cmocka_unit_test(markdown_is_golden),
        cmocka_unit_test(published_form_has_nothing_of_one_run),
        cmocka_unit_test(matrix_is_golden),
        cmocka_unit_test(tap_is_golden),
        cmocka_unit_test(rules_by_state),
        cmocka_unit_test(sarif_tells_what_failed),
        cmocka_unit_test(html_holds_no_foreign_element),
        cmocka_unit_test(html_reads_nothing_outside),
        cmocka_unit_test(matrix_names_who_broke_what),
        cmocka_unit_test(junit_is_well_formed),
        cmocka_unit_test(json_has_every_code),
        cmocka_unit_test(table_counts_columns_of_a_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
