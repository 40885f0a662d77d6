#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "table.h"

static const struct table_column columns[] = {
    {"ID", TABLE_RIGHT}, {"STATE", TABLE_LEFT}, {"INPUT", TABLE_LEFT}};

static char *print(const struct table *t)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    table_print(t, out);
    (void)fclose(out);
    return text;
}

static void assert_printed(struct table *t, const char *expect)
{
    char *text = print(t);

    assert_string_equal(text, expect);
    free(text);
    table_destroy(t);
}

static void table__without_rows__has_its_headings(void **state)
{
    (void)state;
    assert_printed(table_create(columns, 3), "ID  STATE  INPUT\n");
}

static void table__rows__stand_in_columns(void **state)
{
    struct table *t = table_create(columns, 3);

    (void)state;
    table_addf(t, "%d", 7);
    table_add(t, "running");
    table_add(t, "/a.mkv");
    table_addf(t, "%d", 1234);
    table_add(t, "queued");
    table_add(t, NULL);
    assert_printed(t, "  ID  STATE    INPUT\n"
                      "   7  running  /a.mkv\n"
                      "1234  queued   -\n");
}

static void
table__text_of_strangers__is_escaped_and_counted_in_columns(void **state)
{
    struct table *t = table_create(columns, 3);

    (void)state;
    table_add(t, "1");
    table_add(t, "\033[2Jé");
    table_add(t, "/x");
    table_add(t, "2");
    table_add(t, "映画");
    table_add(t, "/y");
    assert_printed(t, "ID  STATE     INPUT\n"
                      " 1  \\x1b[2Jé  /x\n"
                      " 2  映画      /y\n");
}

static void add_row(struct table *t, const json_t *row)
{
    table_addf(t, "%" JSON_INTEGER_FORMAT, json_integer_value(row));
    table_add(t, NULL);
    table_add(t, "/x");
}

static void table_show__list__a_row_for_each(void **state)
{
    static const struct {
        const char *rows; // JSON, NULL: there is none
        const char *expect;
    } cases[] = {
        {"[8,9]", "ID  STATE  INPUT\n"
                  " 8  -      /x\n"
                  " 9  -      /x\n"},
        {"[]", "ID  STATE  INPUT\n"},
        {"{}", "ID  STATE  INPUT\n"},
        {NULL, "ID  STATE  INPUT\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *rows =
            cases[i].rows ? json_loads(cases[i].rows, 0, NULL) : NULL;
        char *text;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        print_message("%s\n", cases[i].rows ? cases[i].rows : "NULL");
        table_show(columns, 3, rows, add_row, out);
        (void)fclose(out);
        assert_string_equal(text, cases[i].expect);
        free(text);
        json_decref(rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__without_rows__has_its_headings),
        cmocka_unit_test(table__rows__stand_in_columns),
        cmocka_unit_test(
            table__text_of_strangers__is_escaped_and_counted_in_columns),
        cmocka_unit_test(table_show__list__a_row_for_each),
    };

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
