#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/hwcontext.h>

#include "base/error.h"
#include "media/hwdevice.h"
#include "media/source.h"
#include "pipeline/pool.h"
#include "support/clip.h"
#include "support/folder.h"
#include "support/machine.h"
#include "support/stand.h"

#define UUID   "GPU-00000000-7667-7075-0000-000000000001"
#define WIDTH  128
#define HEIGHT 96

static char *folder;

static struct hwdevice *open_device(void)
{
    struct hwdevice *h = NULL;
    struct error e = {0};

    assert_int_equal(hwdevice_open(&h, "cuda:0", UUID, &e), 0);
    return h;
}

static AVBufferRef *make_pool(const struct hwdevice *h, int width, int height)
{
    AVBufferRef *ref = av_hwframe_ctx_alloc(hwdevice_ref(h));

    assert_non_null(ref);
    AVHWFramesContext *frames = (AVHWFramesContext *)(void *)ref->data;
    frames->format = AV_PIX_FMT_CUDA;
    frames->sw_format = AV_PIX_FMT_NV12;
    frames->width = width;
    frames->height = height;
    assert_int_equal(av_hwframe_ctx_init(ref), 0);
    return ref;
}

static AVFrame *make_picture(int luma)
{
    AVFrame *frame = av_frame_alloc();

    assert_non_null(frame);
    frame->format = AV_PIX_FMT_NV12;
    frame->width = WIDTH;
    frame->height = HEIGHT;
    assert_int_equal(av_frame_get_buffer(frame, 0), 0);
    memset(frame->data[0], luma, (size_t)frame->linesize[0] * HEIGHT);
    memset(frame->data[1], 128, (size_t)frame->linesize[1] * HEIGHT / 2);
    return frame;
}

static AVFrame *upload(AVBufferRef *pool, int luma)
{
    AVFrame *picture = make_picture(luma);
    AVFrame *frame = av_frame_alloc();

    assert_non_null(frame);
    assert_int_equal(av_hwframe_get_buffer(pool, frame, 0), 0);
    frame->width = WIDTH;
    frame->height = HEIGHT;
    frame->pts = 4711;
    assert_int_equal(av_hwframe_transfer_data(frame, picture, 0), 0);
    av_frame_free(&picture);
    return frame;
}

/* The first sample of it, as the CPU sees it. */
static int look_at(const AVFrame *frame)
{
    AVFrame *picture = av_frame_alloc();

    assert_non_null(picture);
    assert_int_equal(av_hwframe_transfer_data(picture, frame, 0), 0);
    int luma = picture->data[0][0];
    av_frame_free(&picture);
    return luma;
}

struct adoption {
    int width; // given: of the pool that adopts
    int height;
    int result;
    bool is_of_pool;
    bool stayed; // when it was adopted once more
    int luma;
    int frame_width;
    int frame_height;
    int64_t pts;
    struct error error;
};

static void adopt(void *ret)
{
    struct adoption *a = ret;
    struct hwdevice *h = open_device();
    AVBufferRef *from = make_pool(h, WIDTH, HEIGHT);
    AVBufferRef *pool = make_pool(h, a->width, a->height);
    AVFrame *frame = upload(from, 77);

    a->result = pool_adopt(pool, frame, &a->error);
    a->is_of_pool = frame->hw_frames_ctx->data == pool->data;
    a->luma = look_at(frame);
    a->frame_width = frame->width;
    a->frame_height = frame->height;
    a->pts = frame->pts;
    const uint8_t *place = frame->data[0];
    a->stayed = a->result == 0 && pool_adopt(pool, frame, NULL) == 0 &&
                frame->data[0] == place;
    av_frame_free(&frame);
    av_buffer_unref(&from);
    av_buffer_unref(&pool);
    hwdevice_close(h);
}

static void adopt__picture_of_another_pool__is_copied(void **state)
{
    struct adoption a = {.width = WIDTH, .height = HEIGHT};

    (void)state;
    machine_run(NULL, adopt, &a, sizeof(a));
    assert_int_equal(a.result, 0);
    assert_true(a.is_of_pool);
    assert_true(a.stayed);
    assert_int_equal(a.luma, 77);
    assert_int_equal(a.frame_width, WIDTH);
    assert_int_equal(a.frame_height, HEIGHT);
    assert_int_equal(a.pts, 4711);
}

