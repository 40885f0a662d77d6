#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void text_is_utf8__bytes__are_judged(void **state)
{
    static const struct {
        const char *bytes;
        bool expect;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xa4", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x8e\xac", true},
        {"\xe4", false},             // Latin-1
        {"\xc3", false},             // cut
        {"\xc0\xaf", false},         // overlong '/'
        {"\xe0\x80\xaf", false},     // overlong too
        {"\xed\xa0\x80", false},     // a surrogate
        {"\xf4\x90\x80\x80", false}, // behind the last one
        {"\xff", false},
        {"\x80", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("case %zu\n", i);
        assert_int_equal(text_is_utf8(cases[i].bytes, strlen(cases[i].bytes)),
                         cases[i].expect);
    }
    assert_true(text_is_utf8("a\0b", 3));
    assert_false(text_is_utf8("\xc3\xa4", 1)); // what follows is not looked at
}

static void text_escape__harmful_characters__are_spelled(void **state)
{
    static const struct {
        const char *text;
        const char *expect;
    } cases[] = {
        {"film.mkv", "film.mkv"},
        {"a\nb\tc\r", "a\\nb\\tc\\r"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"m\xc3\xa4rz", "m\xc3\xa4rz"},
        {"m\xe4rz", "m\\xe4rz"},
        {"\xc2\x9b", "\\x9b"},             // CSI in one character
        {"\xe2\x80\xaegpj", "\\u202egpj"}, // turns the line around
        {"back\\slash", "back\\slash"},
        {"\x7f", "\\x7f"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_escape(cases[i].text, out, sizeof(out));
        assert_string_equal(out, cases[i].expect);
    }
}

static void text_escape__little_room__cuts_between_characters(void **state)
{
    static const char text[] = "a\xe2\x82\xac\n";
    char out[16];

    (void)state;
    static const char *const by_size[] = {
        [1] = "",
        [2] = "a",
        [3] = "a",
        [4] = "a",
        [5] = "a\xe2\x82\xac",
        [6] = "a\xe2\x82\xac",
        [7] = "a\xe2\x82\xac\\n",
    };
    for (size_t size = 1; size < COUNT(by_size); size++) {
        memset(out, 'x', sizeof(out));
        text_escape(text, out, size);
        assert_string_equal(out, by_size[size]);
        assert_int_equal(out[size], 'x');
    }
    text_escape(text, out, 0); // writes nothing
}

static void text_repair__bytes_that_are_no_utf8__become_marks(void **state)
{
    char latin[] = "m\xe4rz";
    char cut[] = "ab\xe2\x82";
    char good[] = "m\xc3\xa4rz";

    (void)state;
    text_repair(latin);
    text_repair(cut);
    text_repair(good);
    assert_string_equal(latin, "m?rz");
    assert_string_equal(cut, "ab??");
    assert_string_equal(good, "m\xc3\xa4rz");
}

struct number {
    const char *text;
    int result;
    int64_t expect;
};

static void check_numbers(int (*parse)(const char *, int64_t *),
                          const struct number *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t n = -77;
        print_message("'%s'\n", cases[i].text);
        assert_int_equal(parse(cases[i].text, &n), cases[i].result);
        assert_true(n == (cases[i].result ? -77 : cases[i].expect));
    }
}

static void text_parse_duration__texts__give_microseconds(void **state)
{
    static const struct number cases[] = {
        {"90", 0, 90 * SECOND},
        {"30s", 0, 30 * SECOND},
        {"1.5s", 0, 1500 * MILLISECOND},
        {"500ms", 0, 500 * MILLISECOND},
        {"7us", 0, 7},
        {"5min", 0, 300 * SECOND},
        {"5 min", 0, 300 * SECOND},
        {"2h", 0, 7200 * SECOND},
        {"1d", 0, 86400 * SECOND},
        {"0", 0, 0},
        {"", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"+1s", -EINVAL, 0},
        {" 1s", -EINVAL, 0},
        {"1x", -EINVAL, 0},
        {"1s ", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"inf", -EINVAL, 0},
        {"nan", -EINVAL, 0},
        {"1e30", -ERANGE, 0},
        {"1e999", -ERANGE, 0},
        {"99999999999999999999d", -ERANGE, 0},
    };

    (void)state;
    check_numbers(text_parse_duration, cases, COUNT(cases));
}

