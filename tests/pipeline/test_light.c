#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavutil/mastering_display_metadata.h>

#include "media/compat.h"
#include "pipeline/light.h"

static void light__of_a_frame__comes_to_the_stream(void **state)
{
    AVFormatContext *format = avformat_alloc_context();
    AVStream *st = avformat_new_stream(format, NULL);
    AVFrame *frame = av_frame_alloc();

    (void)state;
    assert_null(light_take(frame));
    assert_int_equal(light_give(st, NULL), 0);
    av_content_light_metadata_create_side_data(frame)->MaxCLL = 1000;
    av_mastering_display_metadata_create_side_data(frame)->has_luminance = 1;

    AVFrame *light = light_take(frame);
    av_frame_free(&frame); // it is a copy
    assert_non_null(light);
    assert_int_equal(light_give(st, light), 0);
    av_frame_free(&light);

    size_t size = 0;
    const void *data =
        compat_stream_side_data(st, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, &size);
    assert_int_equal(size, sizeof(AVContentLightMetadata));
    assert_int_equal(((const AVContentLightMetadata *)data)->MaxCLL, 1000);
    data = compat_stream_side_data(st, AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
                                   &size);
    assert_int_equal(size, sizeof(AVMasteringDisplayMetadata));
    assert_int_equal(((const AVMasteringDisplayMetadata *)data)->has_luminance,
                     1);
    avformat_free_context(format);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(light__of_a_frame__comes_to_the_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
