/*
 * option: settings as rows of a const table.
 *
 * One row says a setting's name, type, range, default and what it is for; the
 * parser, the range check, --help, the manual and the drift test read the row.
 * Values live in a plain struct that the row points into.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stddef.h>
#include <stdint.h>

struct error;

enum option_type {
    OPTION_BOOL,     // bool, "yes"
    OPTION_COUNT,    // int64_t, "3"
    OPTION_DURATION, // int64_t, µs, "30s"
    OPTION_SIZE,     // int64_t, bytes, "5M"
    OPTION_TEXT,     // char *, owned, NULL where the default is ""
};

struct option {
    const char *name;
    enum option_type type;
    size_t offset; // into the struct of values
    int64_t least; // of numbers, inclusive
    int64_t most;
    const char *fallback; // the default, parsed like a user's value
    const char *help;     // one line for a person
};

/* offsetof(S, field), refusing to compile unless the field has type T. */
#define OPTION_FIELD(S, field, T) \
    (offsetof(S, field) + 0 * sizeof(_Generic(&((S *)0)->field, T * : 0)))

/*
 * Set the row @o of the values at @base from @text. 0, or -EINVAL / -ERANGE
 * with words that name the option; then the old value stays.
 */
int option_set(const struct option *o, void *base, const char *text,
               struct error *e);

/* Give all @count rows their default. The values must be zeroed or valid. */
int option_set_defaults(const struct option *table, size_t count, void *base,
                        struct error *e);

/* NULL when there is none. */
const struct option *option_find(const struct option *table, size_t count,
                                 const char *name);

/* The value as a user would write it; the caller frees. */
char *option_format(const struct option *o, const void *base);

/* Free what the rows of type text own, and set it to NULL. */
void option_free_values(const struct option *table, size_t count, void *base);

#endif
