#include "media/averror.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <libavutil/error.h>

#include "base/error.h"

static const struct {
    int averror;
    int code;
    const char *text;
} tags[] = {
    {AVERROR_EOF, -ENODATA, "the data ends too early"},
    {AVERROR_INVALIDDATA, -EBADMSG, "the data is damaged or of another kind"},
    {AVERROR_DECODER_NOT_FOUND, -ENOTSUP, "there is no decoder for it"},
    {AVERROR_ENCODER_NOT_FOUND, -ENOTSUP, "there is no encoder for it"},
    {AVERROR_DEMUXER_NOT_FOUND, -ENOTSUP, "there is no reader for it"},
    {AVERROR_MUXER_NOT_FOUND, -ENOTSUP, "there is no writer for it"},
    {AVERROR_FILTER_NOT_FOUND, -ENOTSUP, "there is no filter for it"},
    {AVERROR_PROTOCOL_NOT_FOUND, -EACCES, "it names other files"},
    {AVERROR_STREAM_NOT_FOUND, -ENODATA, "it has no such stream"},
    {AVERROR_OPTION_NOT_FOUND, -EINVAL, "there is no such option"},
    {AVERROR_PATCHWELCOME, -ENOTSUP, "a feature of it is not supported"},
    {AVERROR_EXPERIMENTAL, -ENOTSUP, "it is experimental"},
    {AVERROR_EXTERNAL, -EIO, "a library failed"},
    {AVERROR_BUG, -EIO, "libav failed"},
    {AVERROR_BUG2, -EIO, "libav failed"},
    {AVERROR_UNKNOWN, -EIO, "libav failed without saying why"},
    {AVERROR_EXIT, -ECANCELED, "it was stopped"},
};

#define TAGS (sizeof(tags) / sizeof(tags[0]))

int averror_code(int averror)
{
    for (size_t i = 0; i < TAGS; i++) {
        if (tags[i].averror == averror)
            return tags[i].code;
    }
    return averror;
}

static const char *words(int averror, char buffer[AV_ERROR_MAX_STRING_SIZE])
{
    for (size_t i = 0; i < TAGS; i++) {
        if (tags[i].averror == averror)
            return tags[i].text;
    }
    return av_make_error_string(buffer, AV_ERROR_MAX_STRING_SIZE, averror);
}

int averror_set(struct error *e, int averror, const char *format, ...)
{
    char buffer[AV_ERROR_MAX_STRING_SIZE];
    char what[256];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    return error_set(e, averror_code(averror), "%s: %s", what,
                     words(averror, buffer));
}
