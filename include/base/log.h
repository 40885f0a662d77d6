/*
 * log: lines for whoever looks after the service, through handles.
 *
 * A handle names what a line is about; handles form a chain, so that
 * `log_info(task->log, "started")` prints "job 17: started". NULL is the
 * program itself. Handles are small values in their owner.
 *
 * One event a line, to standard error; where JOURNAL_STREAM says that the
 * journal reads that, to the sink, or else with a "<priority>" in front.
 * Control characters are escaped. All functions may be called from any thread;
 * log_set_level and log_set_sink only before the second one starts.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
    LOG_LEVEL_ERROR,   // someone must act
    LOG_LEVEL_WARNING, // worse than asked, but going on
    LOG_LEVEL_INFO,    // the life of a job, three to five lines
    LOG_LEVEL_DEBUG,   // decisions
    LOG_LEVEL_TRACE,   // per frame
    LOG_LEVEL_COUNT
};

/* What a journal can be searched by, beside the text. */
struct log_field {
    const char *name;  // "TRANSCODED_JOB"; NULL ends a list
    const char *value; // not owned; NULL or "": not now
};

struct log {
    const struct log *parent;       // not owned, NULL for the program
    const struct log_field *fields; // not owned, NULL for none; of its lines
    char name[48];                  // "job 17"
};

/* Gets a line, without its end, for a journal; @priority is syslog(3)'s. 0, or
 * -errno: then it is written to standard error. */
typedef int log_sink(void *user, const struct log *l, int priority,
                     const char *line);
void log_set_sink(log_sink *sink, void *user);

void log_set_level(enum log_level most);
extern const char *const log_level_names[LOG_LEVEL_COUNT];
const char *log_level_name(enum log_level level);
/* -1 when there is no such level. */
int log_level_from_name(const char *name);

/* "FORMAT" is the handle's name. It has no fields. */
void log_init(struct log *l, const struct log *parent, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void log_write(const struct log *l, enum log_level level, const char *format,
               ...) __attribute__((format(printf, 3, 4)));

#define log_error(l, ...)   log_write((l), LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(l, ...) log_write((l), LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(l, ...)    log_write((l), LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(l, ...)   log_write((l), LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
