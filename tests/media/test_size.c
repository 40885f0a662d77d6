#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "media/size.h"
#include "model/job.h"

static void size_fit__wishes__are_met_evenly(void **state)
{
    static const struct {
        struct size source;
        int64_t width, height, max_width, max_height; // 0: unset
        struct size expect;
    } cases[] = {
        {{1920, 1080}, 0, 0, 0, 0, {1920, 1080}},
        {{1920, 1080}, 0, 0, 0, 720, {1280, 720}},
        {{1920, 1080}, 0, 0, 1280, 0, {1280, 720}},
        {{1920, 1080}, 0, 0, 1280, 480, {854, 480}},
        {{1280, 720}, 0, 0, 1920, 1080, {1280, 720}}, // never enlarged
        {{1080, 1920}, 0, 0, 1280, 720, {406, 720}},
        {{853, 480}, 0, 0, 0, 0, {854, 480}},
        {{1919, 1079}, 0, 0, 0, 0, {1920, 1080}},
        {{1920, 1080}, 640, 0, 0, 0, {640, 360}},
        {{1920, 1080}, 0, 360, 0, 0, {640, 360}},
        {{1920, 1080}, 1000, 1000, 0, 0, {1000, 1000}},
        {{640, 360}, 1280, 0, 0, 0, {1280, 720}}, // asked for: enlarged
        {{1920, 1080}, 0, 0, 1281, 0, {1280, 720}},
        {{1920, 1080}, 0, 0, 3, 0, {2, 2}},
        {{16384, 16}, 0, 0, 320, 0, {320, 2}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct job_video wanted = {
            .width = cases[i].width ? cases[i].width : JOB_UNSET,
            .height = cases[i].height ? cases[i].height : JOB_UNSET,
            .max_width = cases[i].max_width ? cases[i].max_width : JOB_UNSET,
            .max_height = cases[i].max_height ? cases[i].max_height : JOB_UNSET,
        };
        struct size s = size_fit(cases[i].source, &wanted);
        print_message("%dx%d -> %dx%d\n", cases[i].source.width,
                      cases[i].source.height, s.width, s.height);
        assert_int_equal(s.width, cases[i].expect.width);
        assert_int_equal(s.height, cases[i].expect.height);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_fit__wishes__are_met_evenly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
