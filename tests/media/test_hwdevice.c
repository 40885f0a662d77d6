#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "media/backend.h"
#include "media/hwdevice.h"
#include "support/machine.h"

#define UUID "GPU-00000000-7667-7075-0000-000000000001"

struct find {
    const char *uuid; // given
    int result;
    bool is_cuda;
    bool has_context;
    int entered;
    int64_t free;
    char id[16];
    char uuid_of[64];
    struct error error;
};

static void open_card(void *ret)
{
    struct find *f = ret;
    struct hwdevice *h;

    f->result = hwdevice_open(&h, "cuda:3", f->uuid, &f->error);
    if (f->result < 0)
        return;
    f->is_cuda = hwdevice_backend(h) == &backend_cuda;
    f->has_context = hwdevice_context(h) && hwdevice_ref(h);
    f->free = hwdevice_free_memory(h);
    f->entered = hwdevice_enter(h, &f->error);
    if (f->entered == 0)
        hwdevice_leave(h);
    (void)strcpy(f->id, hwdevice_id(h));
    (void)strcpy(f->uuid_of, hwdevice_uuid(h));
    hwdevice_preload();
    hwdevice_close(h);
    hwdevice_close(NULL);
}

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void open__card__has_a_context(void **state)
{
    struct find f = {.uuid = UUID};

    (void)state;
    machine_run(SETTINGS("context_vram=64", "foreign_vram=1024"), open_card, &f,
                sizeof(f));
    assert_int_equal(f.result, 0);
    assert_true(f.is_cuda);
    assert_true(f.has_context);
    assert_int_equal(f.entered, 0);
    assert_int_equal(f.free, (INT64_C(4096) - 1024 - 64) << 20);
    assert_string_equal(f.id, "cuda:3");
    assert_string_equal(f.uuid_of, UUID);
}

static void open__what_is_wrong__is_told(void **state)
{
    const struct {
        const char *uuid;
        const char *const *settings;
        int result;
        const char *words;
    } cases[] = {
        {"GPU-of-yesterday", NULL, -ENODEV, "no card GPU-of-yesterday"},
        {UUID, SETTINGS("foreign_vram=4090"), -ENOMEM,
         "no CUDA context on cuda:3: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct find f = {.uuid = cases[i].uuid};
        machine_run(cases[i].settings, open_card, &f, sizeof(f));
        print_message("%s\n", f.error.text);
        assert_int_equal(f.result, cases[i].result);
        assert_int_equal(f.error.code, cases[i].result);
        assert_non_null(strstr(f.error.text, cases[i].words));
    }
}

static void open__no_driver__fails_in_words(void **state)
{
    struct find f = {.uuid = UUID};

    (void)state;
    machine_run(SETTINGS("no_driver=1"), open_card, &f, sizeof(f));
    assert_true(f.result < 0);
    assert_true(f.error.text[0] != '\0');
}

/* The decoder that parses by itself, not NVIDIA's own. */
static void find_decoder__codecs__are_libavs_own(void **state)
{
    const AVCodec *h264 =
        hwdevice_find_decoder(AV_CODEC_ID_H264, AV_HWDEVICE_TYPE_CUDA);

    (void)state;
    assert_non_null(h264);
    assert_string_equal(h264->name, "h264");
    assert_null(hwdevice_find_decoder(AV_CODEC_ID_FLAC, AV_HWDEVICE_TYPE_CUDA));
    assert_null(
        hwdevice_find_decoder(AV_CODEC_ID_PRORES, AV_HWDEVICE_TYPE_CUDA));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open__card__has_a_context),
        cmocka_unit_test(open__what_is_wrong__is_told),
        cmocka_unit_test(open__no_driver__fails_in_words),
        cmocka_unit_test(find_decoder__codecs__are_libavs_own),
    };

    (void)argc;
    machine_enter(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
