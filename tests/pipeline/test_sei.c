#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/mastering_display_metadata.h>

#include "pipeline/sei.h"

#define DELIMITER "\0\0\0\1\x46\1\x50"
#define SEQUENCE  "\0\0\0\1\x42\1\xaa\xbb"
#define REMARK    "\0\0\1\x4e\1\5\1\xcc\x80" // a message of another kind
#define PICTURE   "\0\0\1\x26\1\xde\xad\xbe\xef"
// 1000 and 0 cd/m²: a byte of 3 keeps the zeros from being a start code
#define CONTENT "\0\0\0\1\x4e\1\x90\4\3\xe8\0\0\x80"
// P3 in units of 0.00002, 1000 to 0.0001 cd/m²
#define DISPLAY \
    "\0\0\0\1\x4e\1\x89\x18\x33\xc2\x86\xc4\x1d\x4c\x0b\xb8\x84\xd0\x3e\x80" \
    "\x3d\x13\x40\x42\0\x98\x96\x80\0\0\3\0\1\x80"

#define BYTES(text) \
    { \
        text, sizeof(text) - 1, \
    }

struct bytes {
    const char *data;
    size_t size;
};

static AVPacket *packet_of(const struct bytes *bytes)
{
    AVPacket *packet = av_packet_alloc();

    assert_int_equal(av_new_packet(packet, (int)bytes->size), 0);
    memcpy(packet->data, bytes->data, bytes->size);
    packet->pts = 7;
    packet->flags = AV_PKT_FLAG_KEY;
    return packet;
}

static void add_content(AVFrame *light)
{
    av_content_light_metadata_create_side_data(light)->MaxCLL = 1000;
}

static AVMasteringDisplayMetadata *add_display(AVFrame *light)
{
    static const int primaries[3][2] = {
        {34000, 16000}, {13250, 34500}, {7500, 3000}}; // red, green, blue
    AVMasteringDisplayMetadata *m =
        av_mastering_display_metadata_create_side_data(light);

    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 2; k++)
            m->display_primaries[i][k] = (AVRational){primaries[i][k], 50000};
    }
    m->white_point[0] = (AVRational){15635, 50000};
    m->white_point[1] = (AVRational){16450, 50000};
    m->max_luminance = (AVRational){1000, 1};
    m->min_luminance = (AVRational){1, 10000};
    m->has_primaries = m->has_luminance = 1;
    return m;
}

static void insert(const struct bytes *in, const AVFrame *light,
                   const struct bytes *expect)
{
    AVPacket *packet = packet_of(in);

    assert_int_equal(sei_insert(packet, light), 0);
    assert_int_equal(packet->size, expect->size);
    assert_memory_equal(packet->data, expect->data, expect->size);
    assert_int_equal(packet->pts, 7);
    assert_int_equal(packet->flags, AV_PKT_FLAG_KEY);
    av_packet_free(&packet);
}

static void light__comes_in_front_of_the_picture__once(void **state)
{
    static const struct {
        struct bytes in;
        struct bytes expect;
    } cases[] = {
        {BYTES(PICTURE), BYTES(CONTENT PICTURE)},
        {BYTES("\0" PICTURE), BYTES(CONTENT "\0" PICTURE)},
        {BYTES(DELIMITER SEQUENCE REMARK PICTURE PICTURE),
         BYTES(DELIMITER SEQUENCE REMARK CONTENT PICTURE PICTURE)},
        // by an encoder that knows how
        {BYTES(SEQUENCE CONTENT PICTURE), BYTES(SEQUENCE CONTENT PICTURE)},
        {BYTES(SEQUENCE DISPLAY PICTURE), BYTES(SEQUENCE DISPLAY PICTURE)},
        // nothing that we know
        {BYTES(SEQUENCE), BYTES(SEQUENCE)},
        {BYTES("\0\0\1"), BYTES("\0\0\1")},
        {BYTES("noise"), BYTES("noise")},
        {BYTES(""), BYTES("")},
    };
    AVFrame *light = av_frame_alloc();

    (void)state;
    add_content(light);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("case %zu\n", i);
        insert(&cases[i].in, light, &cases[i].expect);
    }
    av_frame_free(&light);
}

static void display__is_said_whole_or_not_at_all(void **state)
{
    static const struct bytes picture = BYTES(PICTURE);
    static const struct bytes both = BYTES(DISPLAY CONTENT PICTURE);
    static const struct bytes one = BYTES(CONTENT PICTURE);
    AVFrame *light = av_frame_alloc();

    (void)state;
    AVMasteringDisplayMetadata *m = add_display(light);
    add_content(light);
    insert(&picture, light, &both);
    m->has_primaries = 0;
    insert(&picture, light, &one);
    m->has_primaries = 1;
    m->has_luminance = 0;
    insert(&picture, light, &one);
    av_frame_free(&light);
}

static void what_is_out_of_range__is_the_most_that_can_be_said(void **state)
{
    static const struct bytes picture = BYTES(PICTURE);
    static const struct bytes most =
        BYTES("\0\0\0\1\x4e\1\x90\4\xff\xff\xff\xff\x80" PICTURE);
    AVFrame *light = av_frame_alloc();

    (void)state;
    AVContentLightMetadata *c =
        av_content_light_metadata_create_side_data(light);
    c->MaxCLL = 70000;
    c->MaxFALL = 65535;
    insert(&picture, light, &most);
    av_frame_free(&light);
}

static void no_light__nothing_is_said(void **state)
{
    static const struct bytes picture = BYTES(PICTURE);
    AVFrame *light = av_frame_alloc();

    (void)state;
    insert(&picture, NULL, &picture);
    insert(&picture, light, &picture);
    av_frame_free(&light);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(light__comes_in_front_of_the_picture__once),
        cmocka_unit_test(display__is_said_whole_or_not_at_all),
        cmocka_unit_test(what_is_out_of_range__is_the_most_that_can_be_said),
        cmocka_unit_test(no_light__nothing_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
