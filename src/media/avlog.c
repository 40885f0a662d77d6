#include "media/avlog.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavutil/log.h>

#include "base/text.h"

#define LINE_MOST 1024

static struct {
    void (*sink)(void *opaque, enum log_level level, const char *line);
    void *opaque;
    pthread_mutex_t lock; // for what follows
    char last[LINE_MOST];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local bool probing;

/* A parser's context has no codec yet; its "NULL" would name nothing. */
static const char *name_codec(const void *object)
{
    const AVCodecContext *c = object;

    return c->codec ? c->codec->name : avcodec_get_name(c->codec_id);
}

/* Not "Parsed_scale_0". */
static const char *name_filter(const void *object)
{
    return ((const AVFilterContext *)object)->filter->name;
}

static const struct {
    const char *class_name;
    const char *(*name)(const void *object);
} namers[] = {
    {"AVCodecContext", name_codec},
    {"AVFilter", name_filter},
};

static const char *name_of(void *object)
{
    const AVClass *class = *(AVClass **)object;

    for (size_t i = 0; i < sizeof(namers) / sizeof(namers[0]); i++) {
        if (strcmp(class->class_name, namers[i].class_name) == 0)
            return namers[i].name(object);
    }
    const char *name = class->item_name ? class->item_name(object) : NULL;
    return name && strcmp(name, "NULL") != 0 ? name : class->class_name;
}

/* A codec that finds out what a stream is, or where its frames begin, works on
 * pieces: what it misses says nothing about the job. */
static bool is_chatter(const void *object)
{
    const AVCodecContext *c = object;

    return object &&
           strcmp((*(AVClass *const *)object)->class_name, "AVCodecContext") ==
               0 &&
           (probing || !c->codec);
}

static enum log_level level_of(const void *object, int level)
{
    if (is_chatter(object))
        return LOG_LEVEL_DEBUG;
    return level <= AV_LOG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
}

static bool repeats(const char *line)
{
    pthread_mutex_lock(&state.lock);
    bool same = strcmp(line, state.last) == 0;
    (void)snprintf(state.last, sizeof(state.last), "%s", line);
    pthread_mutex_unlock(&state.lock);
    return same;
}

/* A line may come in pieces, from one thread at a time. */
static _Thread_local char pending[LINE_MOST];

static void collect(void *object, int level, const char *format, va_list ap)
{
    size_t used = strlen(pending);
    int prefix = 0; // the sink gets the name instead

    av_log_format_line2(object, level, format, ap, pending + used,
                        (int)(sizeof(pending) - used), &prefix);
}

/* What this thread was told went wrong, since it last asked. */
static _Thread_local char errors[LINE_MOST];

static void remember(const char *line)
{
    size_t used = strlen(errors);

    (void)snprintf(errors + used, sizeof(errors) - used, "%s%s",
                   used ? "\n" : "", line);
}

static void say(void *object, int level, const char *raw)
{
    char line[LINE_MOST];
    char text[LINE_MOST];

    text_escape(raw, line, sizeof(line));
    if (level <= AV_LOG_ERROR)
        remember(line);
    if (!*line || repeats(line))
        return;
    const char *name = object ? name_of(object) : "";
    (void)snprintf(text, sizeof(text), "%s%s%s", name, *name ? ": " : "", line);
    state.sink(state.opaque, level_of(object, level), text);
}

/* Say each line that is complete, and the one that has no more room. */
static void on_log(void *object, int level, const char *format, va_list ap)
{
    char *rest = pending;

    if (level > AV_LOG_WARNING)
        return;
    collect(object, level, format, ap);
    for (char *end; (end = strpbrk(rest, "\r\n")); rest = end + 1) {
        *end = '\0';
        say(object, level, rest);
    }
    if (strlen(rest) + 1 == sizeof(pending)) {
        say(object, level, rest);
        *rest = '\0';
    }
    memmove(pending, rest, strlen(rest) + 1);
}

void avlog_start(void (*sink)(void *opaque, enum log_level level,
                              const char *line),
                 void *opaque)
{
    state.sink = sink;
    state.opaque = opaque;
    state.last[0] = '\0';
    av_log_set_callback(on_log);
}

void avlog_forget_errors(void)
{
    *errors = '\0';
}

const char *avlog_errors(void)
{
    return errors;
}

void avlog_begin_probe(void)
{
    probing = true;
}

void avlog_end_probe(void)
{
    probing = false;
}
