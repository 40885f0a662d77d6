#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "media/survey_decoders.h"
#include "model/survey.h"
#include "support/machine.h"
#include "support/part.h"

static void try_decoders(struct part_find *f, struct survey_device *d,
                         struct hwdevice *h)
{
    survey_decoders(d, h);
    for (size_t i = 0; i < d->decoder_count; i++) {
        const struct survey_decoder *one = &d->decoders[i];
        char word[96];
        (void)snprintf(word, sizeof(word), "%s/%d/%d/%dx%d", one->codec,
                       (int)one->depth, (int)one->chroma, (int)one->width,
                       (int)one->height);
        part_say(f, word);
    }
}

static void
survey_decoders__codecs_and_depths__as_the_card_has_them(void **state)
{
    struct part_find f = part_try(try_decoders, NULL);

    (void)state;
    assert_string_equal(f.problems, "");
    assert_non_null(strstr(f.found, "h264/8/420/4096x4096 "));
    assert_null(strstr(f.found, "h264/10/"));
    assert_non_null(strstr(f.found,
                           "hevc/8/420/8192x8192 hevc/10/420/8192x8192 "
                           "hevc/12/420/8192x8192 "));
    assert_null(strstr(f.found, "/444"));
    assert_null(strstr(f.found, "av1"));

    f = part_try(try_decoders, PART_SETTINGS("decode_hevc=8", "decode_h264=0",
                                             "decode_width=2048"));
    assert_null(strstr(f.found, "h264"));
    assert_non_null(strstr(f.found, "hevc/8/420/2048x8192 "));
    assert_null(strstr(f.found, "hevc/10"));
}

static void survey_decoders__card_without_any__is_a_problem(void **state)
{
    struct part_find f =
        part_try(try_decoders, PART_SETTINGS("decode_h264=0", "decode_hevc=0",
                                             "decode_vp9=0", "decode_mpeg2=0"));

    (void)state;
    assert_string_equal(f.found, "");
    assert_string_equal(f.problems, "the card decodes nothing that FFmpeg "
                                    "would give it\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            survey_decoders__codecs_and_depths__as_the_card_has_them),
        cmocka_unit_test(survey_decoders__card_without_any__is_a_problem),
    };

    (void)argc;
    machine_enter(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
