#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "pipeline/graph.h"
#include "support/frame.h"

static const AVRational ms = {1, 1000};
static const AVRational rate = {25, 1};

static struct graph *build(const char *text, AVFrame *like, AVRational base)
{
    struct graph *g = NULL;
    struct error e = {0};

    const struct graph_config config = {text, like, base, rate, NULL};
    print_message("%s\n", text);
    assert_int_equal(graph_create(&g, &config, &e), 0);
    av_frame_free(&like);
    return g;
}

static AVFrame *pull(struct graph *g)
{
    AVFrame *frame = NULL;
    struct error e = {0};
    int r = graph_pull(g, &frame, &e);

    assert_in_range(r, 0, 1);
    assert_int_equal(r, frame != NULL);
    return frame;
}

static void graph__pictures__come_out_as_described(void **state)
{
    static const struct {
        const char *text;
        int width;
        int height;
        enum AVPixelFormat format;
    } cases[] = {
        {"null", 64, 32, AV_PIX_FMT_YUV420P},
        {"scale=32:16", 32, 16, AV_PIX_FMT_YUV420P},
        {"transpose=clock,scale=16:48", 16, 48, AV_PIX_FMT_YUV420P},
        {"format=yuv444p", 64, 32, AV_PIX_FMT_YUV444P},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct graph *g = build(
            cases[i].text, frame_picture(64, 32, AV_PIX_FMT_YUV420P, 0), ms);
        assert_null(pull(g)); // nothing is in it yet
        assert_int_equal(
            graph_push(g, frame_picture(64, 32, AV_PIX_FMT_YUV420P, 40), &e),
            0);
        AVFrame *out = pull(g);
        assert_non_null(out);
        assert_int_equal(out->width, cases[i].width);
        assert_int_equal(out->height, cases[i].height);
        assert_int_equal(out->format, cases[i].format);
        assert_int_equal(out->pts, 40);
        assert_null(pull(g));
        av_frame_free(&out);
        graph_destroy(g);
    }
}

static void graph_push__end__lets_the_rest_out(void **state)
{
    struct error e = {0};
    struct graph *g =
        build("fps=10,reverse", frame_picture(16, 16, AV_PIX_FMT_GRAY8, 0), ms);
    int count = 0;

    (void)state;
    assert_int_equal(av_cmp_q(graph_time_base(g), (AVRational){1, 10}), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(
            graph_push(g, frame_picture(16, 16, AV_PIX_FMT_GRAY8, 200 * i), &e),
            0);
    assert_null(pull(g));
    assert_int_equal(graph_push(g, NULL, &e), 0);
    for (AVFrame *out; (out = pull(g)); av_frame_free(&out))
        assert_int_equal(out->pts, count++);
    assert_in_range(count, 18, 20); // the last has no length of its own
    assert_null(pull(g));           // and nothing more
    graph_destroy(g);
}

static void graph_push__end__leaves_room_for_the_last_frame(void **state)
{
    struct graph *g =
        build("fps=50", frame_picture(16, 16, AV_PIX_FMT_GRAY8, 0), ms);
    struct error e = {0};
    int count = 0;

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(
            graph_push(g, frame_picture(16, 16, AV_PIX_FMT_GRAY8, 40 * i), &e),
            0);
    assert_int_equal(graph_push(g, NULL, &e), 0);
    for (AVFrame *f; (f = pull(g)); av_frame_free(&f))
        count++;
    assert_int_equal(count, 10); // 5 at 25 a second
    graph_destroy(g);
}

static void graph__sound__is_converted(void **state)
{
    struct error e = {0};
    struct graph *g =
        build("aformat=sample_rates=48000:channel_layouts=mono:sample_fmts=s16",
              frame_sound(24000, 2, AV_SAMPLE_FMT_FLTP, 1024, 0),
              (AVRational){1, 24000});
    int samples = 0;

    (void)state;
    assert_int_equal(
        graph_push(g, frame_sound(24000, 2, AV_SAMPLE_FMT_FLTP, 1024, 0), &e),
        0);
    assert_int_equal(graph_push(g, NULL, &e), 0);
    for (AVFrame *out; (out = pull(g)); av_frame_free(&out)) {
        assert_int_equal(out->sample_rate, 48000);
        assert_int_equal(out->ch_layout.nb_channels, 1);
        assert_int_equal(out->format, AV_SAMPLE_FMT_S16);
        samples += out->nb_samples;
    }
    assert_in_range(samples, 2040, 2060);
    assert_int_equal(av_cmp_q(graph_time_base(g), (AVRational){1, 48000}), 0);
    graph_destroy(g);
}

static void graph_create__no_such_filters__says_which(void **state)
{
    static const char *const texts[] = {"no_such_filter", "scale=-7:x",
                                        "scale=32:16[", "anull"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        AVFrame *like = frame_picture(16, 16, AV_PIX_FMT_GRAY8, 0);
        struct graph *g = NULL;
        struct error e = {0};
        print_message("%s\n", texts[i]);
        const struct graph_config config = {texts[i], like, ms, rate, NULL};
        assert_true(graph_create(&g, &config, &e) < 0);
        assert_null(g);
        assert_non_null(strstr(e.text, "cannot build filters '"));
        assert_non_null(strstr(e.text, texts[i]));
        av_frame_free(&like);
    }
}

static void graph_fits__pictures__are_of_one_kind(void **state)
{
    static const struct {
        int width;
        int height;
        enum AVPixelFormat format;
        AVRational base;
        bool expect;
    } cases[] = {
        {64, 32, AV_PIX_FMT_YUV420P, {1, 1000}, true},
        {64, 32, AV_PIX_FMT_YUV420P, {2, 2000}, true},
        {66, 32, AV_PIX_FMT_YUV420P, {1, 1000}, false},
        {64, 34, AV_PIX_FMT_YUV420P, {1, 1000}, false},
        {64, 32, AV_PIX_FMT_YUV422P, {1, 1000}, false},
        {64, 32, AV_PIX_FMT_YUV420P, {1, 90000}, false},
    };
    struct graph *g =
        build("null", frame_picture(64, 32, AV_PIX_FMT_YUV420P, 0), ms);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFrame *frame =
            frame_picture(cases[i].width, cases[i].height, cases[i].format, 0);
        print_message("case %zu\n", i);
        assert_int_equal(graph_fits(g, frame, cases[i].base), cases[i].expect);
        av_frame_free(&frame);
    }
    graph_destroy(g);
}