static void text_parse_size__texts__give_bytes(void **state)
{
    static const struct number cases[] = {
        {"17", 0, 17},
        {"17B", 0, 17},
        {"64K", 0, 65536},
        {"5M", 0, 5 << 20},
        {"1.5G", 0, INT64_C(3) << 29},
        {"1T", 0, INT64_C(1) << 40},
        {"5m", -EINVAL, 0},
        {"M", -EINVAL, 0},
        {"-5M", -EINVAL, 0},
        {"99999999999T", -ERANGE, 0},
    };

    (void)state;
    check_numbers(text_parse_size, cases, COUNT(cases));
}

static void text_parse_integer__texts__give_numbers(void **state)
{
    static const struct number cases[] = {
        {"0", 0, 0},
        {"17", 0, 17},
        {"-17", 0, -17},
        {"9223372036854775807", 0, INT64_MAX},
        {"9223372036854775808", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"-", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"1.0", -EINVAL, 0},
        {"0x1", -EINVAL, 0},
    };

    (void)state;
    check_numbers(text_parse_integer, cases, COUNT(cases));
}

static void text_parse_bool__words__are_understood(void **state)
{
    static const char *const yes[] = {"yes", "true", "on", "1"};
    static const char *const no[] = {"no", "false", "off", "0"};
    bool b = false;

    (void)state;
    for (size_t i = 0; i < COUNT(yes); i++) {
        assert_int_equal(text_parse_bool(yes[i], &b), 0);
        assert_true(b);
        assert_int_equal(text_parse_bool(no[i], &b), 0);
        assert_false(b);
    }
    assert_int_equal(text_parse_bool("Yes", &b), -EINVAL);
    assert_int_equal(text_parse_bool("", &b), -EINVAL);
}

static void text_format_duration__times__read_well(void **state)
{
    static const struct {
        int64_t us;
        const char *expect;
    } cases[] = {
        {0, "0s"},
        {300 * MILLISECOND, "300ms"},
        {1500 * MILLISECOND, "1.5s"},
        {5 * SECOND, "5s"},
        {42 * SECOND + 1, "42s"},
        {90 * SECOND, "1min 30s"},
        {60 * SECOND, "1min 00s"},
        {3661 * SECOND, "1h 01min"},
    };
    char out[32];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_format_duration(cases[i].us, out, sizeof(out));
        assert_string_equal(out, cases[i].expect);
    }
}

static void text_format_size__bytes__read_well(void **state)
{
    static const struct {
        int64_t bytes;
        const char *expect;
    } cases[] = {
        {0, "0B"},
        {1023, "1023B"},
        {1024, "1.0K"},
        {5 << 20, "5.0M"},
        {INT64_C(3) << 29, "1.5G"},
        {INT64_C(1) << 50, "1024.0T"},
    };
    char out[32];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_format_size(cases[i].bytes, out, sizeof(out));
        assert_string_equal(out, cases[i].expect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_utf8__bytes__are_judged),
        cmocka_unit_test(text_escape__harmful_characters__are_spelled),
        cmocka_unit_test(text_escape__little_room__cuts_between_characters),
        cmocka_unit_test(text_repair__bytes_that_are_no_utf8__become_marks),
        cmocka_unit_test(text_parse_duration__texts__give_microseconds),
        cmocka_unit_test(text_parse_size__texts__give_bytes),
        cmocka_unit_test(text_parse_integer__texts__give_numbers),
        cmocka_unit_test(text_parse_bool__words__are_understood),
        cmocka_unit_test(text_format_duration__times__read_well),
        cmocka_unit_test(text_format_size__bytes__read_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
