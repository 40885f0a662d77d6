#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/display.h>

#include "base/error.h"
#include "media/compat.h"
#include "media/inspect.h"
#include "model/limits.h"

#define MOV "mov,mp4,m4a,3gp,3g2,mj2"
#define MKV "matroska,webm"

/* As if @demuxer had opened an input: what the module looks at. */
static AVFormatContext *pretend(const char *demuxer)
{
    AVFormatContext *format = avformat_alloc_context();

    assert_non_null(format);
    format->iformat = av_find_input_format(demuxer);
    assert_non_null(format->iformat);
    return format;
}

static AVStream *add(AVFormatContext *format, enum AVMediaType type,
                     enum AVCodecID codec)
{
    AVStream *st = avformat_new_stream(format, NULL);

    assert_non_null(st);
    st->codecpar->codec_type = type;
    st->codecpar->codec_id = codec;
    return st;
}

/* Give @st a decoder's record of @size bytes, all 0 but for one. */
static void set_record(AVStream *st, int size, int at, uint8_t byte)
{
    av_freep(&st->codecpar->extradata);
    st->codecpar->extradata =
        av_mallocz((size_t)size + AV_INPUT_BUFFER_PADDING_SIZE);
    assert_non_null(st->codecpar->extradata);
    st->codecpar->extradata_size = size;
    st->codecpar->extradata[at] = byte;
}

static AVStream *add_video(AVFormatContext *format)
{
    AVStream *st = add(format, AVMEDIA_TYPE_VIDEO, AV_CODEC_ID_H264);

    st->codecpar->width = 640;
    st->codecpar->height = 360;
    st->avg_frame_rate = (AVRational){25, 1};
    set_record(st, 7, 1, 100); // avcC: High
    return st;
}

static AVStream *add_sound(AVFormatContext *format)
{
    AVStream *st = add(format, AVMEDIA_TYPE_AUDIO, AV_CODEC_ID_AAC);

    st->codecpar->sample_rate = 48000;
    av_channel_layout_default(&st->codecpar->ch_layout, 6);
    return st;
}

/* The description of the only stream; frees @format. */
static struct media_stream first(AVFormatContext *format)
{
    struct media_info info;

    inspect_format(&info, format);
    struct media_stream st = info.streams[0];
    media_info_fini(&info);
    avformat_free_context(format);
    return st;
}

static void inspect_format__file__is_described(void **state)
{
    AVFormatContext *format = pretend("mov");
    struct media_info info;

    (void)state;
    add_video(format)->disposition = AV_DISPOSITION_DEFAULT;
    add_sound(format);
    format->duration = 1234567;
    inspect_format(&info, format);
    assert_string_equal(info.format, MOV);
    assert_false(info.image);
    assert_int_equal(info.start, 0);
    assert_int_equal(info.duration, 1234567);
    assert_int_equal(info.stream_count, 2);
    assert_int_equal(info.streams[0].width, 640);
    assert_int_equal(info.streams[0].height, 360);
    assert_true(info.streams[0].preferred);
    assert_false(info.streams[1].preferred);
    assert_int_equal(info.streams[1].channels, 6);
    assert_int_equal(info.streams[1].sample_rate, 48000);
    media_info_fini(&info);
    avformat_free_context(format);
}

