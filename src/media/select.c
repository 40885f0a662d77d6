#include "media/select.h"

#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "model/job.h"

/* Weighs more than any size or number of channels does. */
#define PREFERRED 5000000

static bool is_usable(const struct media_stream *st, enum media_kind kind)
{
    return st->kind == kind && !st->picture;
}

static int64_t score_of(const struct media_stream *st)
{
    int64_t score = st->preferred ? PREFERRED : 0;

    switch (st->kind) {
    case MEDIA_VIDEO:
        return score + (int64_t)st->width * st->height;
    case MEDIA_AUDIO:
        return score + st->channels;
    case MEDIA_SUBTITLE:
        return st->text; // what all but a few containers take
    case MEDIA_OTHER:
    case MEDIA_KIND_COUNT:
        break;
    }
    return 0;
}

static int check(const struct media_info *info, enum media_kind kind,
                 int64_t wanted, struct error *e)
{
    if (wanted < 0 || wanted >= (int64_t)info->stream_count)
        return error_set(e, -EINVAL,
                         "the input has no stream %" PRId64 ", only 0 to %zu",
                         wanted, info->stream_count - 1);

    const struct media_stream *st = &info->streams[wanted];
    if (st->picture)
        return error_set(e, -EINVAL,
                         "stream %" PRId64 " is an attached picture", wanted);
    if (!is_usable(st, kind))
        return error_set(e, -EINVAL, "stream %" PRId64 " is %s, not %s", wanted,
                         media_kind_name(st->kind), media_kind_name(kind));
    return (int)wanted;
}

int select_stream(const struct media_info *info, enum media_kind kind,
                  int64_t wanted, struct error *e)
{
    int best = -1;

    if (wanted != JOB_UNSET)
        return check(info, kind, wanted, e);
    for (size_t i = 0; i < info->stream_count; i++) {
        const struct media_stream *st = &info->streams[i];
        if (is_usable(st, kind) &&
            (best < 0 || score_of(st) > score_of(&info->streams[best])))
            best = (int)i;
    }
    if (best < 0)
        return error_set(e, -ENOENT, "the input has no %s stream",
                         media_kind_name(kind));
    return best;
}

int select_cover(const struct media_info *info, int64_t wanted)
{
    int first = -1;

    for (size_t i = 0; i < info->stream_count; i++) {
        const struct media_stream *st = &info->streams[i];
        if (st->kind != MEDIA_VIDEO)
            continue;
        if (wanted == JOB_UNSET && !st->picture)
            return -1;
        if (st->picture && first < 0 &&
            (wanted == JOB_UNSET || wanted == (int64_t)i))
            first = (int)i;
    }
    return first;
}
