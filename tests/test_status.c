/* Tests of wire/status: the table is complete and can be found by any name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/status.h"

static const unsigned codes[STATUS_COUNT] = {
    0x0000, 0x0101, 0x0102, 0x0200, 0x0201, 0x0202, 0x0203, 0x0204, 0x0205,
    0x0206, 0x0207, 0x0208, 0x0209, 0x020a, 0x020b, 0x0300, 0x0301, 0x0302,
};

static void table_is_the_rfc_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        assert_int_equal(status_at(i)->code, codes[i]);
        assert_ptr_equal(status_find(codes[i]), status_at(i));
    }
    assert_null(status_at(STATUS_COUNT));
    assert_null(status_at(SIZE_MAX));
}

static void nothing_else_is_a_code(void **state)
{
    size_t found = 0;

    (void)state;
    for (unsigned code = 0; code <= 0xffff; code++)
        found += status_find(code) != NULL;
    assert_int_equal(found, STATUS_COUNT);
    assert_null(status_find(0x10203)); /* no silent cut to 16 bits */
}

static void assert_sentences(const char *const *list)
{
    assert_non_null(list);
    assert_non_null(list[0]);
    for (; *list != NULL; list++) {
        size_t len = strlen(*list);

        assert_true(len > 10);
        assert_true((*list)[len - 1] == '.' || (*list)[len - 1] == '?');
        assert_null(strchr(*list, '\n'));
    }
}

static void each_entry_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        const struct status_entry *entry = status_at(i);
        unsigned class = status_class(entry->code);

        assert_true(strlen(entry->meaning) > 20);
        assert_sentences(entry->causes);
        assert_sentences(entry->checks);
        assert_non_null(strstr(entry->section, "11.13.5"));
        assert_non_null(entry->tshark);
        assert_int_equal(entry->libiscsi == NULL, entry->code == STATUS_SUCCESS);
        /* what the class says about trying again, 11.13.5 */
        assert_int_equal(entry->retry, status_class_find(class)->retry);
        if (class == STATUS_CLASS_TARGET_ERROR)
            assert_int_equal(entry->fault, STATUS_FAULT_TARGET);
        if (class == STATUS_CLASS_INITIATOR_ERROR)
            assert_true(entry->fault == STATUS_FAULT_INITIATOR || entry->fault == STATUS_FAULT_SETUP);
    }
}

static void names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        for (size_t j = i + 1; j < STATUS_COUNT; j++) {
            assert_string_not_equal(status_at(i)->name, status_at(j)->name);
            assert_string_not_equal(status_at(i)->symbol, status_at(j)->symbol);
        }
        assert_ptr_equal(status_find_text(status_at(i)->name), status_at(i));
        assert_ptr_equal(status_find_text(status_at(i)->symbol), status_at(i));
    }
}

static void find_by_text(void **state)
{
    static const struct {
        const char *text;
        int code; /* -1: none */
    } rows[] = {
        {"0x0203", 0x0203},
        {"0203", 0x0203},
        {"203", 0x0203},
        {"0X20A", 0x020a},
        {"0", 0},
        {"0x0", 0},
        {"not found", 0x0203},
        {"NOT-FOUND", 0x0203},
        {"STATUS_NOT_FOUND", 0x0203},
        {"Can't include in session", 0x0208},
        {"target error", 0x0300},
        {"", -1},
        {"0x", -1},
        {"0x00203", -1},
        {"0x02zz", -1},
        {"0103", -1},
        {"0f01", -1},
        {"not", -1},
        {"not found ", -1},
        {"STATUS_", -1},
        {"515", -1},
        {"-1", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct status_entry *entry = status_find_text(rows[i].text);

        assert_int_equal(entry != NULL ? (int)entry->code : -1, rows[i].code);
    }
}

static void classes(void **state)
{
    (void)state;
    assert_string_equal(status_class_name(0), "Success");
    assert_string_equal(status_class_name(3), "Target Error");
    assert_string_equal(status_class_name(0x0f), "Vendor-unique");
    assert_string_equal(status_class_name(4), "Unassigned class");
    assert_string_equal(status_class_name(0x1ff), "Unassigned class");
    assert_int_equal(status_class(0x020b), 2);
    assert_int_equal(status_detail(0x020b), 0x0b);
    for (unsigned class = 0; class <= 0xff; class ++) {
        assert_non_null(status_class_find(class)->meaning);
        assert_non_null(status_class_find(class)->advice);
    }
}

static void unknown_detail_goes_by_class(void **state)
{
    (void)state;
    assert_string_equal(status_name_or_class(0x0203), "Not found");
    assert_string_equal(status_name_or_class(0x0000), "Success");
    assert_string_equal(status_name_or_class(0x0001), "Success");
    assert_string_equal(status_name_or_class(0x0100), "Redirection");
    assert_string_equal(status_name_or_class(0x02ff), "Initiator Error");
    assert_string_equal(status_name_or_class(0x0307), "Target Error");
    assert_string_equal(status_name_or_class(0x0f00), "Vendor-unique");
    assert_string_equal(status_name_or_class(0xffff), "Unassigned class");
}

static void words(void **state)
{
    (void)state;
    assert_string_equal(status_fault_name(STATUS_FAULT_SETUP), "set-up");
    assert_string_equal(status_fault_name(STATUS_FAULT_NONE), "nobody");
    assert_string_equal(status_retry_name(STATUS_RETRY_LATER), "later");
    assert_string_equal(status_retry_name(STATUS_RETRY_NEVER), "not unchanged");
    for (int i = STATUS_FAULT_NONE; i <= STATUS_FAULT_TARGET; i++)
        assert_string_not_equal(status_fault_name((enum status_fault)i), "unknown");
    for (int i = STATUS_RETRY_NOT_NEEDED; i <= STATUS_RETRY_LATER; i++)
        assert_string_not_equal(status_retry_name((enum status_retry)i), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_the_rfc_list),
        cmocka_unit_test(nothing_else_is_a_code),
        cmocka_unit_test(each_entry_is_complete),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(find_by_text),
        cmocka_unit_test(classes),
        cmocka_unit_test(unknown_detail_goes_by_class),
        cmocka_unit_test(words),
    };

    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
