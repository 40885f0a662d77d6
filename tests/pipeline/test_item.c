#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavutil/buffer.h>

#include "pipeline/item.h"

static const AVRational base = {1, 90000};

static AVPacket *make_packet(void)
{
    AVPacket *packet = av_packet_alloc();

    assert_non_null(packet);
    assert_int_equal(av_new_packet(packet, 16), 0);
    packet->pts = 7;
    return packet;
}

static AVFrame *make_frame(void)
{
    AVFrame *frame = av_frame_alloc();

    assert_non_null(frame);
    frame->format = AV_PIX_FMT_GRAY8;
    frame->width = frame->height = 16;
    assert_int_equal(av_frame_get_buffer(frame, 0), 0);
    frame->pts = 9;
    return frame;
}

static void item__taken__gives_what_was_put_in(void **state)
{
    AVPacket *packet = make_packet();
    AVFrame *frame = make_frame();

    (void)state;
    struct item *item = item_packet(packet, base);
    assert_int_equal(item->kind, ITEM_PACKET);
    assert_int_equal(item->track, 0);
    assert_int_equal(av_cmp_q(item->time_base, base), 0);
    assert_ptr_equal(item_take_packet(item), packet);
    item = item_frame(frame, base);
    assert_int_equal(item->kind, ITEM_FRAME);
    assert_int_equal(av_cmp_q(item->time_base, base), 0);
    assert_ptr_equal(item_take_frame(item), frame);
    av_packet_free(&packet);
    av_frame_free(&frame);
}

static void item_format__parameters__come_with_their_rate(void **state)
{
    AVCodecParameters *parameters = avcodec_parameters_alloc();

    (void)state;
    struct item *item = item_format(parameters, base, (AVRational){25, 1});
    assert_int_equal(item->kind, ITEM_FORMAT);
    assert_ptr_equal(item->format.parameters, parameters);
    assert_int_equal(item->format.frame_rate.num, 25);
    assert_int_equal(av_cmp_q(item->time_base, base), 0);
    item_destroy(item);
}

static void item_clone__packet__refers_to_the_same_data(void **state)
{
    struct item *item = item_packet(make_packet(), base);

    (void)state;
    struct item *copy = item_clone(item);
    assert_ptr_not_equal(copy->packet, item->packet);
    assert_ptr_equal(copy->packet->data, item->packet->data);
    assert_int_equal(av_buffer_get_ref_count(item->packet->buf), 2);
    assert_int_equal(copy->packet->pts, 7);
    assert_int_equal(copy->kind, ITEM_PACKET);
    assert_int_equal(av_cmp_q(copy->time_base, base), 0);
    item_destroy(item);
    assert_int_equal(av_buffer_get_ref_count(copy->packet->buf), 1);
    item_destroy(copy);
}

static void item_clone__frame__refers_to_the_same_data(void **state)
{
    struct item *item = item_frame(make_frame(), base);

    (void)state;
    struct item *copy = item_clone(item);
    assert_ptr_not_equal(copy->frame, item->frame);
    assert_ptr_equal(copy->frame->data[0], item->frame->data[0]);
    assert_int_equal(copy->frame->pts, 9);
    assert_int_equal(copy->kind, ITEM_FRAME);
    item_destroy(copy);
    assert_true(av_frame_is_writable(item->frame));
    item_destroy(item);
}

static void item_destroy__nothing__is_allowed(void **state)
{
    (void)state;
    item_destroy(NULL);
    item_destroy(item_packet(NULL, base));
    item_destroy(item_frame(NULL, base));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(item__taken__gives_what_was_put_in),
        cmocka_unit_test(item_format__parameters__come_with_their_rate),
        cmocka_unit_test(item_clone__packet__refers_to_the_same_data),
        cmocka_unit_test(item_clone__frame__refers_to_the_same_data),
        cmocka_unit_test(item_destroy__nothing__is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
