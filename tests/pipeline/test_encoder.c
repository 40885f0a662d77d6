#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "media/plan.h"
#include "media/plan_options.h"
#include "pipeline/encoder.h"
#include "pipeline/item.h"
#include "pipeline/stage.h"
#include "support/frame.h"
#include "support/stand.h"

#define NUMBER 3 // of the track in its output

static const AVRational ms = {1, 1000};

#define BY_CPU \
    .by = {[OP_DECODE] = &backend_cpu, \
           [OP_TURN] = &backend_cpu, \
           [OP_RATE] = &backend_cpu, \
           [OP_SCALE] = &backend_cpu, \
           [OP_ENCODE] = &backend_cpu}

static struct plan_track film(void)
{
    struct plan_track track = {
        .kind = MEDIA_VIDEO,
        .encoder = "libx264",
        .video = {BY_CPU, .width = 64, .height = 32,
                  .format = AV_PIX_FMT_YUV420P, .frame_rate = {25, 1},
                  .average_rate = {25, 1}},
    };

    plan_options_set_all(&track.options, "preset=ultrafast:threads=1");
    return track;
}

static struct plan_track tune(const char *encoder)
{
    struct plan_track track = {.kind = MEDIA_AUDIO,
                               .audio = {.channels = 2, .volume = 1}};

    (void)snprintf(track.encoder, sizeof(track.encoder), "%s", encoder);
    return track;
}

static void start(struct stand *s, const struct plan_track *track)
{
    const struct encoder_config config = {
        .track = track, .global_header = true, .source_rate = 44100};

    stand_init(s, encoder_create(&config), STAND_SENDS);
    s->stage->out[0].track = NUMBER;
}

static void feed_picture(struct stand *s, int64_t time)
{
    stand_feed(s,
               item_frame(frame_picture(64, 32, AV_PIX_FMT_YUV420P, time), ms));
}

static void feed_sound(struct stand *s, enum AVSampleFormat format, int count,
                       int64_t at)
{
    stand_feed(s, item_frame(frame_sound(48000, 2, format, count, at),
                             (AVRational){1, 48000}));
}

/* The first item says what the others will be; the caller owns it. */
static struct item *take_format(struct stand *s)
{
    struct item *item = stand_take(s);

    assert_non_null(item);
    assert_int_equal(item->kind, ITEM_FORMAT);
    assert_int_equal(item->track, NUMBER);
    return item;
}

struct stream {
    int packets;
    int keys;
    int64_t first; // presentation time, µs
    int64_t end;   // of the last packet, µs
};

/* All packets behind the format. */
static struct stream take_all(struct stand *s)
{
    struct stream all = {.first = INT64_MAX, .end = INT64_MIN};
    int64_t last = INT64_MIN;

    for (struct item *i; (i = stand_take(s)); item_destroy(i)) {
        assert_int_equal(i->kind, ITEM_PACKET);
        assert_int_equal(i->track, NUMBER);
        assert_true(i->packet->dts > last);
        last = i->packet->dts;
        int64_t pts =
            av_rescale_q(i->packet->pts, i->time_base, AV_TIME_BASE_Q);
        int64_t end = av_rescale_q(i->packet->pts + i->packet->duration,
                                   i->time_base, AV_TIME_BASE_Q);
        all.first = pts < all.first ? pts : all.first;
        all.end = end > all.end ? end : all.end;
        all.keys += i->packet->flags & AV_PKT_FLAG_KEY;
        all.packets++;
    }
    return all;
}

static void encoder__pictures__become_packets(void **state)
{
    struct plan_track track = film();
    struct stand s;

    (void)state;
    start(&s, &track);
    for (int i = 0; i < 25; i++)
        feed_picture(&s, 40 * i);
    assert_int_equal(stand_run(&s), 0);
    struct item *format = take_format(&s);
    const AVCodecParameters *par = format->format.parameters;
    assert_int_equal(par->codec_id, AV_CODEC_ID_H264);
    assert_int_equal(par->width, 64);
    assert_int_equal(par->height, 32);
    assert_true(par->extradata_size > 0); // the global header
    assert_int_equal(format->format.frame_rate.num, 25);
    item_destroy(format);
    struct stream all = take_all(&s);
    assert_int_equal(all.packets, 25);
    assert_int_equal(all.first, 0);
    assert_int_equal(all.end, SECOND);
    stand_fini(&s);
}

