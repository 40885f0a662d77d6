#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/error.h"
#include "media/select.h"
#include "model/job.h"

static struct media_stream streams[] = {
    {.kind = MEDIA_VIDEO, .width = 3000, .height = 3000, .picture = true},
    {.kind = MEDIA_VIDEO, .width = 640, .height = 360},
    {.kind = MEDIA_VIDEO, .width = 1920, .height = 1080},
    {.kind = MEDIA_AUDIO, .channels = 2},
    {.kind = MEDIA_AUDIO, .channels = 6},
    {.kind = MEDIA_AUDIO, .channels = 6},
    {.kind = MEDIA_SUBTITLE, .text = true},
    {.kind = MEDIA_OTHER},
};

static const struct media_info info = {
    .streams = streams,
    .stream_count = sizeof(streams) / sizeof(streams[0]),
};

static void select_stream__job__takes_what_ffmpeg_takes(void **state)
{
    static const struct {
        enum media_kind kind;
        int64_t wanted;
        int preferred; // the stream that is marked as default, -1: none
        int expect;
    } cases[] = {
        {MEDIA_VIDEO, JOB_UNSET, -1, 2},
        {MEDIA_VIDEO, JOB_UNSET, 1, 1},
        {MEDIA_VIDEO, 1, 2, 1},
        {MEDIA_AUDIO, JOB_UNSET, -1, 4},
        {MEDIA_AUDIO, JOB_UNSET, 3, 3},
        {MEDIA_AUDIO, 5, -1, 5},
        {MEDIA_SUBTITLE, JOB_UNSET, -1, 6},
        {MEDIA_VIDEO, 0, -1, -EINVAL}, // a picture
        {MEDIA_VIDEO, 3, -1, -EINVAL}, // sound
        {MEDIA_AUDIO, 8, -1, -EINVAL}, // there is none
        {MEDIA_AUDIO, -7, -1, -EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        print_message("%s %d\n", media_kind_name(cases[i].kind),
                      (int)cases[i].wanted);
        if (cases[i].preferred >= 0)
            streams[cases[i].preferred].preferred = true;
        assert_int_equal(
            select_stream(&info, cases[i].kind, cases[i].wanted, &e),
            cases[i].expect);
        if (cases[i].preferred >= 0)
            streams[cases[i].preferred].preferred = false;
        assert_int_equal(*e.text != '\0', cases[i].expect < 0);
    }
}

static void select_stream__none_of_the_kind__says_so(void **state)
{
    struct media_info silent = {.streams = streams, .stream_count = 3};
    struct error e = {0};

    (void)state;
    assert_int_equal(select_stream(&silent, MEDIA_AUDIO, JOB_UNSET, &e),
                     -ENOENT);
    assert_string_equal(e.text, "the input has no audio stream");
}

static void select_cover__job__only_where_one_is_meant(void **state)
{
    const struct media_info song = {.streams = streams, .stream_count = 1};
    const struct media_info silent = {.streams = streams + 3,
                                      .stream_count = 1};
    static const struct {
        enum { FILM, SONG, SILENT } of;
        int64_t wanted;
        int expect;
    } cases[] = {
        {FILM, JOB_UNSET, -1}, // it has a video
        {FILM, 0, 0},          {FILM, 1, -1},           {SONG, JOB_UNSET, 0},
        {SONG, 0, 0},          {SILENT, JOB_UNSET, -1},
    };
    const struct media_info *const inputs[] = {&info, &song, &silent};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%d %d\n", (int)cases[i].of, (int)cases[i].wanted);
        assert_int_equal(select_cover(inputs[cases[i].of], cases[i].wanted),
                         cases[i].expect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(select_stream__job__takes_what_ffmpeg_takes),
        cmocka_unit_test(select_stream__none_of_the_kind__says_so),
        cmocka_unit_test(select_cover__job__only_where_one_is_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
