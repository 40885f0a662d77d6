#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "wire/message.h"

static void call__valid__is_read(void **state)
{
    static const struct {
        const char *text;
        const char *method;
        const char *parameters;
        bool more;
        bool oneway;
    } cases[] = {
        {"{\"method\":\"a.b.C\"}", "a.b.C", "{}", false, false},
        {"{\"method\":\"a.b.C\",\"parameters\":{\"id\":7}}", "a.b.C",
         "{\"id\":7}", false, false},
        {"{\"more\":true,\"method\":\"M\"}", "M", "{}", true, false},
        {"{\"oneway\":true,\"method\":\"M\"}", "M", "{}", false, true},
        {"{\"method\":\"M\",\"more\":false,\"oneway\":false,\"upgrade\":false}",
         "M", "{}", false, false},
        {"{\"method\":\"M\",\"parameters\":null,\"more\":null}", "M", "{}",
         false, false},
        {" {\"method\" : \"M\"}\n", "M", "{}", false, false},
        {"{\"method\":\"M\",\"com.example\":{\"trace\":1}}", "M", "{}", false,
         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct message_call c;

        print_message("%s\n", cases[i].text);
        assert_int_equal(
            message_parse_call(&c, cases[i].text, strlen(cases[i].text), &e),
            0);
        assert_string_equal(c.method, cases[i].method);
        char *parameters = json_dumps(c.parameters, JSON_COMPACT);
        assert_string_equal(parameters, cases[i].parameters);
        assert_int_equal(c.more, cases[i].more);
        assert_int_equal(c.oneway, cases[i].oneway);
        free(parameters);
        message_call_fini(&c);
    }
}

static void call__invalid__is_refused_in_words(void **state)
{
    static const struct {
        const char *text;
        const char *field; // that is at fault
        const char *words; // in the reason
    } cases[] = {
        {"", "", "JSON"},
        {"noise", "", "JSON"},
        {"[]", "", "object"},
        {"7", "", "object"},
        {"{}", "method", "missing"},
        {"{\"method\":null}", "method", "missing"},
        {"{\"method\":7}", "method", "string"},
        {"{\"method\":\"M\",\"parameters\":[]}", "parameters", "object"},
        {"{\"method\":\"M\",\"more\":1}", "more", "true or false"},
        {"{\"method\":\"M\",\"id\":1}", "id", "unknown"},
        {"{\"method\":\"M\",\"jsonrpc\":\"2.0\"}", "jsonrpc", "unknown"},
        {"{\"method\":\"M\",\"com.example\":7}", "com.example", "unknown"},
        {"{\"method\":\"M\",\"upgrade\":true}", "upgrade", "varlink"},
        {"{\"method\":\"M\",\"more\":true,\"oneway\":true}", "more", "oneway"},
        {"{\"method\":\"M\",\"method\":\"N\"}", "", "duplicate"},
        {"{\"method\":\"M\\u0000\"}", "", "\\u0000"},
        {"{\"method\":\"\xff\"}", "", "decode"},
        {"{\"method\":\"M\"} {}", "", "JSON"},
        {"{\"method\":\"M\",\"parameters\":{\"a\":NaN}}", "", "JSON"},
        {"{\"method\":\"M\",\"parameters\":{\"a\":1e999}}", "", "JSON"},
        {"{\"method\":\"M\",\"parameters\":{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]"
         "]]"
         "]]}}",
         "", "deep"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct message_call c;

        print_message("%s\n", cases[i].text);
        assert_int_equal(
            message_parse_call(&c, cases[i].text, strlen(cases[i].text), &e),
            -EINVAL);
        assert_string_equal(e.field, cases[i].field);
        print_message("  %s\n", e.text);
        assert_non_null(strstr(e.text, cases[i].words));
    }
}

static void reply__valid__is_read(void **state)
{
    static const struct {
        const char *text;
        const char *error; // "" for none
        const char *parameters;
        bool continues;
    } cases[] = {
        {"{}", "", "{}", false},
        {"{\"parameters\":{\"id\":7}}", "", "{\"id\":7}", false},
        {"{\"parameters\":{},\"continues\":true}", "", "{}", true},
        {"{\"error\":\"io.transcoded.NoSuchJob\",\"parameters\":{\"id\":7}}",
         "io.transcoded.NoSuchJob", "{\"id\":7}", false},
        {"{\"error\":null,\"parameters\":null}", "", "{}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct message_reply r;

        print_message("%s\n", cases[i].text);
        assert_int_equal(
            message_parse_reply(&r, cases[i].text, strlen(cases[i].text), &e),
            0);
        assert_string_equal(r.error ? r.error : "", cases[i].error);
        char *parameters = json_dumps(r.parameters, JSON_COMPACT);
        assert_string_equal(parameters, cases[i].parameters);
        assert_int_equal(r.continues, cases[i].continues);
        free(parameters);
        message_reply_fini(&r);
    }
}

static void reply__invalid__is_refused(void **state)
{
    static const char *const cases[] = {
        "", "[]", "{\"error\":7}", "{\"continues\":\"yes\"}", "{\"result\":{}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct message_reply r;

        print_message("%s\n", cases[i]);
        assert_int_equal(
            message_parse_reply(&r, cases[i], strlen(cases[i]), &e), -EINVAL);
        assert_int_not_equal(strlen(e.text), 0);
    }
}

/* Compares and frees @text, whose size counts its NUL. */
static void assert_text(char *text, size_t size, const char *expect)
{
    assert_string_equal(text, expect);
    assert_int_equal(size, strlen(expect) + 1);
    free(text);
}

static void format__each_kind__is_what_varlink_says(void **state)
{
    json_t *p = json_pack("{s:i}", "id", 7);
    size_t size;
    char *text;

    (void)state;
    text = message_format_call("a.b.C", p, true, &size);
    assert_text(
        text, size,
        "{\"method\":\"a.b.C\",\"more\":true,\"parameters\":{\"id\":7}}");
    text = message_format_call("a.b.C", NULL, false, &size);
    assert_text(text, size, "{\"method\":\"a.b.C\"}");
    text = message_format_reply(p, true, &size);
    assert_text(text, size, "{\"continues\":true,\"parameters\":{\"id\":7}}");
    text = message_format_reply(NULL, false, &size);
    assert_text(text, size, "{\"parameters\":{}}");
    text = message_format_error("a.b.Bad", p, &size);
    assert_text(text, size,
                "{\"error\":\"a.b.Bad\",\"parameters\":{\"id\":7}}");
    text = message_format_error("a.b.Bad", NULL, &size);
    assert_text(text, size, "{\"error\":\"a.b.Bad\"}");
    assert_int_equal(p->refcount, 1); // they were only borrowed
    json_decref(p);
}

static void object__parsed_and_formatted__is_the_same(void **state)
{
    static const char text[] = "{\"order\":\"stop\",\"why\":[1,2.5,\"ü\"]}";
    struct error e = {0};
    json_t *json;
    size_t size;

    (void)state;
    assert_int_equal(message_parse_object(&json, text, strlen(text), &e), 0);
    char *again = message_format_object(json, &size);
    assert_text(again, size, text);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call__valid__is_read),
        cmocka_unit_test(call__invalid__is_refused_in_words),
        cmocka_unit_test(reply__valid__is_read),
        cmocka_unit_test(reply__invalid__is_refused),
        cmocka_unit_test(format__each_kind__is_what_varlink_says),
        cmocka_unit_test(object__parsed_and_formatted__is_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
