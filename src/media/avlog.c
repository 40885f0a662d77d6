#include "media/avlog.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/log.h>

#include "base/text.h"

#define LINE_MOST 1024

static struct {
    void (*sink)(void *opaque, enum log_level level, const char *line);
    void *opaque;
    pthread_mutex_t lock; // for what follows
    char last[LINE_MOST];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool repeats(const char *line)
{
    pthread_mutex_lock(&state.lock);
    bool same = strcmp(line, state.last) == 0;
    (void)snprintf(state.last, sizeof(state.last), "%s", line);
    pthread_mutex_unlock(&state.lock);
    return same;
}

static void on_log(void *object, int level, const char *format, va_list ap)
{
    char raw[LINE_MOST];
    char line[LINE_MOST];
    char text[LINE_MOST];
    int prefix = 0;

    if (level > AV_LOG_WARNING)
        return;
    av_log_format_line2(object, level, format, ap, raw, sizeof(raw), &prefix);
    raw[strcspn(raw, "\r\n")] = '\0';
    text_escape(raw, line, sizeof(line));
    if (!*line || repeats(line))
        return;

    const char *name = object ? (*(AVClass **)object)->item_name(object) : "";
    (void)snprintf(text, sizeof(text), "%s%s%s", name, *name ? ": " : "", line);
    state.sink(state.opaque,
               level <= AV_LOG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
               text);
}

void avlog_start(void (*sink)(void *opaque, enum log_level level,
                              const char *line),
                 void *opaque)
{
    state.sink = sink;
    state.opaque = opaque;
    av_log_set_callback(on_log);
}
