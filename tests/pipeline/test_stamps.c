#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavcodec/avcodec.h>

#include "base/clock.h"
#include "pipeline/stamps.h"

#define NONE AV_NOPTS_VALUE

static const AVRational milli = {1, 1000};
static const AVRational mpeg = {1, 90000};

/* Times of a packet, before and behind. */
struct times {
    int64_t dts;
    int64_t pts;
};

static struct times place(struct stamps *s, AVCodecParameters *par,
                          struct times at, AVRational from, AVRational to,
                          int64_t shift)
{
    AVPacket *packet = av_packet_alloc();

    assert_non_null(packet);
    packet->dts = at.dts;
    packet->pts = at.pts;
    stamps_place(s, packet, par, from, to, shift);
    struct times placed = {packet->dts, packet->pts};
    av_packet_free(&packet);
    return placed;
}

static AVCodecParameters *parameters(enum AVMediaType type)
{
    AVCodecParameters *par = avcodec_parameters_alloc();

    assert_non_null(par);
    par->codec_type = type;
    if (type == AVMEDIA_TYPE_AUDIO) {
        par->sample_rate = 44100;
        par->frame_size = 1024;
    }
    return par;
}

static void place__clock_and_shift__are_the_containers(void **state)
{
    static const struct {
        struct times at; // ms
        int64_t shift;   // µs
        struct times expect;
    } cases[] = {
        {{40, 80}, 0, {3600, 7200}},
        {{40, 80}, SECOND, {93600, 97200}},
        {{-40, 0}, 0, {-3600, 0}},
        {{NONE, 80}, SECOND, {NONE, 97200}},
        {{40, NONE}, SECOND, {93600, NONE}},
        {{NONE, NONE}, SECOND, {NONE, NONE}},
    };
    AVCodecParameters *par = parameters(AVMEDIA_TYPE_VIDEO);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stamps s;
        stamps_init(&s);
        struct times placed =
            place(&s, par, cases[i].at, milli, mpeg, cases[i].shift);
        print_message("case %zu\n", i);
        assert_int_equal(placed.dts, cases[i].expect.dts);
        assert_int_equal(placed.pts, cases[i].expect.pts);
    }
    avcodec_parameters_free(&par);
}

/* Each with the one before it at 100. */
static void place__packets_that_do_not_fit__are_moved_a_little(void **state)
{
    static const struct {
        const char *what;
        bool is_strict;
        struct times at;
        struct times expect;
    } cases[] = {
        {"later", true, {101, 140}, {101, 140}},
        {"the same, which some containers take", false, {100, 140}, {100, 140}},
        {"the same", true, {100, 140}, {101, 140}},
        {"earlier", true, {90, 140}, {101, 140}},
        {"earlier, and shown before", true, {90, 95}, {101, 101}},
        {"earlier, as close as may be", false, {90, 95}, {100, 100}},
        {"earlier, shown nobody knows when", true, {90, NONE}, {101, NONE}},
        {"nobody knows when", true, {NONE, 20}, {NONE, 20}},
    };
    AVCodecParameters *par = parameters(AVMEDIA_TYPE_VIDEO);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stamps s;
        print_message("%s\n", cases[i].what);
        stamps_init(&s);
        s.is_strict = cases[i].is_strict;
        (void)place(&s, par, (struct times){100, 100}, milli, milli, 0);
        struct times placed = place(&s, par, cases[i].at, milli, milli, 0);
        assert_int_equal(placed.dts, cases[i].expect.dts);
        assert_int_equal(placed.pts, cases[i].expect.pts);
    }
    avcodec_parameters_free(&par);
}

/* A moved one is the one that the next must not be before. */
static void place__several_that_do_not_fit__stay_in_order(void **state)
{
    AVCodecParameters *par = parameters(AVMEDIA_TYPE_VIDEO);
    struct stamps s;

    (void)state;
    stamps_init(&s);
    s.is_strict = true;
    for (int64_t i = 0; i < 4; i++) {
        struct times placed =
            place(&s, par, (struct times){50, 50}, milli, milli, 0);
        assert_int_equal(placed.dts, 50 + i);
    }
    avcodec_parameters_free(&par);
}

/* 1024 samples at 44.1 kHz are 23.2 ms, of which Matroska keeps 23 or 24. */
static void place__copied_sound_of_a_coarse_clock__is_even(void **state)
{
    static const int64_t coarse[] = {0, 23, 46, 70, 93, 116, 139, 163};
    AVCodecParameters *par = parameters(AVMEDIA_TYPE_AUDIO);
    struct stamps copied;
    struct stamps encoded;

    (void)state;
    stamps_init(&copied);
    copied.is_copied = true;
    stamps_init(&encoded);
    for (int64_t i = 0; i < 8; i++) {
        struct times at = {coarse[i], coarse[i]};
        struct times placed =
            place(&copied, par, at, milli, (AVRational){1, 44100}, 0);
        assert_int_equal(placed.dts, 1024 * i);
        assert_int_equal(placed.pts, placed.dts);
        // an encoder knows its times better than its parameters do
        placed = place(&encoded, par, at, milli, mpeg, 0);
        assert_int_equal(placed.dts, 90 * coarse[i]);
    }
    avcodec_parameters_free(&par);
}

static void place__copied_sound_without_times__stays_without(void **state)
{
    AVCodecParameters *par = parameters(AVMEDIA_TYPE_AUDIO);
    struct stamps s;

    (void)state;
    stamps_init(&s);
    s.is_copied = true;
    struct times placed =
        place(&s, par, (struct times){NONE, 80}, milli, mpeg, 0);
    assert_int_equal(placed.dts, NONE);
    assert_int_equal(placed.pts, 7200);
    avcodec_parameters_free(&par);
}

/* A copied picture is shown when the input says, not when it is decoded. */
static void place__copied_pictures__keep_both_times(void **state)
{
    AVCodecParameters *par = parameters(AVMEDIA_TYPE_VIDEO);
    struct stamps s;

    (void)state;
    stamps_init(&s);
    s.is_copied = true;
    struct times placed =
        place(&s, par, (struct times){40, 120}, milli, mpeg, 0);
    assert_int_equal(placed.dts, 3600);
    assert_int_equal(placed.pts, 10800);
    avcodec_parameters_free(&par);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place__clock_and_shift__are_the_containers),
        cmocka_unit_test(place__packets_that_do_not_fit__are_moved_a_little),
        cmocka_unit_test(place__several_that_do_not_fit__stay_in_order),
        cmocka_unit_test(place__copied_sound_of_a_coarse_clock__is_even),
        cmocka_unit_test(place__copied_sound_without_times__stays_without),
        cmocka_unit_test(place__copied_pictures__keep_both_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
