#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tail.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(s) s, sizeof(s) - 1

/* As JSON, which the caller frees. */
static char *dump(const struct tail *t)
{
    json_t *json = tail_to_json(t);
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    return text;
}

static void write__chunks__become_lines(void **state)
{
    static const struct {
        const char *chunks[4];
        const char *expect;
    } cases[] = {
        {{""}, "[]"},
        {{"one\n"}, "[\"one\"]"},
        {{"o", "ne\ntw", "o\n"}, "[\"one\",\"two\"]"},
        {{"one\ntwo\nthree\nfour\n"}, "[\"two\",\"three\",\"four\"]"},
        {{"unfinished"}, "[\"unfinished\"]"},
        {{"a\n\n\r\nb\r\n"}, "[\"a\",\"b\"]"},
        {{"50%\r60%\r70%\n"}, "[\"50%\",\"60%\",\"70%\"]"},
        {{"\x1b[31mred\n"}, "[\"\\\\x1b[31mred\"]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tail *t = tail_create(3);

        print_message("case %zu\n", i);
        for (size_t k = 0; cases[i].chunks[k]; k++)
            tail_write(t, cases[i].chunks[k], strlen(cases[i].chunks[k]), NULL,
                       NULL);
        char *text = dump(t);
        assert_string_equal(text, cases[i].expect);
        free(text);
        tail_destroy(t);
    }
}

static void write__endless_line__is_cut(void **state)
{
    struct tail *t = tail_create(2);

    (void)state;
    for (int i = 0; i < 10000; i++)
        tail_write(t, TEXT("0123456789"), NULL, NULL);
    tail_write(t, TEXT("\nnext\n"), NULL, NULL);
    json_t *json = tail_to_json(t);
    assert_int_equal(json_array_size(json), 2);
    size_t length = json_string_length(json_array_get(json, 0));
    assert_true(length > 100 && length < 1000);
    assert_string_equal(json_string_value(json_array_get(json, 1)), "next");
    json_decref(json);
    tail_destroy(t);
}

static void write__zero_bytes_and_no_utf8__are_readable(void **state)
{
    struct tail *t = tail_create(2);

    (void)state;
    tail_write(t, TEXT("a\0b\xff\n"), NULL, NULL);
    char *text = dump(t);
    assert_non_null(strstr(text, "a b"));
    assert_non_null(strstr(text, "xff"));
    free(text);
    tail_destroy(t);
}

static void count(void *user, const char *line)
{
    int *lines = user;

    assert_true(line[0]);
    (*lines)++;
}

static void write__each_whole_line__is_told(void **state)
{
    struct tail *t = tail_create(1);
    int lines = 0;

    (void)state;
    tail_write(t, TEXT("a\nb\nc"), count, &lines);
    assert_int_equal(lines, 2);
    tail_write(t, TEXT("\n"), count, &lines);
    assert_int_equal(lines, 3);
    tail_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write__chunks__become_lines),
        cmocka_unit_test(write__endless_line__is_cut),
        cmocka_unit_test(write__zero_bytes_and_no_utf8__are_readable),
        cmocka_unit_test(write__each_whole_line__is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
