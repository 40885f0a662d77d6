#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "media/survey_encoders.h"
#include "model/survey.h"
#include "support/machine.h"
#include "support/part.h"

static void try_encoders(struct part_find *f, struct survey_device *d,
                         struct hwdevice *h)
{
    survey_encoders(d, h, f->headers, sizeof(f->headers));
    for (size_t i = 0; i < d->encoder_count; i++) {
        const struct survey_encoder *one = &d->encoders[i];
        char word[96];
        (void)snprintf(word, sizeof(word), "%s/%d/%dx%d/b%d", one->name,
                       (int)one->depth, (int)one->width, (int)one->height,
                       (int)one->b_frames);
        part_say(f, word);
    }
}

static void survey_encoders__codecs__as_the_card_has_them(void **state)
{
    struct part_find f = part_try(try_encoders, NULL);

    (void)state;
    assert_string_equal(f.problems, "");
    assert_string_equal(f.found, "h264_nvenc/8/4096x4096/b4 "
                                 "hevc_nvenc/10/8192x8192/b0 ");
    assert_false(f.is_partial);
    f = part_try(try_encoders,
                 PART_SETTINGS("hevc_10bit=0", "h264_b_frames=0"));
    assert_string_equal(f.found, "h264_nvenc/8/4096x4096/b0 "
                                 "hevc_nvenc/8/8192x8192/b0 ");
}

static void survey_encoders__none_to_be_had__says_why_once(void **state)
{
    const struct {
        const char *const *settings;
        const char *words;
        bool is_partial;
        bool has_headers;
    } cases[] = {
        {PART_SETTINGS("no_encoder=1"), "the card has no encoder (NVENC)",
         false, false},
        {PART_SETTINGS("foreign_sessions=3"), "others hold all", true, false},
        {PART_SETTINGS("foreign_sessions=3", "session_error=21"),
         "others hold all", true, false},
        {PART_SETTINGS("nvenc_version=10.0"), "use an FFmpeg built with", false,
         true},
        {PART_SETTINGS("open_error=20"), "h264_nvenc cannot be opened: ", false,
         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct part_find f = part_try(try_encoders, cases[i].settings);
        assert_string_equal(f.found, "");
        const char *words = strstr(f.problems, cases[i].words);
        assert_non_null(words);
        assert_string_equal(strchr(words, '\n'), "\n"); // and no more
        assert_int_equal(f.is_partial, cases[i].is_partial);
        assert_int_equal(f.headers[0] != '\0', cases[i].has_headers);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survey_encoders__codecs__as_the_card_has_them),
        cmocka_unit_test(survey_encoders__none_to_be_had__says_why_once),
    };

    (void)argc;
    machine_enter(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
