#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "media/plan.h"
#include "pipeline/filter.h"
#include "pipeline/item.h"
#include "support/frame.h"
#include "support/stand.h"

#define RATE 48000

static const AVRational ms = {1, 1000};

#define BY_CPU \
    .by = {[OP_DECODE] = &backend_cpu, \
           [OP_TURN] = &backend_cpu, \
           [OP_RATE] = &backend_cpu, \
           [OP_SCALE] = &backend_cpu, \
           [OP_ENCODE] = &backend_cpu}

static const struct plan_track film = {
    .kind = MEDIA_VIDEO,
    .encoder = "libx264",
    .video = {BY_CPU, .width = 64, .height = 32, .format = AV_PIX_FMT_YUV420P,
              .average_rate = {25, 1}},
};

static const struct plan_track tune = {
    .kind = MEDIA_AUDIO,
    .encoder = "aac",
    .audio = {.channels = 2, .volume = 1},
};

static void start(struct stand *s, const struct plan_track *track,
                  int64_t begin, int64_t duration)
{
    const struct filter_config config = {
        .track = track, .start = begin, .duration = duration};

    stand_init(s, filter_create(&config), STAND_SENDS);
}

static void feed_picture(struct stand *s, int width, int height,
                         enum AVPixelFormat format, int64_t time)
{
    stand_feed(s, item_frame(frame_picture(width, height, format, time), ms));
}

/* The next frame that came out; *@ret_base is its time base. */
static AVFrame *take(struct stand *s, AVRational *ret_base)
{
    struct item *item = stand_take(s);

    if (!item)
        return NULL;
    *ret_base = item->time_base;
    return item_take_frame(item);
}

/* The times of all that came out, in ms, with a blank between them. */
static const char *times(struct stand *s)
{
    static char text[512];
    size_t used = 0;
    AVRational base;

    *text = '\0';
    for (AVFrame *f; (f = take(s, &base)); av_frame_free(&f))
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d",
                                 used ? " " : "",
                                 (int)av_rescale_q(f->pts, base, ms));
    return text;
}

