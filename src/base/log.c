#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define RAW_MOST  1024
#define LINE_MOST (4 * RAW_MOST + 1) // escaped

static enum log_level most_shown = LOG_LEVEL_INFO;
static log_sink *journal;  // NULL: standard error will do
static void *journal_user; // not owned

// clang-format off
const char *const log_level_names[LOG_LEVEL_COUNT] = {
    [LOG_LEVEL_ERROR]   = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO]    = "info",
    [LOG_LEVEL_DEBUG]   = "debug",
    [LOG_LEVEL_TRACE]   = "trace",
};

static const int priorities[LOG_LEVEL_COUNT] = { // of syslog(3)
    [LOG_LEVEL_ERROR] = 3, [LOG_LEVEL_WARNING] = 4, [LOG_LEVEL_INFO] = 6,
    [LOG_LEVEL_DEBUG] = 7, [LOG_LEVEL_TRACE] = 7,
};
// clang-format on

void log_set_level(enum log_level most)
{
    most_shown = most;
}

void log_set_sink(log_sink *sink, void *user)
{
    journal = sink;
    journal_user = user;
}

const char *log_level_name(enum log_level level)
{
    return log_level_names[level];
}

int log_level_from_name(const char *name)
{
    for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (strcmp(log_level_names[i], name) == 0)
            return i;
    }
    return -1;
}

void log_init(struct log *l, const struct log *parent, const char *format, ...)
{
    va_list ap;

    l->parent = parent;
    l->fields = NULL;
    va_start(ap, format);
    (void)vsnprintf(l->name, sizeof(l->name), format, ap);
    va_end(ap);
}

/* Is standard error the journal's socket, as systemd.exec(5) tells it? */
static bool to_journal(void)
{
    const char *named = getenv("JOURNAL_STREAM");
    char actual[64];
    struct stat st;

    if (!named || fstat(STDERR_FILENO, &st) < 0)
        return false;
    (void)snprintf(actual, sizeof(actual), "%ju:%ju", (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino);
    return strcmp(named, actual) == 0;
}

static size_t put_names(char *line, size_t size, const struct log *l)
{
    if (!l)
        return 0;

    size_t used = put_names(line, size, l->parent);
    int n = snprintf(line + used, size - used, "%s: ", l->name);
    return n > 0 && (size_t)n < size - used ? used + (size_t)n : used;
}

/* One call, one line. */
static void put_line(const char *prefix, const char *line)
{
    char whole[LINE_MOST + 8];

    (void)snprintf(whole, sizeof(whole), "%s%s\n", prefix, line);
    (void)!write(STDERR_FILENO, whole, strlen(whole));
}

static void put_to_journal(const struct log *l, int priority, const char *line)
{
    char prefix[8];

    if (journal && journal(journal_user, l, priority, line) == 0)
        return;
    (void)snprintf(prefix, sizeof(prefix), "<%d>", priority);
    put_line(prefix, line);
}

void log_write(const struct log *l, enum log_level level, const char *format,
               ...)
{
    char raw[RAW_MOST];
    char line[LINE_MOST];
    va_list ap;

    if (level > most_shown)
        return;
    size_t used = put_names(raw, sizeof(raw), l);
    va_start(ap, format);
    (void)vsnprintf(raw + used, sizeof(raw) - used, format, ap);
    va_end(ap);

    text_escape(raw, line, sizeof(line));
    if (to_journal())
        put_to_journal(l, priorities[level], line);
    else
        put_line("", line);
}