static void inspect_format__duration__is_known_or_minus_1(void **state)
{
    static const struct {
        int64_t duration;
        int64_t expect;
    } cases[] = {{AV_NOPTS_VALUE, -1}, {0, -1}, {-5, -1}, {1, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        struct media_info info;
        format->duration = cases[i].duration;
        inspect_format(&info, format);
        assert_int_equal(info.duration, cases[i].expect);
        assert_int_equal(info.stream_count, 0);
        media_info_fini(&info);
        avformat_free_context(format);
    }
}

static void inspect_format__duration_of_streams__is_the_longest(void **state)
{
    static const struct {
        int64_t whole;  // µs
        int64_t first;  // in 1/1000 s
        int64_t second; // in 1/90000 s
        int64_t expect; // µs
    } cases[] = {
        {AV_NOPTS_VALUE, 2000, 270000, 3000000},
        {AV_NOPTS_VALUE, 4000, 270000, 4000000},
        {AV_NOPTS_VALUE, AV_NOPTS_VALUE, 90000, 1000000},
        {AV_NOPTS_VALUE, AV_NOPTS_VALUE, 0, -1},
        {1500000, 2000, 270000, 1500000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        AVStream *a = add(format, AVMEDIA_TYPE_VIDEO, AV_CODEC_ID_H264);
        AVStream *b = add(format, AVMEDIA_TYPE_AUDIO, AV_CODEC_ID_AAC);
        struct media_info info;
        a->time_base = (AVRational){1, 1000};
        a->duration = cases[i].first;
        b->time_base = (AVRational){1, 90000};
        b->duration = cases[i].second;
        format->duration = cases[i].whole;
        inspect_format(&info, format);
        assert_int_equal(info.duration, cases[i].expect);
        media_info_fini(&info);
        avformat_free_context(format);
    }
}

static void inspect_format__demuxers__are_images_or_not(void **state)
{
    static const struct {
        const char *demuxer;
        bool expect;
    } cases[] = {{"image2", true}, {"png_pipe", true}, {"jpeg_pipe", true},
                 {"mov", false},   {"mpegts", false},  {"h264", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend(cases[i].demuxer);
        struct media_info info;
        print_message("%s\n", cases[i].demuxer);
        inspect_format(&info, format);
        assert_int_equal(info.image, cases[i].expect);
        media_info_fini(&info);
        avformat_free_context(format);
    }
}

static void inspect_format__codecs__have_a_kind(void **state)
{
    static const struct {
        enum AVMediaType type;
        enum AVCodecID codec;
        enum media_kind kind;
        bool decodable;
        bool text;
    } cases[] = {
        {AVMEDIA_TYPE_VIDEO, AV_CODEC_ID_H264, MEDIA_VIDEO, true, false},
        {AVMEDIA_TYPE_AUDIO, AV_CODEC_ID_AAC, MEDIA_AUDIO, true, false},
        {AVMEDIA_TYPE_AUDIO, AV_CODEC_ID_NONE, MEDIA_AUDIO, false, false},
        {AVMEDIA_TYPE_SUBTITLE, AV_CODEC_ID_SUBRIP, MEDIA_SUBTITLE, true, true},
        {AVMEDIA_TYPE_SUBTITLE, AV_CODEC_ID_ASS, MEDIA_SUBTITLE, true, true},
        {AVMEDIA_TYPE_SUBTITLE, AV_CODEC_ID_HDMV_PGS_SUBTITLE, MEDIA_SUBTITLE,
         true, false},
        {AVMEDIA_TYPE_DATA, AV_CODEC_ID_SUBRIP, MEDIA_OTHER, true, false},
        {AVMEDIA_TYPE_ATTACHMENT, AV_CODEC_ID_TTF, MEDIA_OTHER, false, false},
        {AVMEDIA_TYPE_UNKNOWN, AV_CODEC_ID_NONE, MEDIA_OTHER, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        print_message("%s\n", avcodec_get_name(cases[i].codec));
        add(format, cases[i].type, cases[i].codec);
        struct media_stream st = first(format);
        assert_int_equal(st.kind, cases[i].kind);
        assert_int_equal(st.codec, cases[i].codec);
        assert_int_equal(st.decodable, cases[i].decodable);
        assert_int_equal(st.text, cases[i].text);
    }
}

static void inspect_format__pixel_format__says_the_depth(void **state)
{
    static const struct {
        enum AVPixelFormat format;
        int depth;
    } cases[] = {{AV_PIX_FMT_YUV420P, 8},
                 {AV_PIX_FMT_YUV420P10, 10},
                 {AV_PIX_FMT_YUV422P12, 12},
                 {AV_PIX_FMT_NONE, 8}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        add_video(format)->codecpar->format = cases[i].format;
        struct media_stream st = first(format);
        assert_int_equal(st.format, cases[i].format);
        assert_int_equal(st.depth, cases[i].depth);
    }
}

/* The format of sound is no format of pictures. */
static void inspect_format__sound__has_no_pixels(void **state)
{
    AVFormatContext *format = pretend("mov");

    (void)state;
    add_sound(format)->codecpar->format = AV_SAMPLE_FMT_FLTP;
    assert_int_equal(first(format).format, AV_PIX_FMT_NONE);
}

static void inspect_format__record_of_the_decoder__says_the_depth(void **state)
{
    static const struct {
        enum AVCodecID codec;
        int size;
        int at;
        uint8_t byte;
        int depth;
    } cases[] = {
        {AV_CODEC_ID_H264, 7, 1, 110, 10},
        {AV_CODEC_ID_H264, 7, 1, 100, 8},
        {AV_CODEC_ID_H264, 1, 1, 110, 8}, // ends before the byte
        {AV_CODEC_ID_H264, 0, 0, 0, 8},
        {AV_CODEC_ID_HEVC, 23, 17, 0xfa, 10},
        {AV_CODEC_ID_HEVC, 23, 17, 0xfc, 12},
        {AV_CODEC_ID_HEVC, 23, 17, 0xf8, 8},
        {AV_CODEC_ID_HEVC, 17, 17, 0xfa, 8},
        {AV_CODEC_ID_AV1, 4, 2, 0x4c, 10},
        {AV_CODEC_ID_AV1, 4, 2, 0x6c, 12},
        {AV_CODEC_ID_AV1, 4, 2, 0x0c, 8},
        {AV_CODEC_ID_VP9, 12, 6, 0xa2, 10},
        {AV_CODEC_ID_VP9, 12, 6, 0xc2, 12},
        {AV_CODEC_ID_VP9, 12, 6, 0x82, 8},
        {AV_CODEC_ID_MPEG4, 7, 1, 110, 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        AVStream *video = add_video(format);
        print_message("%s: %#x\n", avcodec_get_name(cases[i].codec),
                      cases[i].byte);
        video->codecpar->codec_id = cases[i].codec;
        video->codecpar->format = AV_PIX_FMT_NONE;
        set_record(video, cases[i].size, cases[i].at, cases[i].byte);
        assert_int_equal(first(format).depth, cases[i].depth);
    }
}

static void inspect_format__frame_rates__are_even_or_only_average(void **state)
{
    static const struct {
        AVRational average;
        AVRational real;
        AVRational expect_average;
        AVRational expect;
    } cases[] = {
        {{25, 1}, {25, 1}, {25, 1}, {25, 1}},
        {{30000, 1001}, {60000, 2002}, {30000, 1001}, {30000, 1001}},
        {{25, 1}, {0, 0}, {25, 1}, {25, 1}}, // nobody measured
        {{29, 1}, {30, 1}, {29, 1}, {0, 1}}, // uneven
        {{0, 0}, {25, 1}, {0, 1}, {0, 1}},
        {{0, 1}, {0, 1}, {0, 1}, {0, 1}},
        {{25, 0}, {25, 1}, {0, 1}, {0, 1}},
        {{-25, 1}, {25, 1}, {0, 1}, {0, 1}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        AVStream *video = add_video(format);
        print_message("case %zu\n", i);
        video->avg_frame_rate = cases[i].average;
        video->r_frame_rate = cases[i].real;
        struct media_stream st = first(format);
        assert_int_equal(av_cmp_q(st.average_rate, cases[i].expect_average), 0);
        assert_int_equal(av_cmp_q(st.frame_rate, cases[i].expect), 0);
    }
}

static void
inspect_format__shape_of_pixels__is_the_containers_first(void **state)
{
    static const struct {
        AVRational container;
        AVRational codec;
        AVRational expect;
    } cases[] = {
        {{4, 3}, {1, 1}, {4, 3}},
        {{0, 1}, {16, 11}, {16, 11}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        AVStream *video = add_video(format);
        video->sample_aspect_ratio = cases[i].container;
        video->codecpar->sample_aspect_ratio = cases[i].codec;
        assert_int_equal(av_cmp_q(first(format).aspect, cases[i].expect), 0);
    }
}

/* What rotation and mirror of a display matrix mean. */
static void inspect_format__display_matrix__is_a_turn(void **state)
{
    static const struct {
        double angle; // as av_display_rotation_set() has it
        int hflip;
        int vflip;
        enum media_turn expect;
    } cases[] = {
        {0, 0, 0, MEDIA_UPRIGHT},
        {-90, 0, 0, MEDIA_COUNTER},
        {90, 0, 0, MEDIA_CLOCK},
        {-180, 0, 0, MEDIA_HALF},
        {180, 0, 0, MEDIA_HALF},
        {0, 1, 0, MEDIA_HFLIP},
        {0, 0, 1, MEDIA_VFLIP},
        {0, 1, 1, MEDIA_HALF},
        {0.4, 0, 0, MEDIA_UPRIGHT}, // as good as none
        {89.6, 0, 0, MEDIA_CLOCK},
        {45, 0, 0, MEDIA_UPRIGHT}, // no turn of ours
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        int32_t matrix[9];
        print_message("%g, %d, %d\n", cases[i].angle, cases[i].hflip,
                      cases[i].vflip);
        av_display_rotation_set(matrix, cases[i].angle);
        av_display_matrix_flip(matrix, cases[i].hflip, cases[i].vflip);
        uint8_t *data = compat_stream_new_side_data(
            add_video(format), AV_PKT_DATA_DISPLAYMATRIX, sizeof(matrix));
        assert_non_null(data);
        memcpy(data, matrix, sizeof(matrix));
        assert_int_equal(first(format).turn, cases[i].expect);
    }
}

/* The point (x, y), y growing downwards, is shown at (ax + cy, bx + dy). */
static void inspect_format__where_points_go__is_a_turn(void **state)
{
    static const struct {
        int a, b, c, d;
        enum media_turn expect;
    } cases[] = {
        {1, 0, 0, 1, MEDIA_UPRIGHT},      {-1, 0, 0, -1, MEDIA_HALF},
        {-1, 0, 0, 1, MEDIA_HFLIP},       {1, 0, 0, -1, MEDIA_VFLIP},
        {0, 1, -1, 0, MEDIA_CLOCK},       {0, -1, 1, 0, MEDIA_COUNTER},
        {0, -1, -1, 0, MEDIA_CLOCK_FLIP}, // then upside down
        {0, 1, 1, 0, MEDIA_COUNTER_FLIP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        const int32_t matrix[9] = {cases[i].a * 65536,
                                   cases[i].b * 65536,
                                   0,
                                   cases[i].c * 65536,
                                   cases[i].d * 65536,
                                   0,
                                   0,
                                   0,
                                   1 << 30};
        print_message("%d %d %d %d\n", cases[i].a, cases[i].b, cases[i].c,
                      cases[i].d);
        uint8_t *data = compat_stream_new_side_data(
            add_video(format), AV_PKT_DATA_DISPLAYMATRIX, sizeof(matrix));
        assert_non_null(data);
        memcpy(data, matrix, sizeof(matrix));
        assert_int_equal(first(format).turn, cases[i].expect);
    }
}

static void inspect_format__short_display_matrix__is_none(void **state)
{
    AVFormatContext *format = pretend("mov");
    uint8_t *data = compat_stream_new_side_data(add_video(format),
                                                AV_PKT_DATA_DISPLAYMATRIX, 8);

    (void)state;
    assert_non_null(data);
    memset(data, 0xff, 8);
    assert_int_equal(first(format).turn, MEDIA_UPRIGHT);
}

static void mark_by_video_tag(AVStream *st)
{
    st->codecpar->codec_tag = MKTAG('e', 'n', 'c', 'v');
}

static void mark_by_audio_tag(AVStream *st)
{
    st->codecpar->codec_tag = MKTAG('e', 'n', 'c', 'a');
}

static void mark_by_key(AVStream *st)
{
    assert_true(av_dict_set(&st->metadata, "enc_key_id", "0123", 0) >= 0);
}

static void mark_by_side_data(AVStream *st)
{
    assert_non_null(
        compat_stream_new_side_data(st, AV_PKT_DATA_ENCRYPTION_INIT_INFO, 4));
}

static void mark_nothing(AVStream *st)
{
    st->codecpar->codec_tag = MKTAG('a', 'v', 'c', '1');
}

static void inspect_format__encrypted__is_seen(void **state)
{
    static const struct {
        void (*mark)(AVStream *st);
        bool expect;
    } cases[] = {
        {mark_by_video_tag, true}, {mark_by_audio_tag, true},
        {mark_by_key, true},       {mark_by_side_data, true},
        {mark_nothing, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        print_message("case %zu\n", i);
        cases[i].mark(add_video(format));
        assert_int_equal(first(format).encrypted, cases[i].expect);
    }
}

#define VIDEO(w, h) \
    { \
        .kind = MEDIA_VIDEO, .width = (w), .height = (h) \
    }

static void inspect_check__inputs__are_media_or_say_why_not(void **state)
{
    static const struct {
        struct media_stream streams[2];
        bool image;
        const char *text; // NULL: it is
    } cases[] = {
        {{VIDEO(640, 360), {.kind = MEDIA_AUDIO}}, false, NULL},
        {{{.kind = MEDIA_SUBTITLE}}, false, NULL},
        {{{.kind = MEDIA_AUDIO}}, false, NULL},
        // a cover of no size harms nobody
        {{{.kind = MEDIA_VIDEO, .picture = true}, {.kind = MEDIA_AUDIO}},
         false,
         NULL},
        {{{.kind = MEDIA_VIDEO, .picture = true}},
         false,
         "the input has no video, audio or subtitles"},
        {{{.kind = MEDIA_OTHER}},
         false,
         "the input has no video, audio or subtitles"},
        {{VIDEO(640, 360)}, true, "the input is a still image"},
        {{{.kind = MEDIA_AUDIO}, VIDEO(0, 360)},
         false,
         "video stream 1 has no size"},
        {{VIDEO(640, -1)}, false, "video stream 0 has no size"},
        {{VIDEO(40000, 40000)},
         false,
         "video stream 0 is too large: 40000x40000 pixels"},
        {{VIDEO(INT32_MAX, INT32_MAX)},
         false,
         "video stream 0 is too large: 2147483647x2147483647 pixels"},
        {{VIDEO(640, 360), {.kind = MEDIA_AUDIO, .encrypted = true}},
         false,
         INSPECT_ENCRYPTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct media_stream streams[2];
        const struct media_info info = {
            .image = cases[i].image, .streams = streams, .stream_count = 2};
        struct error e = {0};
        print_message("%s\n", cases[i].text ? cases[i].text : "media");
        memcpy(streams, cases[i].streams, sizeof(streams));
        assert_int_equal(inspect_check(&info, &e),
                         cases[i].text ? -EBADMSG : 0);
        assert_string_equal(e.text, cases[i].text ? cases[i].text : "");
    }
}

static void inspect_check__size__may_be_the_largest(void **state)
{
    struct media_stream st = VIDEO((int)(LIMITS_PIXELS / 16), 16);
    const struct media_info info = {.streams = &st, .stream_count = 1};
    struct error e = {0};

    (void)state;
    assert_int_equal((int64_t)st.width * st.height, LIMITS_PIXELS);
    assert_int_equal(inspect_check(&info, &e), 0);
    st.width++;
    assert_int_equal(inspect_check(&info, &e), -EBADMSG);
}

static void inspect_check__no_streams__is_no_media(void **state)
{
    const struct media_info info = {0};

    (void)state;
    assert_int_equal(inspect_check(&info, NULL), -EBADMSG);
}

static void inspect_check_header__claims__are_bounded(void **state)
{
    static const struct {
        int width;
        int height;
        const char *text; // NULL: harmless
    } cases[] = {
        {640, 360, NULL},
        {0, 0, NULL}, // not known yet
        {40000, 40000, "video stream 1 is too large: 40000x40000 pixels"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        struct error e = {0};
        add_sound(format);
        AVStream *video = add_video(format);
        video->codecpar->width = cases[i].width;
        video->codecpar->height = cases[i].height;
        assert_int_equal(inspect_check_header(format, &e),
                         cases[i].text ? -EBADMSG : 0);
        assert_string_equal(e.text, cases[i].text ? cases[i].text : "");
        avformat_free_context(format);
    }
}

static void inspect_is_timed__streams__are_told_apart(void **state)
{
    static const struct {
        enum AVMediaType type;
        int disposition;
        bool expect;
    } cases[] = {
        {AVMEDIA_TYPE_VIDEO, 0, true},
        {AVMEDIA_TYPE_VIDEO, AV_DISPOSITION_DEFAULT, true},
        {AVMEDIA_TYPE_VIDEO, AV_DISPOSITION_ATTACHED_PIC, false},
        {AVMEDIA_TYPE_AUDIO, 0, true},
        {AVMEDIA_TYPE_SUBTITLE, 0, false},
        {AVMEDIA_TYPE_DATA, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend("mov");
        AVStream *st = add(format, cases[i].type, AV_CODEC_ID_H264);
        st->disposition = cases[i].disposition;
        assert_int_equal(inspect_is_timed(st), cases[i].expect);
        avformat_free_context(format);
    }
}

static void lack_nothing(AVStream *video, AVStream *sound)
{
    (void)video;
    (void)sound;
}

static void lack_width(AVStream *video, AVStream *sound)
{
    (void)sound;
    video->codecpar->width = 0;
}

static void lack_height(AVStream *video, AVStream *sound)
{
    (void)sound;
    video->codecpar->height = 0;
}

static void lack_rate(AVStream *video, AVStream *sound)
{
    (void)sound;
    video->avg_frame_rate = (AVRational){0, 1};
}

static void lack_depth(AVStream *video, AVStream *sound)
{
    (void)sound;
    set_record(video, 7, 1, 122); // High 4:2:2 may be 8 or 10 bits deep
}

static void lack_codec(AVStream *video, AVStream *sound)
{
    (void)video;
    sound->codecpar->codec_id = AV_CODEC_ID_NONE;
}

static void lack_samples(AVStream *video, AVStream *sound)
{
    (void)video;
    sound->codecpar->sample_rate = 0;
}

static void lack_channels(AVStream *video, AVStream *sound)
{
    (void)video;
    av_channel_layout_uninit(&sound->codecpar->ch_layout);
}

/* Its picture keeps its order, so no decoding times are missed. */
static void be_vp8(AVStream *video, AVStream *sound)
{
    (void)sound;
    video->codecpar->codec_id = AV_CODEC_ID_VP8;
}

static void be_a_cover(AVStream *video, AVStream *sound)
{
    (void)sound;
    video->disposition = AV_DISPOSITION_ATTACHED_PIC;
    video->avg_frame_rate = (AVRational){0, 1};
}

/* Muxers ask for its size. */
static void be_a_cover_of_no_size(AVStream *video, AVStream *sound)
{
    be_a_cover(video, sound);
    video->codecpar->width = 0;
}

static void inspect_header_suffices__headers__say_all_or_not(void **state)
{
    static const struct {
        const char *demuxer;
        void (*change)(AVStream *video, AVStream *sound);
        bool expect;
    } cases[] = {
        {"mov", lack_nothing, true},
        {"mov", lack_width, false},
        {"mov", lack_height, false},
        {"mov", lack_rate, false},
        {"mov", lack_codec, false},
        {"mov", lack_samples, false},
        {"mov", lack_channels, false},
        {"mov", be_a_cover, true},
        {"mov", be_a_cover_of_no_size, false},
        {"mov", lack_depth, false},
        {"matroska", be_vp8, true},
        {"matroska", lack_nothing, false},
        {"matroska", be_a_cover, true},
        {"mpegts", lack_nothing, false},
        {"avi", be_vp8, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *format = pretend(cases[i].demuxer);
        AVStream *video = add_video(format);
        AVStream *sound = add_sound(format);
        print_message("case %zu: %s\n", i, cases[i].demuxer);
        cases[i].change(video, sound);
        assert_int_equal(inspect_header_suffices(format), cases[i].expect);
        avformat_free_context(format);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inspect_format__file__is_described),
        cmocka_unit_test(inspect_format__duration__is_known_or_minus_1),
        cmocka_unit_test(inspect_format__duration_of_streams__is_the_longest),
        cmocka_unit_test(inspect_format__demuxers__are_images_or_not),
        cmocka_unit_test(inspect_format__codecs__have_a_kind),
        cmocka_unit_test(inspect_format__pixel_format__says_the_depth),
        cmocka_unit_test(inspect_format__sound__has_no_pixels),
        cmocka_unit_test(inspect_format__record_of_the_decoder__says_the_depth),
        cmocka_unit_test(inspect_format__frame_rates__are_even_or_only_average),
        cmocka_unit_test(
            inspect_format__shape_of_pixels__is_the_containers_first),
        cmocka_unit_test(inspect_format__display_matrix__is_a_turn),
        cmocka_unit_test(inspect_format__where_points_go__is_a_turn),
        cmocka_unit_test(inspect_format__short_display_matrix__is_none),
        cmocka_unit_test(inspect_format__encrypted__is_seen),
        cmocka_unit_test(inspect_check__inputs__are_media_or_say_why_not),
        cmocka_unit_test(inspect_check__size__may_be_the_largest),
        cmocka_unit_test(inspect_check__no_streams__is_no_media),
        cmocka_unit_test(inspect_check_header__claims__are_bounded),
        cmocka_unit_test(inspect_is_timed__streams__are_told_apart),
        cmocka_unit_test(inspect_header_suffices__headers__say_all_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
