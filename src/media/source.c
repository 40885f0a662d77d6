#include "media/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libavformat/avformat.h>
#include <libavutil/avstring.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/averror.h"
#include "media/avlog.h"
#include "media/compat.h"
#include "media/extent.h"
#include "media/file_io.h"
#include "media/inspect.h"
#include "media/seek.h"

/* Packets to look at for the streams' first timestamps, at most. */
#define AHEAD_MOST 256

#define UNKNOWN    "the input is damaged, or of no known format"

struct source {
    struct file_io *io;      // owned
    AVFormatContext *format; // owned
    struct media_info info;
    AVPacket *ahead[AHEAD_MOST]; // owned; read, and not given out yet
    size_t ahead_first;
    size_t ahead_count;
    int end; // what av_read_frame() said after them, or 0
};

/* An input names nothing else that is to be opened: playlists, references and
 * the like are refused. */
static int refuse_open(AVFormatContext *format, AVIOContext **pb,
                       const char *url, int flags, AVDictionary **options)
{
    (void)pb;
    (void)flags;
    (void)options;
    av_log(format, AV_LOG_ERROR, "the input names another file, '%s'\n", url);
    return AVERROR(EACCES);
}

/* Formats that consist of names of other files. */
static const char *const indirect[] = {
    "hls", "concat", "dash", "imf", "sdp", "rtsp", "webm_dash_manifest",
};

static int refuse_names(const char *kind, struct error *e)
{
    return error_set(e, -EBADMSG,
                     "the input is no media: it only names other files (%s)",
                     kind);
}

/* libav knows these by their files' names since 7.1, and inputs have none. */
static bool is_playlist(const struct source *s)
{
    uint8_t head[7];

    return file_io_peek(s->io, head, sizeof(head)) == sizeof(head) &&
           memcmp(head, "#EXTM3U", sizeof(head)) == 0;
}

static int find_format(struct source *s, const struct source_request *request,
                       const AVInputFormat **ret, struct error *e)
{
    AVIOContext *pb = file_io_context(s->io);

    if (request->format) {
        *ret = av_find_input_format(request->format);
        if (!*ret)
            return error_set_field(e, -EINVAL, "input.format",
                                   "there is no format '%s'", request->format);
    } else if (is_playlist(s)) {
        return refuse_names("hls", e);
    } else if (av_probe_input_buffer2(pb, ret, "", NULL, 0,
                                      (unsigned)request->probe_size) < 0) {
        return error_set(e, -EBADMSG, UNKNOWN);
    }
    for (size_t i = 0; i < sizeof(indirect) / sizeof(indirect[0]); i++) {
        if (av_match_name(indirect[i], (*ret)->name))
            return refuse_names(indirect[i], e);
    }
    return 0;
}

static int open_format(struct source *s, const struct source_request *request,
                       struct error *e)
{
    const AVInputFormat *kind = NULL;

    int r = find_format(s, request, &kind, e);
    if (r < 0)
        return r;
    s->format = avformat_alloc_context();
    if (!s->format)
        return error_set(e, -ENOMEM, "out of memory");
    s->format->pb = file_io_context(s->io);
    s->format->io_open = refuse_open;
    s->format->probesize = request->probe_size;
    if (request->analyze_duration >= 0)
        s->format->max_analyze_duration = request->analyze_duration;

    r = avformat_open_input(&s->format, NULL, kind, NULL); // frees on error
    if (r < 0 && file_io_error(s->io))
        return error_set_errno(e, file_io_error(s->io),
                               "cannot read the input");
    return r < 0 ? error_set(e, -EBADMSG, UNKNOWN) : 0;
}

static int check_extent(struct source *s, struct error *e)
{
    uint8_t head[4096];
    size_t size = file_io_peek(s->io, head, sizeof(head));
    int64_t promised = extent_promised(s->format, head, size);
    int64_t there = file_io_size(s->io);

    if (!size || there >= promised)
        return 0;
    return error_set(e, -EBADMSG,
                     "the input is cut off: %" PRId64 " of %" PRId64
                     " bytes are there",
                     there, promised);
}

static int find_streams(struct source *s, struct error *e)
{
    int r = inspect_check_header(s->format, e);

    if (r < 0 || inspect_header_suffices(s->format))
        return r;
    avlog_begin_probe();
    r = avformat_find_stream_info(s->format, NULL);
    avlog_end_probe();
    return r < 0 ? averror_set(e, r, "cannot find out what the input holds")
                 : 0;
}

/* When a stream begins, as libav has it after the stream's first packet: less
 * what a decoder's priming takes away. */
static int64_t start_of(const AVStream *st, const AVPacket *packet)
{
    int64_t time = st->start_time;

    if (time == AV_NOPTS_VALUE)
        time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    return time == AV_NOPTS_VALUE
               ? INT64_MAX
               : av_rescale_q(time, st->time_base, AV_TIME_BASE_Q);
}

/* Samples in a frame of plain AAC, by its configuration record; 0: it is of
 * another kind, of which decoders make more. */
static int aac_frame_size(const AVCodecParameters *par)
{
    static const int rates[] = {96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                22050, 16000, 12000, 11025, 8000,  7350};
    const uint8_t *record = par->extradata;

    if (par->codec_id != AV_CODEC_ID_AAC || par->extradata_size < 2)
        return 0;
    size_t rate = (size_t)(record[0] & 7) << 1 | record[1] >> 7;
    bool plain = record[0] >> 3 == 2 && !(record[1] & 4);
    return plain && rate < sizeof(rates) / sizeof(rates[0]) &&
                   rates[rate] == par->sample_rate
               ? 1024
               : 0;
}

