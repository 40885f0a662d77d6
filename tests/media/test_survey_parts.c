#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "media/ear.h"
#include "media/hwdevice.h"
#include "media/survey_decoders.h"
#include "media/survey_encoders.h"
#include "media/survey_filters.h"
#include "model/survey.h"
#include "support/machine.h"

/*
 * The parts of a survey, each alone on a card: survey_decoders, survey_encoders
 * and survey_filters. What a whole survey makes of them is in test_survey.c.
 */

#define UUID "GPU-00000000-7667-7075-0000-000000000001"

/* What a part found, as text: pointers stay with the child. */
struct find {
    void (*part)(struct find *f, struct survey_device *d, struct hwdevice *h);
    char found[2048];    // words with a blank behind each
    char problems[2048]; // lines
    char headers[16];
    bool is_partial;
};

static void say(char *to, size_t size, const char *word)
{
    size_t used = strlen(to);

    (void)snprintf(to + used, size - used, "%s", word);
}

static void run(void *ret)
{
    struct find *f = ret;
    struct survey_device d = {.driver = "470.256.02", .nvenc_api = "11.1"};
    struct hwdevice *h;
    struct error e = {0};

    ear_open();
    assert_int_equal(hwdevice_open(&h, "cuda:0", UUID, &e), 0);
    f->part(f, &d, h);
    for (size_t i = 0; i < d.problem_count; i++) {
        say(f->problems, sizeof(f->problems), d.problems[i]);
        say(f->problems, sizeof(f->problems), "\n");
    }
    f->is_partial = d.is_partial;
    survey_device_fini(&d);
    hwdevice_close(h);
}

static void decoders(struct find *f, struct survey_device *d,
                     struct hwdevice *h)
{
    survey_decoders(d, h);
    for (size_t i = 0; i < d->decoder_count; i++) {
        const struct survey_decoder *one = &d->decoders[i];
        char word[96];
        (void)snprintf(word, sizeof(word), "%s/%d/%d/%dx%d ", one->codec,
                       (int)one->depth, (int)one->chroma, (int)one->width,
                       (int)one->height);
        say(f->found, sizeof(f->found), word);
    }
}

static void encoders(struct find *f, struct survey_device *d,
                     struct hwdevice *h)
{
    survey_encoders(d, h, f->headers, sizeof(f->headers));
    for (size_t i = 0; i < d->encoder_count; i++) {
        const struct survey_encoder *one = &d->encoders[i];
        char word[96];
        (void)snprintf(word, sizeof(word), "%s/%d/%dx%d/b%d ", one->name,
                       (int)one->depth, (int)one->width, (int)one->height,
                       (int)one->b_frames);
        say(f->found, sizeof(f->found), word);
    }
}

static void filters(struct find *f, struct survey_device *d, struct hwdevice *h)
{
    survey_filters(d, h);
    for (size_t i = 0; i < d->filter_count; i++) {
        say(f->found, sizeof(f->found), d->filters[i]);
        say(f->found, sizeof(f->found), " ");
    }
}

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct find find(void (*part)(struct find *f, struct survey_device *d,
                                     struct hwdevice *h),
                        const char *const *settings)
{
    struct find f = {.part = part};

    machine_run(settings, run, &f, sizeof(f));
    print_message("%s\n%s", f.found, f.problems);
    return f;
}

static void decoders__codecs_and_depths__as_the_card_has_them(void **state)
{
    struct find f = find(decoders, NULL);

    (void)state;
    assert_string_equal(f.problems, "");
    assert_non_null(strstr(f.found, "h264/8/420/4096x4096 "));
    assert_null(strstr(f.found, "h264/10/"));
    assert_non_null(strstr(f.found,
                           "hevc/8/420/8192x8192 hevc/10/420/8192x8192 "
                           "hevc/12/420/8192x8192 "));
    assert_null(strstr(f.found, "/444"));
    assert_null(strstr(f.found, "av1"));

    f = find(decoders,
             SETTINGS("decode_hevc=8", "decode_h264=0", "decode_width=2048"));
    assert_null(strstr(f.found, "h264"));
    assert_non_null(strstr(f.found, "hevc/8/420/2048x8192 "));
    assert_null(strstr(f.found, "hevc/10"));
}

