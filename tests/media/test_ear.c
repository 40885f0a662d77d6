#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <libavutil/log.h>

#include "media/ear.h"

static int open_ear(void **state)
{
    (void)state;
    ear_open();
    return 0;
}

static void heard__nothing_was_said__is_empty(void **state)
{
    (void)state;
    assert_string_equal(ear_heard(), "");
}

static void heard__errors__are_joined(void **state)
{
    (void)state;
    av_log(NULL, AV_LOG_ERROR, "no capable devices found\n");
    av_log(NULL, AV_LOG_FATAL, "all is lost\n");
    assert_string_equal(ear_heard(), "no capable devices found; all is lost");
}

static void heard__what_is_no_error__is_not(void **state)
{
    (void)state;
    av_log(NULL, AV_LOG_WARNING, "deprecated\n");
    av_log(NULL, AV_LOG_INFO, "made of frames\n");
    av_log(NULL, AV_LOG_ERROR, "this one\n");
    av_log(NULL, AV_LOG_DEBUG, "loaded\n");
    assert_string_equal(ear_heard(), "this one");
}

static void clear__what_was_said__is_forgotten(void **state)
{
    (void)state;
    av_log(NULL, AV_LOG_ERROR, "before\n");
    ear_clear();
    assert_string_equal(ear_heard(), "");
    av_log(NULL, AV_LOG_ERROR, "since\n");
    assert_string_equal(ear_heard(), "since");
}

/* One filter after the other may fail for the same reason. */
static void clear__the_same_is_said_again__is_heard_again(void **state)
{
    (void)state;
    av_log(NULL, AV_LOG_ERROR, "out of memory\n");
    av_log(NULL, AV_LOG_ERROR, "out of memory\n");
    assert_string_equal(ear_heard(), "out of memory");
    ear_clear();
    av_log(NULL, AV_LOG_ERROR, "out of memory\n");
    assert_string_equal(ear_heard(), "out of memory");
}

static void heard__more_than_there_is_room__is_cut(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        av_log(NULL, AV_LOG_ERROR, "line number %d of far too many\n", i);
    assert_in_range(strlen(ear_heard()), 500, 4096);
    assert_memory_equal(ear_heard(), "line number 0 of far too many; ", 31);
    ear_clear();
    assert_string_equal(ear_heard(), "");
}

int main(void)
{
#define EAR(test) cmocka_unit_test_setup(test, open_ear)
    const struct CMUnitTest tests[] = {
        EAR(heard__nothing_was_said__is_empty),
        EAR(heard__errors__are_joined),
        EAR(heard__what_is_no_error__is_not),
        EAR(clear__what_was_said__is_forgotten),
        EAR(clear__the_same_is_said_again__is_heard_again),
        EAR(heard__more_than_there_is_room__is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
