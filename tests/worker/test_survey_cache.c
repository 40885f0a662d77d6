#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "survey_cache.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/survey.h"
#include "support/folder.h"

static char *folder;

static int start(void **state)
{
    (void)state;
    folder = folder_create();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* A device that a survey can say the same of tomorrow, a second one of which it
 * can of the encoders, and a third of which others held the sessions. */
static void make(struct survey *ret)
{
    *ret = (struct survey){.libav = "5.1 x", .device_count = 3};
    ret->devices = xcalloc(3, sizeof(*ret->devices));
    for (int i = 0; i < 3; i++) {
        struct survey_device *d = &ret->devices[i];
        (void)snprintf(d->id, sizeof(d->id), "cuda:%d", i);
        (void)snprintf(d->uuid, sizeof(d->uuid), "GPU-%d", i);
    }
    ret->devices[0].sure = SURVEY_SURE_ALL;
    ret->devices[1].sure = SURVEY_SURE_ENCODERS;
    ret->devices[1].problems = xcalloc(1, sizeof(char *));
    ret->devices[1].problems[0] = xstrdup("a library is missing");
    ret->devices[1].problem_count = 1;
    ret->devices[2].is_partial = true;
    ret->problems = xcalloc(1, sizeof(char *));
    ret->problems[0] = xstrdup("a fourth does not answer");
    ret->problem_count = 1;
}

static void write__survey__keeps_only_what_is_sure(void **state)
{
    const char *path = folder_path(folder, "survey.json");
    struct survey s;
    struct survey back;
    struct error e = {0};

    (void)state;
    make(&s);
    assert_int_equal(survey_cache_write(path, &s, &e), 0);
    assert_int_equal(survey_cache_read(path, &back, &e), 0);
    assert_string_equal(back.libav, "5.1 x");
    assert_int_equal(back.device_count, 2);
    assert_string_equal(back.devices[0].uuid, "GPU-0");
    assert_int_equal(back.devices[0].sure, SURVEY_SURE_ALL);
    assert_string_equal(back.devices[1].uuid, "GPU-1");
    assert_int_equal(back.devices[1].sure, SURVEY_SURE_ENCODERS);
    assert_int_equal(back.problem_count, 0);
    assert_string_equal(folder_list(folder), "survey.json");
    survey_fini(&back);
    survey_fini(&s);
}

static void read__what_makes_no_sense__is_no_cache(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{}",
        "null",
        "{\"libav\":1}",
        "{\"libav\":\"x\",\"nvenc_headers\":\"\",\"problems\":[],"
        "\"devices\":[{\"id\":\"cuda:0\"}]}",
        "{\"libav\":\"x\",\"libav\":\"y\",\"nvenc_headers\":\"\","
        "\"problems\":[],\"devices\":[]}",
    };
    struct survey s;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct error e = {0};
        print_message("%s\n", texts[i]);
        folder_put(folder, "survey.json", texts[i]);
        assert_true(
            survey_cache_read(folder_path(folder, "survey.json"), &s, &e) < 0);
        assert_non_null(strstr(e.text, "survey.json"));
    }
}

static void read__no_file__says_so(void **state)
{
    struct survey s;
    struct error e = {0};

    (void)state;
    assert_int_equal(survey_cache_read(folder_path(folder, "none"), &s, &e),
                     -ENOENT);
}

static void write__folder_that_is_not_there__fails_in_words(void **state)
{
    struct survey s = {0};
    struct error e = {0};

    (void)state;
    assert_int_equal(
        survey_cache_write(folder_path(folder, "none/survey.json"), &s, &e),
        -ENOENT);
    assert_non_null(strstr(e.text, "none/survey.json"));
}

/* What a crash while it was written left behind is no hindrance. */
static void write__over_a_half_written_draft__succeeds(void **state)
{
    const char *path = folder_path(folder, "survey.json");
    struct survey s = {.libav = "5.1"};
    struct survey back;
    struct error e = {0};

    (void)state;
    folder_put(folder, "survey.json.new", "{\"libav\":");
    folder_put(folder, "survey.json", "old");
    assert_int_equal(survey_cache_write(path, &s, &e), 0);
    assert_int_equal(survey_cache_read(path, &back, &e), 0);
    assert_string_equal(back.libav, "5.1");
    survey_fini(&back);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(write__survey__keeps_only_what_is_sure),
        CASE(read__what_makes_no_sense__is_no_cache),
        CASE(read__no_file__says_so),
        CASE(write__folder_that_is_not_there__fails_in_words),
        CASE(write__over_a_half_written_draft__succeeds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
