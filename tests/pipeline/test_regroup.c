#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavutil/channel_layout.h>

#include "pipeline/regroup.h"

/* @count samples, each with its own number as its value. */
static AVFrame *ramp(int64_t first, int count)
{
    AVFrame *f = av_frame_alloc();

    assert_non_null(f);
    f->format = AV_SAMPLE_FMT_S32;
    f->sample_rate = 48000;
    f->nb_samples = count;
    f->pts = first;
    av_channel_layout_default(&f->ch_layout, 1);
    assert_true(av_frame_get_buffer(f, 0) >= 0);
    for (int i = 0; i < count; i++)
        ((int32_t *)(void *)f->data[0])[i] = (int32_t)(first + i);
    return f;
}

static void push(struct regroup *g, int64_t first, int count)
{
    AVFrame *f = ramp(first, count);

    assert_int_equal(regroup_push(g, f), 0);
    av_frame_free(&f);
}

static void expect(struct regroup *g, enum regroup_rest rest, int64_t first,
                   int count)
{
    AVFrame *f = NULL;

    assert_int_equal(regroup_pull(g, rest, &f), 1);
    assert_int_equal(f->pts, first);
    assert_int_equal(f->nb_samples, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(((int32_t *)(void *)f->data[0])[i], first + i);
    av_frame_free(&f);
}

static void regroup__odd_lengths__become_even(void **state)
{
    AVFrame *like = ramp(0, 1);
    struct regroup *g = regroup_create(like, 1024);
    AVFrame *none = NULL;

    (void)state;
    assert_non_null(g);
    push(g, 100, 700);
    assert_int_equal(regroup_pull(g, REGROUP_KEEP, &none), 0);
    push(g, 800, 1500);
    expect(g, REGROUP_KEEP, 100, 1024);
    expect(g, REGROUP_KEEP, 1124, 1024);
    assert_int_equal(regroup_pull(g, REGROUP_KEEP, &none), 0);
    expect(g, REGROUP_GIVE, 2148, 152);
    assert_int_equal(regroup_pull(g, REGROUP_GIVE, &none), 0);
    regroup_destroy(g);
    regroup_destroy(NULL);
    av_frame_free(&like);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regroup__odd_lengths__become_even),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
