#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <libavutil/channel_layout.h>

#include "media/plan.h"
#include "pipeline/sound.h"

static const char *describe(const char *encoder, int channels, int wanted_rate,
                            const char *layout, int rate)
{
    static char text[512];
    struct plan_track track = {
        .kind = MEDIA_AUDIO,
        .audio = {.channels = channels, .sample_rate = wanted_rate},
    };
    AVFrame *frame = av_frame_alloc();

    assert_non_null(frame);
    (void)snprintf(track.encoder, sizeof(track.encoder), "%s", encoder);
    frame->sample_rate = rate;
    assert_int_equal(av_channel_layout_from_string(&frame->ch_layout, layout),
                     0);
    sound_describe(&track, frame, text, sizeof(text));
    av_frame_free(&frame);
    return text;
}

/* The value of "NAME=" in what was described. */
static const char *value_of(const char *text, const char *name)
{
    static char value[128];
    const char *at = strstr(text, name);

    assert_non_null(at);
    at += strlen(name) + 1;
    (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, ":"), at);
    return value;
}

static void sound_describe__rates__lose_nothing_where_that_can_be(void **state)
{
    static const struct {
        const char *encoder;
        int wanted; // 0: the source's
        int source;
        const char *expect;
    } cases[] = {
        {"aac", 0, 44100, "44100"},
        {"aac", 0, 96000, "96000"},
        {"aac", 22050, 48000, "22050"},
        {"aac", 0, 192000, "96000"}, // the highest that there is
        {"aac", 0, 40000, "44100"},  // the next one above
        {"libopus", 0, 44100, "48000"},
        {"libopus", 0, 8000, "8000"},
        {"libmp3lame", 0, 96000, "48000"},
        {"libmp3lame", 0, 40000, "44100"}, // its list is in no order
        {"ac3", 0, 22050, "32000"},
        {"libvorbis", 0, 37800, "37800"}, // takes any
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = describe(cases[i].encoder, 2, cases[i].wanted,
                                    "stereo", cases[i].source);
        print_message("%s\n", text);
        assert_string_equal(value_of(text, "sample_rates"), cases[i].expect);
    }
}

static void sound_describe__layouts__are_no_more_than_planned(void **state)
{
    static const struct {
        const char *encoder;
        int most;
        const char *source;
        const char *expect;
    } cases[] = {
        {"aac", 2, "5.1", "stereo"},
        {"aac", 1, "stereo", "mono"},
        {"aac", 2, "mono", "mono"}, // none is made up
        {"aac", 6, "5.1(side)", "5.1(side)"},
        {"aac", 6, "5.1", "5.1"},
        {"aac", 8, "7.1", "7.1"},
        {"ac3", 6, "5.1(side)", "5.1(side)"},
        {"ac3", 6, "7.1", "5.1(side)"},
        {"eac3", 6, "quad", "quad"},
        {"libmp3lame", 1, "5.1", "mono"},
        {"libmp3lame", 2, "5.1", "stereo"},
        {"libmp3lame", 6, "5.1", "stereo"},
        {"libmp3lame", 6, "quad", "stereo"},
        {"flac", 8, "7.1", "7.1"},
        {"aac", 2, "2 channels", "stereo"}, // of no known order
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = describe(cases[i].encoder, cases[i].most, 0,
                                    cases[i].source, 48000);
        print_message("%s, most %d: %s\n", cases[i].source, cases[i].most,
                      text);
        assert_string_equal(value_of(text, "channel_layouts"), cases[i].expect);
    }
}

static void
sound_describe__formats__are_all_that_the_encoder_takes(void **state)
{
    static const struct {
        const char *encoder;
        const char *expect;
    } cases[] = {
        {"aac", "fltp"},
        {"libopus", "s16|flt"},
        {"flac", "s16|s32"},
        {"libmp3lame", "s32p|fltp|s16p"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = describe(cases[i].encoder, 2, 0, "stereo", 48000);
        print_message("%s\n", text);
        assert_string_equal(value_of(text, "sample_fmts"), cases[i].expect);
        assert_int_equal(strncmp(text, "aformat=", 8), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_describe__rates__lose_nothing_where_that_can_be),
        cmocka_unit_test(sound_describe__layouts__are_no_more_than_planned),
        cmocka_unit_test(
            sound_describe__formats__are_all_that_the_encoder_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