/* Where the header does not say how many samples a frame of sound has, its
 * record does, or the first packet's length where that counts in samples;
 * muxers want to know. */
static void learn_frame_size(AVStream *st, const AVPacket *packet)
{
    AVCodecParameters *par = st->codecpar;

    if (par->codec_type != AVMEDIA_TYPE_AUDIO || par->frame_size)
        return;
    par->frame_size = aac_frame_size(par);
    if (!par->frame_size && st->time_base.den >= par->sample_rate)
        par->frame_size = (int)av_rescale_q(packet->duration, st->time_base,
                                            (AVRational){1, par->sample_rate});
}

/* Read until each timed stream has shown its first packet; they are kept. */
static void look_ahead(struct source *s)
{
    size_t missing = 0;
    bool *seen = xcalloc(s->format->nb_streams + 1, sizeof(*seen));
    int64_t start = INT64_MAX;

    for (unsigned i = 0; i < s->format->nb_streams; i++)
        missing += inspect_is_timed(s->format->streams[i]);
    while (missing && !s->end && s->ahead_count < AHEAD_MOST) {
        AVPacket *packet = av_packet_alloc();
        s->end = packet ? av_read_frame(s->format, packet) : AVERROR(ENOMEM);
        if (s->end) {
            av_packet_free(&packet);
            break;
        }
        s->ahead[s->ahead_count++] = packet;
        size_t stream = (size_t)packet->stream_index;
        if (stream >= s->info.stream_count || seen[stream] ||
            !inspect_is_timed(s->format->streams[stream]))
            continue;
        seen[stream] = true;
        missing--;
        learn_frame_size(s->format->streams[stream], packet);
        int64_t time = start_of(s->format->streams[stream], packet);
        start = time < start ? time : start;
    }
    free(seen);
    s->info.start = start == INT64_MAX ? 0 : start;
}

static void find_start(struct source *s)
{
    s->info.start = s->format->start_time;
    if (s->info.start == AV_NOPTS_VALUE)
        look_ahead(s);
}

int source_open(struct source **ret, struct file_io *io,
                const struct source_request *request, struct error *e)
{
    struct source *s = xcalloc(1, sizeof(*s));
    int r;

    s->io = io;
    if (file_io_size(io) == 0) {
        r = error_set(e, -EBADMSG, "the input is empty");
        goto fail;
    }
    r = open_format(s, request, e);
    if (r < 0)
        goto fail;
    r = check_extent(s, e);
    if (r < 0)
        goto fail;
    r = find_streams(s, e);
    if (r < 0)
        goto fail;
    inspect_format(&s->info, s->format);
    s->info.passes = file_io_size(io) < 0;
    r = inspect_check(&s->info, e);
    if (r < 0)
        goto fail;
    find_start(s);
    *ret = s;
    return 0;

fail:
    source_close(s);
    return r;
}

static void drop_ahead(struct source *s)
{
    while (s->ahead_first < s->ahead_count)
        av_packet_free(&s->ahead[s->ahead_first++]);
}

void source_close(struct source *s)
{
    if (!s)
        return;
    drop_ahead(s);
    avformat_close_input(&s->format);
    media_info_fini(&s->info);
    file_io_close(s->io);
    free(s);
}

AVFormatContext *source_format(struct source *s)
{
    return s->format;
}

const struct media_info *source_info(const struct source *s)
{
    return &s->info;
}

int64_t source_moved(const struct source *s)
{
    return file_io_moved(s->io);
}

void source_use(struct source *s, const bool *used)
{
    for (unsigned i = 0; i < s->format->nb_streams; i++)
        s->format->streams[i]->discard = i < s->info.stream_count && used[i]
                                             ? AVDISCARD_DEFAULT
                                             : AVDISCARD_ALL;
}

int source_seek(struct source *s, int64_t time)
{
    int r = seek_to_key(s->format, time);

    if (r < 0)
        return r;
    drop_ahead(s);
    s->end = 0;
    return 0;
}

static int end_of(struct source *s, int r, struct error *e)
{
    if (file_io_was_truncated(s->io))
        return error_set(e, -EBADMSG,
                         "the input became shorter while it was read");
    if (file_io_error(s->io))
        return error_set_errno(e, file_io_error(s->io),
                               "cannot read the input");
    if (r == AVERROR_EOF)
        return 0;
    return averror_set(e, r, "the input is damaged, or ends in the middle");
}

static int next_packet(struct source *s, AVPacket *packet, struct error *e)
{
    if (s->ahead_first < s->ahead_count) {
        AVPacket **kept = &s->ahead[s->ahead_first++];
        av_packet_move_ref(packet, *kept);
        av_packet_free(kept);
        return 1;
    }

    int r = s->end;
    while (r >= 0) {
        r = av_read_frame(s->format, packet);
        if (r >= 0)
            return 1;
        if (r == AVERROR(EAGAIN))
            r = 0;
    }
    return end_of(s, r, e);
}

int source_read(struct source *s, AVPacket *packet, struct error *e)
{
    int r = next_packet(s, packet, e);

    // a header may look as if nothing were encrypted, and a beginning be clear
    if (r > 0 &&
        av_packet_get_side_data(packet, AV_PKT_DATA_ENCRYPTION_INFO, NULL))
        return error_set(e, -EBADMSG, INSPECT_ENCRYPTED);
    return r;
}
