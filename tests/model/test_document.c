#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "model/document.h"
#include "model/limits.h"
#include "model/quote.h"

static void document_parse__strangers_text__is_judged(void **state)
{
    static const struct {
        const char *text;
        int result;
        const char *words; // a part of them
    } cases[] = {
        {"{}", 0, ""},
        {" [1, 2.5, null] ", 0, ""},
        {"'text'", 0, ""},
        {"", -EINVAL, "not valid JSON"},
        {"{", -EINVAL, "not valid JSON in line 1"},
        {"{}x", -EINVAL, "not valid JSON"},
        {"{} {}", -EINVAL, "not valid JSON"},
        {"{'a':1,'a':2}", -EINVAL, "duplicate"},
        {"'\\u0000'", -EINVAL, "not valid JSON"},
        {"'m\xe4rz'", -EINVAL, "not valid JSON"},
        {"'\\ud800'", -EINVAL, "not valid JSON"},
        {"NaN", -EINVAL, "not valid JSON"},
        {"Infinity", -EINVAL, "not valid JSON"},
        {"1e999", -EINVAL, "not valid JSON"},
        {"99999999999999999999", -EINVAL, "not valid JSON"},
        {"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", 0, ""},
        {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", -EINVAL, "deeper than 16"},
        {"{'a':[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]}", -EINVAL, "deeper than 16"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = requote(cases[i].text);
        json_t *json = NULL;
        struct error e = {0};
        print_message("%s\n", text);
        assert_int_equal(document_parse(&json, text, strlen(text), 100, &e),
                         cases[i].result);
        assert_int_equal(json != NULL, cases[i].result == 0);
        assert_non_null(strstr(e.text, cases[i].words));
        json_decref(json);
        free(text);
    }
}

static void document_parse__size__is_bounded(void **state)
{
    json_t *json = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(document_parse(&json, "[1]", 3, 3, &e), 0);
    json_decref(json);
    json = NULL;
    assert_int_equal(document_parse(&json, "[1] ", 4, 3, &e), -EMSGSIZE);
    assert_string_equal(e.text, "document is larger than 3 bytes");
    assert_null(json);
}

static void document_parse__no_final_nul__reads_no_further(void **state)
{
    char *text = xmemdup("[1]", 3); // the sanitizer watches its end
    json_t *json = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(document_parse(&json, text, 3, 3, &e), 0);
    assert_int_equal(document_parse(&json, text, 2, 3, &e), -EINVAL);
    json_decref(json);
    free(text);
}

static void document_parse__thousands_of_levels__are_no_matter(void **state)
{
    size_t size = LIMITS_DOCUMENT;
    char *text = xcalloc(size, 1);
    json_t *json = NULL;
    struct error e = {0};

    (void)state;
    memset(text, '[', size);
    assert_int_equal(document_parse(&json, text, size, size, &e), -EINVAL);
    free(text);
}

static void document_text__any_bytes__become_a_string(void **state)
{
    (void)state;
    assert_json(document_text("plain"), "'plain'");
    assert_json(document_text("m\xc3\xa4rz"), "'m\xc3\xa4rz'");
    assert_json(document_text("m\xe4rz"), "'m\\\\xe4rz'");
    assert_json(document_text(NULL), "null");
    assert_json(document_text(""), "''");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(document_parse__strangers_text__is_judged),
        cmocka_unit_test(document_parse__size__is_bounded),
        cmocka_unit_test(document_parse__no_final_nul__reads_no_further),
        cmocka_unit_test(document_parse__thousands_of_levels__are_no_matter),
        cmocka_unit_test(document_text__any_bytes__become_a_string),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
