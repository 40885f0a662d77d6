#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "media/hwdevice.h"
#include "media/nvenc_caps.h"
#include "support/machine.h"

#define UUID "GPU-00000000-7667-7075-0000-000000000001"

struct find {
    int result;
    struct nvenc_caps caps[NVENC_CODEC_COUNT];
    char api[16];
    struct error error;
};

static void read_caps(void *ret)
{
    struct find *f = ret;
    struct hwdevice *h;

    memset(f->caps, 0xff, sizeof(f->caps)); // all of it is to be written
    nvenc_caps_api(f->api, sizeof(f->api));
    f->result = hwdevice_open(&h, "cuda:0", UUID, &f->error);
    if (f->result < 0 || (f->result = hwdevice_enter(h, &f->error)) < 0)
        return;
    f->result = nvenc_caps_read(f->caps, hwdevice_context(h), &f->error);
    hwdevice_leave(h);
    hwdevice_close(h);
}

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void read__p1000__by_codec(void **state)
{
    struct find f = {0};

    (void)state;
    machine_run(NULL, read_caps, &f, sizeof(f));
    assert_int_equal(f.result, 0);
    assert_string_equal(f.api, "11.1");
    const struct nvenc_caps *h264 = &f.caps[NVENC_H264];
    assert_true(h264->is_there);
    assert_int_equal(h264->b_frames, 4);
    assert_int_equal(h264->width, 4096);
    assert_int_equal(h264->height, 4096);
    assert_int_equal(h264->least_width, 33);
    assert_int_equal(h264->least_height, 17);
    assert_int_equal(h264->ten_bit, 0);
    const struct nvenc_caps *hevc = &f.caps[NVENC_HEVC];
    assert_true(hevc->is_there);
    assert_int_equal(hevc->b_frames, 0);
    assert_int_equal(hevc->width, 8192);
    assert_int_equal(hevc->ten_bit, 1);
    // a codec that the card does not know
    static const struct nvenc_caps nothing;
    assert_memory_equal(&f.caps[NVENC_AV1], &nothing, sizeof(nothing));
}

static void read__other_cards__say_other_things(void **state)
{
    struct find f = {0};

    (void)state;
    machine_run(SETTINGS("hevc_b_frames=3", "b_ref_mode=2", "h264_10bit=1",
                         "hevc_temporal_aq=1", "h264_width=2048",
                         "h264_height=1024", "nvenc_version=12.0"),
                read_caps, &f, sizeof(f));
    assert_int_equal(f.result, 0);
    assert_string_equal(f.api, "12.0");
    assert_int_equal(f.caps[NVENC_HEVC].b_frames, 3);
    assert_int_equal(f.caps[NVENC_H264].b_frame_refs, 2);
    assert_int_equal(f.caps[NVENC_HEVC].temporal_aq, 1);
    assert_int_equal(f.caps[NVENC_H264].ten_bit, 1);
    assert_int_equal(f.caps[NVENC_H264].width, 2048);
    assert_int_equal(f.caps[NVENC_H264].height, 1024);
}

static void read__session_that_is_not_granted__says_why(void **state)
{
    const struct {
        const char *const *settings;
        int result;
        const char *words;
    } cases[] = {
        {SETTINGS("foreign_sessions=3"), -EBUSY,
         "no encoder session is free (10)"},
        {SETTINGS("foreign_sessions=3", "session_error=21"), -EBUSY,
         "no encoder session is free (21)"},
        {SETTINGS("no_encoder=1"), -ENOENT, "the card has no encoder"},
        {SETTINGS("open_error=20"), -EIO, "NVENC answers with error 20"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct find f = {0};
        machine_run(cases[i].settings, read_caps, &f, sizeof(f));
        print_message("%d: %s\n", f.result, f.error.text);
        assert_int_equal(f.result, cases[i].result);
        assert_non_null(strstr(f.error.text, cases[i].words));
        assert_false(f.caps[NVENC_H264].is_there);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__p1000__by_codec),
        cmocka_unit_test(read__other_cards__say_other_things),
        cmocka_unit_test(read__session_that_is_not_granted__says_why),
    };

    (void)argc;
    machine_enter(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