static void filter__cut__keeps_what_lies_inside(void **state)
{
    static const struct {
        int64_t start; // ms
        int64_t duration;
        const char *expect;
    } cases[] = {
        {0, -1, "-80 -40 0 40 80 120"}, // what comes early is no cut's matter
        {1000, -1, "0 40 80 120"},
        {1000, 80000, "0 40"},
        {1000, 81000, "0 40 80"},
        {0, 1000, "-80 -40 0"},
        {1000, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stand s;
        print_message("start %d, duration %d\n", (int)cases[i].start,
                      (int)cases[i].duration);
        start(&s, &film, cases[i].start, cases[i].duration);
        for (int64_t time = -80; time <= 120; time += 40)
            feed_picture(&s, 64, 32, AV_PIX_FMT_YUV420P, time);
        assert_int_equal(stand_run(&s), 0);
        assert_string_equal(times(&s), cases[i].expect);
        stand_fini(&s);
    }
}

static void filter__any_picture__leaves_as_planned(void **state)
{
    static const struct {
        int width;
        int height;
        enum AVPixelFormat format;
        enum media_turn turn;
        bool full; // its range stays what it is
    } cases[] = {
        {64, 32, AV_PIX_FMT_YUV420P, MEDIA_UPRIGHT, false},
        {128, 64, AV_PIX_FMT_YUV420P, MEDIA_UPRIGHT, false},
        {32, 64, AV_PIX_FMT_YUV420P, MEDIA_CLOCK, false},
        {64, 32, AV_PIX_FMT_YUV420P10, MEDIA_HALF, false},
        {64, 32, AV_PIX_FMT_YUVJ420P, MEDIA_UPRIGHT, true},
        {128, 64, AV_PIX_FMT_YUVJ422P, MEDIA_UPRIGHT, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_track track = film;
        AVRational base;
        struct stand s;
        print_message("case %zu\n", i);
        track.video.turn = cases[i].turn;
        start(&s, &track, 0, -1);
        feed_picture(&s, cases[i].width, cases[i].height, cases[i].format, 40);
        assert_int_equal(stand_run(&s), 0);
        AVFrame *f = take(&s, &base);
        assert_non_null(f);
        assert_int_equal(f->width, 64);
        assert_int_equal(f->height, 32);
        assert_int_equal(f->format, AV_PIX_FMT_YUV420P);
        assert_int_equal(f->color_range == AVCOL_RANGE_JPEG, cases[i].full);
        assert_int_equal(av_compare_ts(f->pts, base, 40, ms), 0);
        av_frame_free(&f);
        assert_null(take(&s, &base));
        stand_fini(&s);
    }
}

/* The first row is light, the others are dark: where does it go? */
static void filter__turns__show_the_right_side(void **state)
{
    static const struct {
        enum media_turn turn;
        int top;
        int right;
        int bottom;
        int left;
    } cases[] = {
        {MEDIA_UPRIGHT, 1, 0, 0, 0},    {MEDIA_CLOCK, 0, 1, 0, 0},
        {MEDIA_HALF, 0, 0, 1, 0},       {MEDIA_COUNTER, 0, 0, 0, 1},
        {MEDIA_VFLIP, 0, 0, 1, 0},      {MEDIA_HFLIP, 1, 0, 0, 0},
        {MEDIA_CLOCK_FLIP, 0, 1, 0, 0}, {MEDIA_COUNTER_FLIP, 0, 0, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_track track = film;
        AVRational base;
        struct stand s;
        AVFrame *f = frame_picture(32, 32, AV_PIX_FMT_GRAY8, 0);
        print_message("turn %d\n", cases[i].turn);
        memset(f->data[0], 255, 32);
        track.video = (struct plan_video){BY_CPU, .width = 32, .height = 32,
                                          .format = AV_PIX_FMT_GRAY8,
                                          .turn = cases[i].turn};
        start(&s, &track, 0, -1);
        stand_feed(&s, item_frame(f, ms));
        assert_int_equal(stand_run(&s), 0);
        f = take(&s, &base);
        assert_non_null(f);
        const uint8_t *rows = f->data[0];
        int line = f->linesize[0];
        assert_int_equal(rows[16] == 255, cases[i].top);
        assert_int_equal(rows[16 * line + 31] == 255, cases[i].right);
        assert_int_equal(rows[31 * line + 16] == 255, cases[i].bottom);
        assert_int_equal(rows[16 * line] == 255, cases[i].left);
        av_frame_free(&f);
        stand_fini(&s);
    }
}

static void filter__change_in_the_middle__loses_nothing(void **state)
{
    struct stand s;
    AVRational base;
    int count = 0;

    (void)state;
    start(&s, &film, 0, -1);
    for (int i = 0; i < 9; i++)
        feed_picture(&s, i < 3 ? 64 : 32 * (i - 2), 32,
                     i < 6 ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_YUV444P, 40 * i);
    assert_int_equal(stand_run(&s), 0);
    for (AVFrame *f; (f = take(&s, &base)); av_frame_free(&f), count++) {
        assert_int_equal(f->width, 64);
        assert_int_equal(f->height, 32);
        assert_int_equal(f->format, AV_PIX_FMT_YUV420P);
        assert_int_equal(av_compare_ts(f->pts, base, 40 * count, ms), 0);
    }
    assert_int_equal(count, 9);
    stand_fini(&s);
}

static void filter__fixed_rate__drops_and_repeats(void **state)
{
    struct plan_track track = film;
    struct stand s;

    (void)state;
    track.video.fixed_rate = (AVRational){10, 1};
    start(&s, &track, 0, -1);
    feed_picture(&s, 64, 32, AV_PIX_FMT_YUV420P, 0);
    feed_picture(&s, 64, 32, AV_PIX_FMT_YUV420P, 20);
    feed_picture(&s, 64, 32, AV_PIX_FMT_YUV420P, 100);
    feed_picture(&s, 64, 32, AV_PIX_FMT_YUV420P, 400);
    feed_picture(&s, 64, 32, AV_PIX_FMT_YUV420P, 500);
    assert_int_equal(stand_run(&s), 0);
    assert_memory_equal(times(&s), "0 100 200 300 400", 17);
    stand_fini(&s);
}

struct heard {
    int64_t first; // sample
    int64_t count;
    int rate;
    int channels;
};

static struct heard listen(struct stand *s)
{
    struct heard h = {.first = -1};
    AVRational base;

    for (AVFrame *f; (f = take(s, &base)); av_frame_free(&f)) {
        assert_int_equal(av_cmp_q(base, (AVRational){1, f->sample_rate}), 0);
        if (h.first < 0)
            h.first = f->pts;
        assert_int_equal(f->pts, h.first + h.count); // without a gap
        h.count += f->nb_samples;
        h.rate = f->sample_rate;
        h.channels = f->ch_layout.nb_channels;
    }
    return h;
}

static void feed_sound(struct stand *s, int rate, int channels, int64_t at)
{
    stand_feed(
        s, item_frame(frame_sound(rate, channels, AV_SAMPLE_FMT_FLTP, 1024, at),
                      (AVRational){1, rate}));
}

static void filter__sound__is_cut_to_the_sample(void **state)
{
    static const struct {
        int64_t start;
        int64_t duration; // µs
        int64_t first;
        int64_t count;
    } cases[] = {
        {0, -1, 0, 10240},
        {0, 100000, 0, 4800},
        {SECOND, -1, 0, 9740}, // the first frame begins 500 samples early
        {SECOND, 100000, 0, 4800},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stand s;
        int64_t early = cases[i].start ? 500 : 0;
        print_message("case %zu\n", i);
        start(&s, &tune, cases[i].start, cases[i].duration);
        for (int n = 0; n < 10; n++)
            feed_sound(&s, RATE, 2, 1024 * n - early);
        assert_int_equal(stand_run(&s), 0);
        struct heard h = listen(&s);
        assert_int_equal(h.first, cases[i].first);
        assert_int_equal(h.count, cases[i].count);
        stand_fini(&s);
    }
}

static void filter__gap_in_sound__is_filled_with_silence(void **state)
{
    struct stand s;

    (void)state;
    start(&s, &tune, 0, -1);
    feed_sound(&s, RATE, 2, 0);
    feed_sound(&s, RATE, 2, RATE); // a second later
    feed_sound(&s, RATE, 2, RATE + 1024);
    assert_int_equal(stand_run(&s), 0);
    struct heard h = listen(&s);
    assert_int_equal(h.first, 0);
    assert_in_range(h.count, RATE + 2048 - 64, RATE + 2048 + 64);
    stand_fini(&s);
}

/* The encoder was opened for the first frame's kind. */
static void filter__sound_that_changes__keeps_its_kind(void **state)
{
    struct stand s;
    int count = 0;
    AVRational base;

    (void)state;
    start(&s, &tune, 0, -1);
    feed_sound(&s, RATE, 2, 0);
    feed_sound(&s, 44100, 1, 941);
    feed_sound(&s, 44100, 1, 941 + 1024);
    assert_int_equal(stand_run(&s), 0);
    for (AVFrame *f; (f = take(&s, &base)); av_frame_free(&f)) {
        assert_int_equal(f->sample_rate, RATE);
        assert_int_equal(f->ch_layout.nb_channels, 2);
        count += f->nb_samples;
    }
    assert_in_range(count, 3200, 3300);
    stand_fini(&s);
}

static void filter__nothing__is_nothing(void **state)
{
    struct stand s;

    (void)state;
    start(&s, &film, 0, -1);
    assert_int_equal(stand_run(&s), 0);
    assert_null(stand_take(&s));
    stand_fini(&s);
}

/* Behind the end it wants no more, so that the job ends early. */
static void filter__behind_the_end__wants_no_more(void **state)
{
    struct stand s;

    (void)state;
    start(&s, &film, 0, 40000);
    for (int i = 0; i < 3; i++)
        feed_picture(&s, 64, 32, AV_PIX_FMT_YUV420P, 40 * i);
    // not of any kind that could be filtered
    stand_feed(&s, item_frame(av_frame_alloc(), ms));
    assert_int_equal(stand_run(&s), 0);
    assert_string_equal(times(&s), "0");
    stand_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter__cut__keeps_what_lies_inside),
        cmocka_unit_test(filter__any_picture__leaves_as_planned),
        cmocka_unit_test(filter__turns__show_the_right_side),
        cmocka_unit_test(filter__change_in_the_middle__loses_nothing),
        cmocka_unit_test(filter__fixed_rate__drops_and_repeats),
        cmocka_unit_test(filter__sound__is_cut_to_the_sample),
        cmocka_unit_test(filter__gap_in_sound__is_filled_with_silence),
        cmocka_unit_test(filter__sound_that_changes__keeps_its_kind),
        cmocka_unit_test(filter__nothing__is_nothing),
        cmocka_unit_test(filter__behind_the_end__wants_no_more),
    };

    av_log_set_level(AV_LOG_QUIET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