static void decoders__card_without_any__is_a_problem(void **state)
{
    struct find f = find(decoders, SETTINGS("decode_h264=0", "decode_hevc=0",
                                            "decode_vp9=0", "decode_mpeg2=0"));

    (void)state;
    assert_string_equal(f.found, "");
    assert_string_equal(f.problems, "the card decodes nothing that FFmpeg "
                                    "would give it\n");
}

static void encoders__codecs__as_the_card_has_them(void **state)
{
    struct find f = find(encoders, NULL);

    (void)state;
    assert_string_equal(f.problems, "");
    assert_string_equal(f.found, "h264_nvenc/8/4096x4096/b4 "
                                 "hevc_nvenc/10/8192x8192/b0 ");
    assert_false(f.is_partial);
    f = find(encoders, SETTINGS("hevc_10bit=0", "h264_b_frames=0"));
    assert_string_equal(f.found, "h264_nvenc/8/4096x4096/b0 "
                                 "hevc_nvenc/8/8192x8192/b0 ");
}

static void encoders__none_to_be_had__says_why_once(void **state)
{
    const struct {
        const char *const *settings;
        const char *words;
        bool is_partial;
        bool has_headers;
    } cases[] = {
        {SETTINGS("no_encoder=1"), "the card has no encoder (NVENC)", false,
         false},
        {SETTINGS("foreign_sessions=3"), "others hold all", true, false},
        {SETTINGS("foreign_sessions=3", "session_error=21"), "others hold all",
         true, false},
        {SETTINGS("nvenc_version=10.0"), "use an FFmpeg built with", false,
         true},
        {SETTINGS("open_error=20"), "h264_nvenc cannot be opened: ", false,
         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct find f = find(encoders, cases[i].settings);
        assert_string_equal(f.found, "");
        const char *words = strstr(f.problems, cases[i].words);
        assert_non_null(words);
        assert_string_equal(strchr(words, '\n'), "\n"); // and no more
        assert_int_equal(f.is_partial, cases[i].is_partial);
        assert_int_equal(f.headers[0] != '\0', cases[i].has_headers);
    }
}

static void filters__those_that_run__are_listed(void **state)
{
    struct find f = find(filters, NULL);

    (void)state;
    assert_string_equal(f.problems, "");
    assert_non_null(strstr(f.found, "scale_cuda "));
    assert_non_null(strstr(f.found, "yadif_cuda "));
    assert_non_null(strstr(f.found, "hwdownload "));
    assert_non_null(strstr(f.found, "hwupload "));
}

/* A kernel that fails once costs the filter whose it is, and no other. */
static void filters__one_that_fails__is_named_and_left_out(void **state)
{
    struct find f = find(filters, SETTINGS("fail_launch=1"));

    (void)state;
    assert_memory_equal(f.problems, "scale_cuda does not run: ", 25);
    assert_null(strstr(f.found, "scale_cuda "));
    assert_non_null(strstr(f.found, "yadif_cuda "));
}

/* All fail for the same reason, and each of them says so. */
static void filters__card_that_is_lost__each_is_named(void **state)
{
    struct find f = find(filters, SETTINGS("fail_launch=1", "sticky=1"));
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
        cmocka_unit_test(decoders__codecs_and_depths__as_the_card_has_them),
        cmocka_unit_test(decoders__card_without_any__is_a_problem),
        cmocka_unit_test(encoders__codecs__as_the_card_has_them),
        cmocka_unit_test(encoders__none_to_be_had__says_why_once),
        cmocka_unit_test(filters__those_that_run__are_listed),
        cmocka_unit_test(filters__one_that_fails__is_named_and_left_out),
        cmocka_unit_test(filters__card_that_is_lost__each_is_named),
    };

    (void)argc;
    machine_enter(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
