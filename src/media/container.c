#include "media/container.h"

#include <stddef.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "base/clock.h"

/* libav's muxer takes anything, and marks as data what players cannot know. */
static const enum AVCodecID mpegts_codecs[] = {
    AV_CODEC_ID_MPEG1VIDEO,   AV_CODEC_ID_MPEG2VIDEO,
    AV_CODEC_ID_MPEG4,        AV_CODEC_ID_H264,
    AV_CODEC_ID_HEVC,         AV_CODEC_ID_VC1,
    AV_CODEC_ID_MP2,          AV_CODEC_ID_MP3,
    AV_CODEC_ID_AAC,          AV_CODEC_ID_AAC_LATM,
    AV_CODEC_ID_AC3,          AV_CODEC_ID_EAC3,
    AV_CODEC_ID_DTS,          AV_CODEC_ID_TRUEHD,
    AV_CODEC_ID_OPUS,         AV_CODEC_ID_DVB_SUBTITLE,
    AV_CODEC_ID_DVB_TELETEXT, AV_CODEC_ID_HDMV_PGS_SUBTITLE,
    AV_CODEC_ID_NONE,
};

// clang-format off
static const struct container containers[] = {
    {
        .format = JOB_FORMAT_MP4,
        .muxer = "mp4",
        .hevc_tag = MKTAG('h', 'v', 'c', '1'), // the only one Apple plays
        .index_in_front = true,
        .options = {
            [JOB_COMPLETE] = "movflags=+faststart",
            // the header waits for the first fragment, when edit lists are known
            [JOB_GROWING] = "movflags=+frag_keyframe+empty_moov+delay_moov"
                            "+default_base_moof",
        },
        .options_of_sound = "frag_duration=1000000",
    },
    {
        .format = JOB_FORMAT_MATROSKA,
        .muxer = "matroska",
        .options = {
            [JOB_COMPLETE] = "",
            [JOB_GROWING] = "cluster_time_limit=1000",
        },
    },
    {
        .format = JOB_FORMAT_MPEGTS,
        .muxer = "mpegts",
        .codecs = mpegts_codecs,
        .options = {[JOB_COMPLETE] = "", [JOB_GROWING] = ""},
        .flush_every = SECOND, // it collects sound for packets of its own
    },
    {
        .format = JOB_FORMAT_WEBM,
        .muxer = "webm",
        .options = {
            [JOB_COMPLETE] = "",
            [JOB_GROWING] = "cluster_time_limit=1000",
        },
    },
};
// clang-format on

const struct container *container_find(enum job_format format)
{
    for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
        if (containers[i].format == format)
            return &containers[i];
    }
    return NULL;
}

static bool is_listed(const enum AVCodecID *list, enum AVCodecID codec)
{
    while (*list != AV_CODEC_ID_NONE && *list != codec)
        list++;
    return *list == codec && codec != AV_CODEC_ID_NONE;
}

bool container_takes(const struct container *c, enum AVCodecID codec)
{
    const AVOutputFormat *muxer = av_guess_format(c->muxer, NULL, NULL);

    if (c->codecs)
        return is_listed(c->codecs, codec);
    // < 0 is "does not say"
    return muxer &&
           avformat_query_codec(muxer, codec, FF_COMPLIANCE_EXPERIMENTAL) != 0;
}

/* Matroska writes a packet of sound when the next one of any stream comes, even
 * if it is told to write. MP4 makes E-AC-3 of six blocks out of smaller ones. */
size_t container_keeps_back(const struct container *c, enum AVCodecID codec)
{
    if (c->format == JOB_FORMAT_MP4)
        return codec == AV_CODEC_ID_EAC3 ? 5 : 0;
    if (c->format == JOB_FORMAT_MATROSKA || c->format == JOB_FORMAT_WEBM)
        return avcodec_get_type(codec) == AVMEDIA_TYPE_AUDIO;
    return 0;
}

bool container_wants_global_header(const struct container *c)
{
    const AVOutputFormat *muxer = av_guess_format(c->muxer, NULL, NULL);

    return muxer && (muxer->flags & AVFMT_GLOBALHEADER);
}