static void encoder__key_frames__come_when_planned(void **state)
{
    static const struct {
        int64_t interval; // µs
        int keys;
    } cases[] = {{0, 1}, {SECOND / 5, 5}, {SECOND / 2, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_track track = film();
        struct stand s;
        print_message("every %d us\n", (int)cases[i].interval);
        track.video.keyframe_interval = cases[i].interval;
        plan_options_set_all(&track.options, "forced-idr=1:g=250");
        start(&s, &track);
        for (int n = 0; n < 25; n++)
            feed_picture(&s, 40 * n);
        assert_int_equal(stand_run(&s), 0);
        item_destroy(take_format(&s));
        assert_int_equal(take_all(&s).keys, cases[i].keys);
        stand_fini(&s);
    }
}

static void encoder__two_pictures_in_one_place__are_one(void **state)
{
    struct plan_track track = film();
    struct stand s;

    (void)state;
    start(&s, &track);
    feed_picture(&s, 0);
    feed_picture(&s, 1);
    feed_picture(&s, 40);
    assert_int_equal(stand_run(&s), 0);
    item_destroy(take_format(&s));
    assert_int_equal(take_all(&s).packets, 2);
    stand_fini(&s);
}

/* Frames of any length become frames of the encoder's. */
static void encoder__sound__is_regrouped_and_none_is_lost(void **state)
{
    static const struct {
        const char *encoder;
        enum AVSampleFormat format;
        enum AVCodecID codec;
        int64_t end; // at least, µs
    } cases[] = {
        {"aac", AV_SAMPLE_FMT_FLTP, AV_CODEC_ID_AAC, SECOND},
        {"flac", AV_SAMPLE_FMT_S16, AV_CODEC_ID_FLAC, SECOND},
        {"libopus", AV_SAMPLE_FMT_S16, AV_CODEC_ID_OPUS, SECOND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_track track = tune(cases[i].encoder);
        struct stand s;
        print_message("%s\n", cases[i].encoder);
        start(&s, &track);
        for (int at = 0; at < 48000; at += 480)
            feed_sound(&s, cases[i].format, 480, at);
        assert_int_equal(stand_run(&s), 0);
        struct item *format = take_format(&s);
        assert_int_equal(format->format.parameters->codec_id, cases[i].codec);
        assert_int_equal(format->format.parameters->sample_rate, 48000);
        assert_int_equal(format->format.parameters->ch_layout.nb_channels, 2);
        item_destroy(format);
        struct stream all = take_all(&s);
        assert_true(all.first <= 0); // with what the encoder puts in front
        assert_in_range(all.end, cases[i].end - 10000, cases[i].end + 30000);
        stand_fini(&s);
    }
}

static void encoder__no_frames__says_what_would_have_been(void **state)
{
    struct plan_track tracks[] = {film(), tune("aac"), tune("libopus")};
    static const struct {
        enum AVCodecID codec;
        int rate;
    } expect[] = {
        {AV_CODEC_ID_H264, 0},
        {AV_CODEC_ID_AAC, 44100}, // the source's
        {AV_CODEC_ID_OPUS, 24000},
    };

    (void)state;
    tracks[2].audio.sample_rate = 24000;
    tracks[2].audio.channels = 1;
    for (size_t i = 0; i < sizeof(tracks) / sizeof(tracks[0]); i++) {
        struct stand s;
        print_message("%s\n", tracks[i].encoder);
        start(&s, &tracks[i]);
        assert_int_equal(stand_run(&s), 0);
        struct item *format = take_format(&s);
        const AVCodecParameters *par = format->format.parameters;
        assert_int_equal(par->codec_id, expect[i].codec);
        assert_int_equal(par->sample_rate, expect[i].rate);
        assert_int_equal(par->width, i ? 0 : 64);
        item_destroy(format);
        assert_null(stand_take(&s));
        stand_fini(&s);
    }
}

static void encoder__settings_that_it_lacks__are_refused_by_name(void **state)
{
    static const struct {
        const char *options;
        const char *text;
    } cases[] = {
        {"no_such=1", "libx264: encoder 'libx264' has no option 'no_such'"},
        {"preset=sideways",
         "libx264: encoder 'libx264' does not take these settings"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_track track = film();
        struct stand s;
        plan_options_set_all(&track.options, cases[i].options);
        start(&s, &track);
        feed_picture(&s, 0);
        assert_true(stand_run(&s) < 0);
        print_message("%s\n", s.error.text);
        assert_int_equal(
            strncmp(s.error.text, cases[i].text, strlen(cases[i].text)), 0);
        assert_null(stand_take(&s));
        stand_fini(&s);
    }
}

/* Vorbis has no such rate for two channels; it takes its own. */
static void encoder__bitrate_that_cannot_be__is_the_encoders_own(void **state)
{
    struct plan_track track = tune("libvorbis");
    struct stand s;

    (void)state;
    plan_options_set(&track.options, "b", "5000");
    start(&s, &track);
    for (int at = 0; at < 4800; at += 480)
        feed_sound(&s, AV_SAMPLE_FMT_FLTP, 480, at);
    assert_int_equal(stand_run(&s), 0);
    item_destroy(take_format(&s));
    assert_true(take_all(&s).packets > 0);
    stand_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoder__pictures__become_packets),
        cmocka_unit_test(encoder__key_frames__come_when_planned),
        cmocka_unit_test(encoder__two_pictures_in_one_place__are_one),
        cmocka_unit_test(encoder__sound__is_regrouped_and_none_is_lost),
        cmocka_unit_test(encoder__no_frames__says_what_would_have_been),
        cmocka_unit_test(encoder__settings_that_it_lacks__are_refused_by_name),
        cmocka_unit_test(encoder__bitrate_that_cannot_be__is_the_encoders_own),
    };

    av_log_set_level(AV_LOG_QUIET);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
