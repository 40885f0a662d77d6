#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

static void error_set__words_and_code__are_kept(void **state)
{
    struct error e = {.field = "old"};

    (void)state;
    assert_int_equal(error_set(&e, -ENOENT, "no such job: %d", 17), -ENOENT);
    assert_int_equal(e.code, -ENOENT);
    assert_string_equal(e.text, "no such job: 17");
    assert_string_equal(e.field, "");
}

static void error_set__no_error_wanted__returns_the_code(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, -EIO, "x"), -EIO);
    assert_int_equal(error_set_field(NULL, -EIO, "f", "x"), -EIO);
    assert_int_equal(error_set_errno(NULL, -EIO, "x"), -EIO);
    assert_true(error_wrap(NULL, "x") < 0);
    error_wrap_field(NULL, "x");
}

static void error_set_errno__words__end_with_the_systems(void **state)
{
    struct error e = {0};

    (void)state;
    assert_int_equal(error_set_errno(&e, -ENOENT, "cannot open '%s'", "/x"),
                     -ENOENT);
    assert_string_equal(e.text, "cannot open '/x': No such file or directory");
}

static void error_wrap__words__come_first(void **state)
{
    struct error e = {0};

    (void)state;
    (void)error_set(&e, -EIO, "disk is gone");
    assert_int_equal(error_wrap(&e, "cannot start job %d", 17), -EIO);
    assert_string_equal(e.text, "cannot start job 17: disk is gone");
}

static void error_wrap_field__parents__join_with_dots(void **state)
{
    struct error e = {0};

    (void)state;
    (void)error_set_field(&e, -EINVAL, "codec", "bad");
    error_wrap_field(&e, "[3]");
    error_wrap_field(&e, "audio");
    error_wrap_field(&e, "outputs[0]");
    assert_string_equal(e.field, "outputs[0].audio[3].codec");

    (void)error_set(&e, -EINVAL, "bad");
    error_wrap_field(&e, "path");
    assert_string_equal(e.field, "path");
}

static void error_tell_field__fields__go_before_the_words(void **state)
{
    struct error e = {0};

    (void)state;
    (void)error_set_field(&e, -EINVAL, "outputs[0].path", "must not be empty");
    error_tell_field(&e);
    assert_string_equal(e.text, "outputs[0].path: must not be empty");
    assert_string_equal(e.field, "");
    assert_int_equal(e.code, -EINVAL);
    error_tell_field(&e); // is told once
    assert_string_equal(e.text, "outputs[0].path: must not be empty");
    error_tell_field(NULL);
}

static void error_set__long_text__is_cut_between_characters(void **state)
{
    char most[2 * sizeof(((struct error *)0)->text)];
    struct error e = {0};

    (void)state;
    // characters of three bytes do not end where the room ends
    for (size_t i = 0; i < sizeof(most) - 1; i++)
        most[i] = "\xe2\x82\xac"[i % 3];
    most[sizeof(most) - 1] = '\0';
    (void)error_set_field(&e, -EINVAL, most, "%s", most);
    assert_true(text_is_utf8(e.text, strlen(e.text)));
    assert_true(text_is_utf8(e.field, strlen(e.field)));
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);

    (void)error_wrap(&e, "%s", most);
    error_wrap_field(&e, most);
    assert_true(text_is_utf8(e.text, strlen(e.text)));
    assert_true(text_is_utf8(e.field, strlen(e.field)));
}

static void error_set__name_that_is_no_utf8__is_repaired(void **state)
{
    struct error e = {0};

    (void)state;
    (void)error_set(&e, -ENOENT, "cannot open '/m\xe4rz.mkv'");
    assert_string_equal(e.text, "cannot open '/m?rz.mkv'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_set__words_and_code__are_kept),
        cmocka_unit_test(error_set__no_error_wanted__returns_the_code),
        cmocka_unit_test(error_set_errno__words__end_with_the_systems),
        cmocka_unit_test(error_wrap__words__come_first),
        cmocka_unit_test(error_wrap_field__parents__join_with_dots),
        cmocka_unit_test(error_tell_field__fields__go_before_the_words),
        cmocka_unit_test(error_set__long_text__is_cut_between_characters),
        cmocka_unit_test(error_set__name_that_is_no_utf8__is_repaired),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
