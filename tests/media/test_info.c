#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "media/info.h"

static void media_kind_name__kinds__have_words(void **state)
{
    static const char *const expect[MEDIA_KIND_COUNT] = {
        [MEDIA_OTHER] = "data",
        [MEDIA_VIDEO] = "video",
        [MEDIA_AUDIO] = "audio",
        [MEDIA_SUBTITLE] = "subtitle",
    };

    (void)state;
    for (enum media_kind k = MEDIA_OTHER; k < MEDIA_KIND_COUNT; k++)
        assert_string_equal(media_kind_name(k), expect[k]);
}

static void media_turn_swaps__turns__are_told_from_mirrors(void **state)
{
    static const bool expect[MEDIA_TURN_COUNT] = {
        [MEDIA_UPRIGHT] = false,   [MEDIA_CLOCK] = true,
        [MEDIA_CLOCK_FLIP] = true, [MEDIA_HALF] = false,
        [MEDIA_COUNTER] = true,    [MEDIA_COUNTER_FLIP] = true,
        [MEDIA_HFLIP] = false,     [MEDIA_VFLIP] = false,
    };

    (void)state;
    for (enum media_turn t = MEDIA_UPRIGHT; t < MEDIA_TURN_COUNT; t++) {
        print_message("turn %d\n", t);
        assert_int_equal(media_turn_swaps(t), expect[t]);
    }
}

/* That the streams are freed is the leak checker's to say. */
static void
media_info_fini__filled__is_empty_and_may_be_finished_again(void **state)
{
    struct media_info info = {
        .streams = calloc(3, sizeof(struct media_stream)),
        .stream_count = 3,
    };

    (void)state;
    assert_non_null(info.streams);
    media_info_fini(&info);
    assert_null(info.streams);
    assert_int_equal(info.stream_count, 0);
    media_info_fini(&info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_kind_name__kinds__have_words),
        cmocka_unit_test(media_turn_swaps__turns__are_told_from_mirrors),
        cmocka_unit_test(
            media_info_fini__filled__is_empty_and_may_be_finished_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
