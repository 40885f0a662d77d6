#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "media/survey_filters.h"
#include "model/survey.h"
#include "support/machine.h"
#include "support/part.h"

static void try_filters(struct part_find *f, struct survey_device *d,
                        struct hwdevice *h)
{
    survey_filters(d, h);
    for (size_t i = 0; i < d->filter_count; i++) {
        part_say(f, d->filters[i]);
    }
}

static void survey_filters__those_that_run__are_listed(void **state)
{
    struct part_find f = part_try(try_filters, NULL);

    (void)state;
    assert_string_equal(f.problems, "");
    assert_non_null(strstr(f.found, "scale_cuda "));
    assert_non_null(strstr(f.found, "yadif_cuda "));
    assert_non_null(strstr(f.found, "hwdownload "));
    assert_non_null(strstr(f.found, "hwupload "));
}

/* A kernel that fails once costs the filter whose it is, and no other. */
static void survey_filters__one_that_fails__is_named_and_left_out(void **state)
{
    struct part_find f = part_try(try_filters, PART_SETTINGS("fail_launch=1"));

    (void)state;
    assert_memory_equal(f.problems, "scale_cuda does not run: ", 25);
    assert_null(strstr(f.found, "scale_cuda "));
    assert_non_null(strstr(f.found, "yadif_cuda "));
}

/* All fail for the same reason, and each of them says so. */
static void survey_filters__card_that_is_lost__each_is_named(void **state)
{
    struct part_find f =
        part_try(try_filters, PART_SETTINGS("fail_launch=1", "sticky=1"));
    static const char *const names[] = {"scale_cuda", "yadif_cuda",
                                        "hwdownload", "hwupload"};

    (void)state;
    assert_string_equal(f.found, "");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char words[64];
        (void)snprintf(words, sizeof(words), "%s does not run: ", names[i]);
        assert_non_null(strstr(f.problems, words));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survey_filters__those_that_run__are_listed),
        cmocka_unit_test(survey_filters__one_that_fails__is_named_and_left_out),
        cmocka_unit_test(survey_filters__card_that_is_lost__each_is_named),
    };

    (void)argc;
    machine_enter(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
