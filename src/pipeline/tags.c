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

static int copy_chapter(AVFormatContext *out, const AVChapter *in,
                        int64_t start, int64_t end, int64_t zero,
                        struct error *e)
{
    int64_t from = av_rescale_q(in->start, in->time_base, AV_TIME_BASE_Q);
    int64_t to = av_rescale_q(in->end, in->time_base, AV_TIME_BASE_Q);

    if (to <= start || from >= end)
        return 0;
    AVChapter *chapter = av_mallocz(sizeof(*chapter));
    if (!chapter)
        return error_set(e, -ENOMEM, "out of memory");
    chapter->id = in->id;
    chapter->time_base = AV_TIME_BASE_Q;
    chapter->start = (from > start ? from - start : 0) + zero;
    chapter->end = (to < end ? to : end) - start + zero;
    int r = add_chapter(out, chapter, e); // consumes
    return r < 0 ? r : copy_dictionary(&chapter->metadata, in->metadata, e);
}

int tags_copy_chapters(AVFormatContext *out, const AVFormatContext *in,
                       int64_t start, int64_t end, int64_t zero,
                       struct error *e)
{
    for (unsigned i = 0; i < in->nb_chapters; i++) {
        int r = copy_chapter(out, in->chapters[i], start, end, zero, e);
        if (r < 0)
            return r;
    }
    return 0;
}
