#include "media/container.h"

#include <stddef.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

// clang-format off
static const struct container containers[] = {
    {
        .format = JOB_FORMAT_MP4,
        .muxer = "mp4",
        .hevc_tag = MKTAG('h', 'v', 'c', '1'), // the only one Apple plays
        .options = {
            [JOB_COMPLETE] = "movflags=+faststart",
            // the header waits for the first fragment, when edit lists are known
            [JOB_GROWING] = "movflags=+frag_keyframe+empty_moov+delay_moov"
                            "+default_base_moof",
        },
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
        .options = {[JOB_COMPLETE] = "", [JOB_GROWING] = ""},
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

bool container_takes(const struct container *c, enum AVCodecID codec)
{
    const AVOutputFormat *muxer = av_guess_format(c->muxer, NULL, NULL);

    // < 0 is "does not say": MPEG-TS takes what it has no name for as data
    return muxer &&
           avformat_query_codec(muxer, codec, FF_COMPLIANCE_EXPERIMENTAL) != 0;
}

bool container_wants_global_header(const struct container *c)
{
    const AVOutputFormat *muxer = av_guess_format(c->muxer, NULL, NULL);

    return muxer && (muxer->flags & AVFMT_GLOBALHEADER);
}
