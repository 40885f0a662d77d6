#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavutil/pixdesc.h>
#include <stdio.h>

#include "media/chain.h"
#include "media/plan.h"

#define CPU  &backend_cpu
#define CUDA &backend_cuda

/* Pictures of 640x360 to @format; who decodes, scales and encodes. */
static struct plan_video video(enum AVPixelFormat format,
                               const struct backend *decode,
                               const struct backend *scale,
                               const struct backend *encode)
{
    return (struct plan_video){
        .width = 640,
        .height = 360,
        .format = format,
        .by = {[OP_DECODE] = decode,
               [OP_TURN] = CPU,
               [OP_RATE] = CPU,
               [OP_SCALE] = scale,
               [OP_ENCODE] = encode},
    };
}

static void check(const struct plan_video *v, enum memory memory,
                  enum AVPixelFormat format, int width, int height,
                  const char *expect)
{
    const struct chain_picture from = {memory, format, width, height, false};
    struct chain chain;
    char text[1024];

    print_message("%s %dx%d: %s\n", av_get_pix_fmt_name(format), width, height,
                  expect);
    chain_make(&chain, v, &from);
    chain_describe(&chain, text, sizeof(text));
    assert_string_equal(text, expect);
}

#define SCALE_CUDA(format) \
    "scale_cuda=640:360:format=" format \
    ":interp_algo=bicubic:param=0.6:passthrough=0"

static void chain_make__on_one_device__transfers_nothing(void **state)
{
    struct plan_video v = video(AV_PIX_FMT_NV12, CUDA, CUDA, CUDA);

    (void)state;
    check(&v, MEMORY_CUDA, AV_PIX_FMT_NV12, 1280, 720, SCALE_CUDA("nv12"));
    check(&v, MEMORY_CUDA, AV_PIX_FMT_P010, 1280, 720, SCALE_CUDA("nv12"));
    // out of the decoder's pool also where nothing changes
    check(&v, MEMORY_CUDA, AV_PIX_FMT_NV12, 640, 360, SCALE_CUDA("nv12"));
    v = video(AV_PIX_FMT_YUV420P, CPU, CPU, CPU);
    check(&v, MEMORY_SYSTEM, AV_PIX_FMT_YUV420P, 640, 360, "null");
    check(&v, MEMORY_SYSTEM, AV_PIX_FMT_YUVJ420P, 640, 360, "null");
    check(&v, MEMORY_SYSTEM, AV_PIX_FMT_YUV420P, 1280, 720,
          "scale=640:360:flags=bicubic,format=yuv420p");
    v.fixed_rate = (AVRational){25, 1};
    check(&v, MEMORY_SYSTEM, AV_PIX_FMT_YUV420P, 640, 360, "fps=25/1");
}

static void chain_make__neighbours_apart__transfers_once(void **state)
{
    struct plan_video v = video(AV_PIX_FMT_YUV420P, CUDA, CUDA, CPU);

    (void)state;
    check(&v, MEMORY_CUDA, AV_PIX_FMT_NV12, 1280, 720,
          SCALE_CUDA("yuv420p") ",hwdownload,format=yuv420p");
    // to what the device's filters do not know, behind the transfer
    v = video(AV_PIX_FMT_YUV420P10, CUDA, CUDA, CPU);
    check(&v, MEMORY_CUDA, AV_PIX_FMT_P010, 640, 360,
          "hwdownload,format=p010le,"
          "scale=640:360:flags=bicubic,format=yuv420p10le");
    v = video(AV_PIX_FMT_YUV422P10, CUDA, CPU, CPU);
    check(&v, MEMORY_CUDA, AV_PIX_FMT_NV12, 640, 360,
          "hwdownload,format=nv12,"
          "scale=640:360:flags=bicubic,format=yuv422p10le");
    v = video(AV_PIX_FMT_NV12, CPU, CUDA, CUDA);
    check(&v, MEMORY_SYSTEM, AV_PIX_FMT_YUV420P, 1280, 720,
          "hwupload," SCALE_CUDA("nv12"));
    check(&v, MEMORY_SYSTEM, AV_PIX_FMT_NV12, 640, 360, "hwupload");
    check(&v, MEMORY_SYSTEM, AV_PIX_FMT_YUV420P10, 640, 360,
          "format=p010le,hwupload," SCALE_CUDA("nv12"));
    check(&v, MEMORY_SYSTEM, AV_PIX_FMT_YUV422P, 640, 360,
          "format=nv12,hwupload");
    // without a filter of the device's
    v = video(AV_PIX_FMT_NV12, CUDA, CPU, CUDA);
    check(&v, MEMORY_CUDA, AV_PIX_FMT_NV12, 1280, 720,
          "hwdownload,format=nv12,"
          "scale=640:360:flags=bicubic,format=nv12,hwupload");
}

static void chain_make__turns__are_the_cpus(void **state)
{
    struct plan_video v = video(AV_PIX_FMT_NV12, CUDA, CUDA, CUDA);

    (void)state;
    v.turn = MEDIA_CLOCK;
    check(&v, MEMORY_CUDA, AV_PIX_FMT_NV12, 360, 640,
          "hwdownload,format=nv12,transpose=clock,hwupload");
    check(
        &v, MEMORY_CUDA, AV_PIX_FMT_NV12, 720, 1280,
        "hwdownload,format=nv12,transpose=clock,hwupload," SCALE_CUDA("nv12"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_make__on_one_device__transfers_nothing),
        cmocka_unit_test(chain_make__neighbours_apart__transfers_once),
        cmocka_unit_test(chain_make__turns__are_the_cpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