/* Pools are as large as codecs want them, and pictures smaller. */
static void adopt__larger_pool__keeps_what_is_shown(void **state)
{
    struct adoption a = {.width = WIDTH + 16, .height = HEIGHT + 32};

    (void)state;
    machine_run(NULL, adopt, &a, sizeof(a));
    assert_int_equal(a.result, 0);
    assert_true(a.is_of_pool);
    assert_int_equal(a.luma, 77);
    assert_int_equal(a.frame_width, WIDTH);
    assert_int_equal(a.frame_height, HEIGHT);
}

static void adopt__no_memory_for_it__leaves_the_picture(void **state)
{
    static const char *const settings[] = {"vram=128", NULL};
    struct adoption a = {.width = 8192, .height = 8192};

    (void)state;
    machine_run(settings, adopt, &a, sizeof(a));
    print_message("%s\n", a.error.text);
    assert_true(a.result < 0);
    assert_int_equal(a.error.code, a.result);
    assert_memory_equal(a.error.text, "cannot copy a picture", 21);
    assert_false(a.is_of_pool);
    assert_int_equal(a.luma, 77);
    assert_int_equal(a.pts, 4711);
}

/* A decoder whose surfaces are lent, as far as it asks for them. */
struct loan {
    int kept; // given
    int result;
    int surfaces;
    const struct hwdevice *device;
};

static enum AVPixelFormat borrow(AVCodecContext *codec,
                                 const enum AVPixelFormat *offered)
{
    struct loan *l = codec->opaque;

    (void)offered;
    l->result = pool_lend(codec, l->device, l->kept);
    if (l->result == 0)
        l->surfaces = ((AVHWFramesContext *)(void *)codec->hw_frames_ctx->data)
                          ->initial_pool_size;
    return l->result < 0 ? AV_PIX_FMT_NONE : AV_PIX_FMT_CUDA;
}

static void lend(void *ret)
{
    struct loan *l = ret;
    struct hwdevice *h = open_device();
    struct source *source = stand_open(folder, "a.mp4");
    AVCodecContext *codec = avcodec_alloc_context3(
        hwdevice_find_decoder(AV_CODEC_ID_H264, AV_HWDEVICE_TYPE_CUDA));
    AVPacket *packet = av_packet_alloc();
    struct error e = {0};

    l->device = h;
    l->result = -EAGAIN; // it has not asked yet
    codec->opaque = l;
    codec->get_format = borrow;
    codec->thread_count = 1;
    codec->hw_device_ctx = av_buffer_ref(hwdevice_ref(h));
    assert_int_equal(avcodec_parameters_to_context(
                         codec, source_format(source)->streams[0]->codecpar),
                     0);
    assert_int_equal(avcodec_open2(codec, codec->codec, NULL), 0);
    while (l->result == -EAGAIN && source_read(source, packet, &e) > 0) {
        (void)avcodec_send_packet(codec, packet);
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    avcodec_free_context(&codec);
    source_close(source);
    hwdevice_close(h);
}

static void lend__what_others_keep__is_added(void **state)
{
    struct loan none = {.kept = 0};
    struct loan two = {.kept = 2};

    (void)state;
    machine_run(NULL, lend, &none, sizeof(none));
    machine_run(NULL, lend, &two, sizeof(two));
    assert_int_equal(none.result, 0);
    assert_int_equal(two.result, 0);
    print_message("%d and %d\n", none.surfaces, two.surfaces);
    assert_true(none.surfaces > 0);
    assert_int_equal(two.surfaces, none.surfaces + 2);
}

static int make_clip(void **state)
{
    (void)state;
    folder = folder_create();
    clip_make(folder,
              "-f lavfi -i testsrc2=size=128x96:rate=25:duration=0.4 "
              "-c:v libx264 -preset ultrafast -pix_fmt yuv420p",
              "a.mp4");
    return 0;
}

static int remove_clip(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adopt__picture_of_another_pool__is_copied),
        cmocka_unit_test(adopt__larger_pool__keeps_what_is_shown),
        cmocka_unit_test(adopt__no_memory_for_it__leaves_the_picture),
        cmocka_unit_test(lend__what_others_keep__is_added),
    };

    (void)argc;
    machine_enter(argv);
    return cmocka_run_group_tests(tests, make_clip, remove_clip);
}
