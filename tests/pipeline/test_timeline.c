#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include <libavutil/avutil.h>

#include "base/clock.h"
#include "pipeline/timeline.h"

#define NONE AV_NOPTS_VALUE

static void timeline__packets__lie_on_one_clock(void **state)
{
    enum { VIDEO, SOUND, TEXT };
    static const struct {
        const char *what;
        bool may_jump;
        int64_t offset;
        struct {
            size_t stream;
            int64_t dts;    // ms
            int64_t expect; // ms, where it comes to lie
        } packets[8];
        size_t count;
    } cases[] = {
        {"even",
         true,
         0,
         {{VIDEO, 0, 0}, {VIDEO, 40, 40}, {SOUND, 20, 20}, {VIDEO, 80, 80}},
         4},
        {"offset",
         true,
         -1000,
         {{VIDEO, 1000, 0}, {SOUND, 1010, 10}, {VIDEO, 1040, 40}},
         3},
        {"a gap stays", true, 0, {{VIDEO, 0, 0}, {VIDEO, 5000, 5000}}, 2},
        {"forward jump is joined",
         true,
         0,
         {{VIDEO, 0, 0},
          {VIDEO, 40, 40},
          {VIDEO, 90000, 80},
          {SOUND, 90000, 80},
          {VIDEO, 90040, 120}},
         5},
        {"backward jump is joined",
         true,
         0,
         {{VIDEO, 90000, 90000},
          {VIDEO, 90040, 90040},
          {VIDEO, 0, 90080},
          {VIDEO, 40, 90120}},
         4},
        {"a stream that begins elsewhere",
         true,
         0,
         {{VIDEO, 0, 0}, {SOUND, 50000, 0}, {SOUND, 50040, 40}},
         3},
        {"jitter is no jump",
         true,
         0,
         {{VIDEO, 0, 0}, {VIDEO, 40, 40}, {VIDEO, 39, 39}},
         3},
        {"containers without jumps keep them",
         false,
         0,
         {{VIDEO, 0, 0}, {VIDEO, 90000, 90000}},
         2},
        {"subtitles come when they like",
         true,
         0,
         {{VIDEO, 0, 0}, {TEXT, 60000, 60000}, {VIDEO, 40, 40}},
         3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct timeline *t = timeline_create(3, cases[i].may_jump,
                                             cases[i].offset * MILLISECOND);
        print_message("%s\n", cases[i].what);
        for (size_t k = 0; k < cases[i].count; k++) {
            int64_t dts = cases[i].packets[k].dts * MILLISECOND;
            size_t stream = cases[i].packets[k].stream;
            int64_t shift = timeline_shift(t, stream, stream != TEXT, dts, dts,
                                           40 * MILLISECOND);
            assert_int_equal(dts + shift,
                             cases[i].packets[k].expect * MILLISECOND);
        }
        timeline_destroy(t);
    }
}

static void timeline__no_times__keeps_the_offset(void **state)
{
    struct timeline *t = timeline_create(1, true, 7);

    (void)state;
    assert_int_equal(timeline_shift(t, 0, true, NONE, NONE, 0), 7);
    assert_int_equal(timeline_shift(t, 0, true, NONE, 100 * SECOND, 0), 7);
    timeline_destroy(t);
    timeline_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeline__packets__lie_on_one_clock),
        cmocka_unit_test(timeline__no_times__keeps_the_offset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
