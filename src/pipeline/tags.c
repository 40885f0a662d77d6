#include "pipeline/tags.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <libavformat/avformat.h>

#include "base/error.h"
#include "media/averror.h"

/* Keys that are true of the old file only; one that ends in '*' is a prefix. */
static const char *const stale[] = {
    "major_brand",      "minor_version", "compatible_brands",
    "creation_time",    "encoder",       "duration",
    "company_name",     "product_name",  "product_version",
    "_statistics*",     "bps*",          "number_of_frames*",
    "number_of_bytes*", "vendor_id",
};

static bool is_stale(const char *key)
{
    for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]); i++) {
        size_t length = strlen(stale[i]);
        bool prefix = stale[i][length - 1] == '*';
        if (prefix ? strncasecmp(key, stale[i], length - 1) == 0
                   : strcasecmp(key, stale[i]) == 0)
            return true;
    }
    return false;
}

static int copy_dictionary(AVDictionary **out, const AVDictionary *in,
                           struct error *e)
{
    const AVDictionaryEntry *entry = NULL;

    while ((entry = av_dict_get(in, "", entry, AV_DICT_IGNORE_SUFFIX))) {
        if (is_stale(entry->key))
            continue;
        int r = av_dict_set(out, entry->key, entry->value, 0);
        if (r < 0)
            return averror_set(e, r, "cannot copy metadata");
    }
    return 0;
}

int tags_copy_file(AVFormatContext *out, const AVFormatContext *in,
                   struct error *e)
{
    return copy_dictionary(&out->metadata, in->metadata, e);
}

int tags_copy_stream(AVStream *out, const AVStream *in, struct error *e)
{
    return copy_dictionary(&out->metadata, in->metadata, e);
}

static int add_chapter(AVFormatContext *out, AVChapter *chapter,
                       struct error *e)
{
    AVChapter **grown = av_realloc_array(out->chapters, out->nb_chapters + 1,
                                         sizeof(*out->chapters));

    if (!grown) {
        av_free(chapter);
        return error_set(e, -ENOMEM, "out of memory");
    }
    out->chapters = grown;
    out->chapters[out->nb_chapters++] = chapter;
    return 0;
}

static int64_t chapter_start(const AVChapter *chapter)
{
    return av_rescale_q(chapter->start, chapter->time_base, AV_TIME_BASE_Q);
}

/* Some containers only say where chapters begin; one lasts until the next, the
 * last one until the end of the file. */
static int64_t chapter_end(const AVFormatContext *in, unsigned index)
{
    const AVChapter *chapter = in->chapters[index];

    if (chapter->end != AV_NOPTS_VALUE)
        return av_rescale_q(chapter->end, chapter->time_base, AV_TIME_BASE_Q);
    if (index + 1 < in->nb_chapters)
        return chapter_start(in->chapters[index + 1]);
    int64_t end = in->duration > 0 ? in->duration : 0;
    if (in->start_time != AV_NOPTS_VALUE)
        end += in->start_time;
    int64_t least = chapter_start(chapter) + 1;
    return end > least ? end : least;
}

/* A copy of @in's words for the range, in µs. */
static int copy_chapter(AVFormatContext *out, const AVChapter *in, int64_t from,
                        int64_t to, struct error *e)
{
    AVChapter *chapter = av_mallocz(sizeof(*chapter));
    if (!chapter)
        return error_set(e, -ENOMEM, "out of memory");
    chapter->id = in->id;
    chapter->time_base = AV_TIME_BASE_Q;
    chapter->start = from;
    chapter->end = to;
    int r = add_chapter(out, chapter, e); // consumes
    return r < 0 ? r : copy_dictionary(&chapter->metadata, in->metadata, e);
}

int tags_copy_chapters(AVFormatContext *out, const AVFormatContext *in,
                       int64_t start, int64_t end, int64_t zero,
                       struct error *e)
{
    for (unsigned i = 0; i < in->nb_chapters; i++) {
        int64_t from = chapter_start(in->chapters[i]);
        int64_t to = chapter_end(in, i);
        if (to <= start || from >= end)
            continue;
        from = (from > start ? from - start : 0) + zero;
        to = (to < end ? to : end) - start + zero;
        int r = copy_chapter(out, in->chapters[i], from, to, e);
        if (r < 0)
            return r;
    }
    return 0;
}
