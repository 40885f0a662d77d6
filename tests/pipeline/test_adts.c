#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavformat/avformat.h>

#include "base/error.h"
#include "media/source.h"
#include "pipeline/adts.h"
#include "support/clip.h"
#include "support/folder.h"
#include "support/stand.h"

#define HEADER 7 // bytes

static char *folder;

static int make_clips(void **state)
{
    (void)state;
    av_log_set_level(AV_LOG_QUIET);
    folder = folder_create();
    clip_make(folder, "-f lavfi -i sine=duration=1 -c:a aac", "a.ts");
    clip_make(folder, "-i @/a.ts -c copy", "a.mp4");
    clip_make(folder, "-i @/a.ts -c:a mp2", "other.ts");
    return 0;
}

static int remove_clips(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static void adts_is_in__streams__are_told_apart(void **state)
{
    static const struct {
        const char *name;
        bool expect;
    } cases[] = {{"a.ts", true}, {"a.mp4", false}, {"other.ts", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct source *source = stand_open(folder, cases[i].name);
        print_message("%s\n", cases[i].name);
        assert_int_equal(adts_is_in(source_format(source)->streams[0]),
                         cases[i].expect);
        source_close(source);
    }
}

/* Only the header goes; the first packet brings what it said. */
static void adts_strip__packets__lose_their_headers(void **state)
{
    struct source *source = stand_open(folder, "a.ts");
    AVPacket *packet = av_packet_alloc();
    struct adts *adts = NULL;
    struct error e = {0};
    int count = 0;

    (void)state;
    assert_int_equal(adts_create(&adts, source_format(source)->streams[0], &e),
                     0);
    for (; source_read(source, packet, &e) > 0; count++) {
        int size = packet->size;
        int64_t pts = packet->pts;
        assert_int_equal(packet->data[0], 0xff);
        uint8_t first = packet->data[HEADER];
        assert_int_equal(adts_strip(adts, packet), 0);
        assert_int_equal(packet->size, size - HEADER);
        assert_int_equal(packet->data[0], first);
        assert_int_equal(packet->pts, pts);
        size_t said = 0;
        (void)av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, &said);
        assert_int_equal(said, count ? 0 : 2);
        av_packet_unref(packet);
    }
    assert_true(count > 40);
    av_packet_free(&packet);
    adts_destroy(adts);
    source_close(source);
}

static void adts_strip__no_header__is_an_error(void **state)
{
    struct source *source = stand_open(folder, "a.ts");
    AVPacket *packet = av_packet_alloc();
    struct adts *adts = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(adts_create(&adts, source_format(source)->streams[0], &e),
                     0);
    assert_int_equal(av_new_packet(packet, 3), 0);
    assert_true(adts_strip(adts, packet) < 0);
    av_packet_free(&packet);
    adts_destroy(adts);
    adts_destroy(NULL);
    source_close(source);
}

static void adts_create__other_codec__is_refused(void **state)
{
    struct source *source = stand_open(folder, "other.ts");
    struct adts *adts = NULL;
    struct error e = {0};

    (void)state;
    assert_true(adts_create(&adts, source_format(source)->streams[0], &e) < 0);
    assert_null(adts);
    assert_string_not_equal(e.text, "");
    source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adts_is_in__streams__are_told_apart),
        cmocka_unit_test(adts_strip__packets__lose_their_headers),
        cmocka_unit_test(adts_strip__no_header__is_an_error),
        cmocka_unit_test(adts_create__other_codec__is_refused),
    };

    return cmocka_run_group_tests(tests, make_clips, remove_clips);
}