static void graph_fits__sound__is_of_one_kind(void **state)
{
    static const struct {
        int rate;
        int channels;
        enum AVSampleFormat format;
        int samples;
        bool expect;
    } cases[] = {
        {48000, 2, AV_SAMPLE_FMT_FLTP, 1024, true},
        {48000, 2, AV_SAMPLE_FMT_FLTP, 10, true}, // the length is no kind
        {44100, 2, AV_SAMPLE_FMT_FLTP, 1024, false},
        {48000, 6, AV_SAMPLE_FMT_FLTP, 1024, false},
        {48000, 2, AV_SAMPLE_FMT_S16, 1024, false},
    };
    struct graph *g =
        build("anull", frame_sound(48000, 2, AV_SAMPLE_FMT_FLTP, 1024, 0), ms);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFrame *frame = frame_sound(cases[i].rate, cases[i].channels,
                                     cases[i].format, cases[i].samples, 0);
        print_message("case %zu\n", i);
        assert_int_equal(graph_fits(g, frame, ms), cases[i].expect);
        av_frame_free(&frame);
    }
    graph_destroy(g);
}

static void graph_push__after_the_end__is_an_error(void **state)
{
    struct error e = {0};
    struct graph *g =
        build("null", frame_picture(16, 16, AV_PIX_FMT_GRAY8, 0), ms);

    (void)state;
    assert_int_equal(graph_push(g, NULL, &e), 0);
    assert_true(graph_push(g, frame_picture(16, 16, AV_PIX_FMT_GRAY8, 0), &e) <
                0);
    assert_non_null(strstr(e.text, "cannot filter a frame"));
    graph_destroy(g);
    graph_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graph__pictures__come_out_as_described),
        cmocka_unit_test(graph_push__end__lets_the_rest_out),
        cmocka_unit_test(graph_push__end__leaves_room_for_the_last_frame),
        cmocka_unit_test(graph__sound__is_converted),
        cmocka_unit_test(graph_create__no_such_filters__says_which),
        cmocka_unit_test(graph_fits__pictures__are_of_one_kind),
        cmocka_unit_test(graph_fits__sound__is_of_one_kind),
        cmocka_unit_test(graph_push__after_the_end__is_an_error),
    };

    av_log_set_level(AV_LOG_QUIET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
