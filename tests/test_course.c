/* The course of a login: which answers take it another way, and how an answer is put into words. */
#include "harness/course.h"

#include "wire/pdu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Texts have '|' for the null bytes. Flags are byte 1 of the header. */
struct row {
    uint8_t asked_flags;
    const char *asked;
    uint8_t said_flags;
    uint8_t tsih;
    const char *said;
    const char *how; /* NULL: as asked */
};

static size_t to_text(char *out, size_t cap, const char *text)
{
    size_t len = strlen(text);

    assert_true(len < cap);
    for (size_t i = 0; i < len; i++)
        out[i] = text[i] == '|' ? '\0' : text[i];
    return len;
}

static const struct row rows[] = {
    {0x87, "InitiatorName=a|", 0x87, 1, "TargetPortalGroupTag=1|", NULL},
    {0x81, "AuthMethod=CHAP,None|", 0x00, 0, "AuthMethod=CHAP|", NULL},
    {0x81, "AuthMethod=None|", 0x81, 0, "AuthMethod=None|", NULL},
    {0x81, "AuthMethod=FOO,CHAP|", 0x00, 0, "AuthMethod=CHAP|", NULL},
    {0x81, "AuthMethod=FOO|", 0x81, 0, "AuthMethod=Reject|", NULL}, /* none of ours */
    {0x00, "CHAP_A=5|", 0x00, 0, "CHAP_A=5|CHAP_I=1|CHAP_C=0x01|", NULL},
    {0x81, "CHAP_N=u|CHAP_R=0x00|", 0x81, 0, "", NULL},
    {0x81, "CHAP_N=u|CHAP_R=0x00|CHAP_I=1|CHAP_C=0x01|", 0x81, 0, "CHAP_N=t|CHAP_R=0x02|", NULL},
    {0x04, "", 0x04, 0, "", NULL},
    {0x87, "", 0x04, 0, "", "answered T=0 to T=1"},
    {0x04, "", 0x87, 1, "", "answered T=1 to T=0"},
    {0x87, "", 0x87, 0, "", "gave no TSIH"},
    {0x81, "", 0x83, 1, "", "answered NSG=3 to NSG=1"},
    {0x87, "", 0x83, 1, "", "answered CSG=0 to CSG=1"},
    {0x81, "AuthMethod=CHAP,None|", 0x81, 0, "AuthMethod=None|", "answered AuthMethod=None to AuthMethod=CHAP,None"},
    {0x81, "AuthMethod=CHAP|", 0x00, 0, "", "answered AuthMethod without AuthMethod"},
    {0x81, "AuthMethod=CHAP|", 0x81, 0, "AuthMethod=CHAP|", "answered T=1 with CHAP under way"},
    {0x81, "AuthMethod=CHAP|", 0x00, 0, "AuthMethod=CHAP|CHAP_A=5|", "sent CHAP_A unasked"},
    {0x00, "CHAP_A=5|", 0x00, 0, "CHAP_A=5|CHAP_I=1|", "answered CHAP_A without CHAP_C"},
    {0x00, "CHAP_A=5|", 0x00, 0, "CHAP_A=5|CHAP_I=256|CHAP_C=0x01|", "sent a CHAP_I that is no number up to 255"},
    {0x00, "CHAP_A=5|", 0x00, 0, "CHAP_A=5|CHAP_I=1|CHAP_C=0x|",
     "sent a CHAP_C that is no challenge of 1 to 1024 bytes"},
    {0x81, "CHAP_N=u|CHAP_C=0x01|CHAP_I=1|", 0x81, 0, "", "answered CHAP_C without CHAP_N"},
    {0x87, "", 0x87, 1, "A=1||B=2|", "sent a malformed text (null byte without a pair before it)"},
};

static void test_strays(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t request[PDU_BHS_LEN] = {0x43, rows[i].asked_flags}, response[PDU_BHS_LEN] = {0x23, rows[i].said_flags};
        char asked[300], said[300], how[160] = "?";
        const struct course_exchange x = {request,  asked, to_text(asked, sizeof(asked), rows[i].asked),
                                          response, said,  to_text(said, sizeof(said), rows[i].said)};
        bool strays;

        response[15] = rows[i].tsih;
        strays = course_strays(&x, how, sizeof(how));
        if (strays != (rows[i].how != NULL) || strcmp(how, rows[i].how ? rows[i].how : "") != 0)
            fail_msg("row %zu: \"%s\"", i, how);
    }
}

static void test_words(void **state)
{
    static const char asked[] = "CHAP_N=u\0CHAP_R=0x00\0CHAP_I=1\0CHAP_C=0x01", said[] = "CHAP_N=t\0X-a=1";
    uint8_t request[PDU_BHS_LEN] = {0x43, 0x81}, response[PDU_BHS_LEN] = {0x23, 0x81};
    struct course_exchange x = {request, asked, sizeof(asked), response, "", 0};
    char out[160], tight[12];

    (void)state;
    course_describe(&x, out, sizeof(out));
    assert_string_equal(out, "T=1, CSG=0, NSG=1 and no keys (CHAP_N, CHAP_R missing)");
    x.said = said;
    x.said_len = sizeof(said);
    course_describe(&x, out, sizeof(out));
    assert_string_equal(out, "T=1, CSG=0, NSG=1 and CHAP_N, X-a (CHAP_R missing)");
    course_describe(&x, tight, sizeof(tight));
    assert_string_equal(tight, "T=1, CSG=0,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_strays), cmocka_unit_test(test_words)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
