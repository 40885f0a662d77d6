#include "media/seek.h"

#include <stdbool.h>

#include <libavformat/avformat.h>

#include "base/clock.h"
#include "media/averror.h"

/* How far to step back where no key frame was found; doubled each time. */
#define STEP SECOND

static int seek(AVFormatContext *format, int64_t time)
{
    return avformat_seek_file(format, -1, INT64_MIN, time, time, 0);
}

static int find_video(const AVFormatContext *format)
{
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVStream *st = format->streams[i];
        if (st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
            st->discard < AVDISCARD_ALL &&
            !(st->disposition & AV_DISPOSITION_ATTACHED_PIC))
            return (int)i;
    }
    return -1;
}

/* Is the next key frame of stream @video, or the next picture that comes too
 * late, at or before @time? Moves on in the input. */
static bool key_comes(AVFormatContext *format, int video, int64_t time,
                      AVPacket *packet)
{
    bool key = false;
    bool late = false;

    while (!key && !late && av_read_frame(format, packet) >= 0) {
        if (packet->stream_index == video) {
            int64_t at =
                packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
            late = at != AV_NOPTS_VALUE &&
                   av_compare_ts(at, format->streams[video]->time_base, time,
                                 AV_TIME_BASE_Q) > 0;
            key = !late && (packet->flags & AV_PKT_FLAG_KEY);
        }
        av_packet_unref(packet);
    }
    return key;
}

/* Of the input, or of the container's clock where it does not say. */
static int64_t beginning(const AVFormatContext *format)
{
    return format->start_time != AV_NOPTS_VALUE ? format->start_time : 0;
}

static int step_back(AVFormatContext *format, int video, int64_t time,
                     AVPacket *packet)
{
    int64_t target = time;
    int r = seek(format, target);

    for (int64_t step = STEP; r >= 0 && target > beginning(format) &&
                              !key_comes(format, video, time, packet);
         step *= 2) {
        target -= step;
        if (target < beginning(format))
            target = beginning(format);
        r = seek(format, target);
    }
    // what was looked at shall be read again
    return r < 0 ? r : seek(format, target);
}

int seek_to_key(AVFormatContext *format, int64_t time)
{
    int video = find_video(format);

    if (video < 0)
        return averror_code(seek(format, time));
    AVPacket *packet = av_packet_alloc();
    int r = packet ? step_back(format, video, time, packet) : AVERROR(ENOMEM);
    av_packet_free(&packet);
    return averror_code(r < 0 ? r : 0);
}
