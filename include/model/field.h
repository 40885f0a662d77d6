/*
 * field: plain structs ↔ JSON objects, by tables.
 *
 * One row says a member's name in JSON, its type, range and default; the
 * reader, the writer and the destructor of every document here (job, event,
 * order, configuration, …) follow the rows, and the drift test holds
 * job.schema.json against them. A record is the table of one struct.
 *
 * A value that was left out gets its default, which is written as JSON and
 * read like a client's value, so that a bad default fails the first test.
 */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/option.h" // OPTION_FIELD

struct error;
struct json_t;
struct record;

enum field_type {
    FIELD_BOOL,     // bool
    FIELD_INTEGER,  // int64_t; null is -1
    FIELD_INT32,    // int32_t
    FIELD_NUMBER,   // double; null is -1
    FIELD_TIME,     // int64_t µs, in JSON seconds; null is -1
    FIELD_ENUM,     // an enum; null is the value that has no name
    FIELD_TEXT,     // char *, owned; null is NULL
    FIELD_CHARS,    // char[bytes + 1]
    FIELD_TEXTS,    // char **, owned, with a count
    FIELD_OBJECT,   // a struct in place; null is its defaults
    FIELD_LIST,     // a pointer to structs, owned, with a count
    FIELD_ARRAY,    // structs in place, with a count
    FIELD_CUSTOM,   // by functions of its own
    FIELD_RESERVED, // no member: null, until it is built
    FIELD_GIVEN,    // bool, not in JSON: was this object in the document?
    FIELD_TYPE_COUNT
};

enum field_flag {
    FIELD_NULLABLE = 1 << 0, // null is allowed
    FIELD_LENIENT = 1 << 1, // bring into range what is not, instead of refusing
    FIELD_OWN = 1 << 2,     // the document's own: never in a template
    FIELD_EVEN = 1 << 3,    // an integer that 2 divides
    FIELD_LATE = 1 << 4, // came after others were stored: null is not written
};

/* How a member is read and written that fits no type. Reading sets @e without a
 * field, and *@at only on success. */
struct field_custom {
    int (*read)(void *at, const struct json_t *json, struct error *e);
    struct json_t *(*write)(const void *at);
};

struct field {
    const char *name;
    enum field_type type;
    unsigned flags;
    size_t offset;            // into the record's struct
    size_t count_offset;      // of the size_t beside texts, list or array
    double least;             // of numbers, in JSON's unit, inclusive; of
    double most;              // lists and texts, how many elements
    size_t bytes;             // of a text, or of each of texts, at most
    const char *const *names; // of an enum, by value
    size_t name_count;
    const char *const *reserved; // names to come, ended by NULL; or NULL
    const struct record *record; // of object, list and array
    const struct field_custom *custom;
    /* Of text (each of texts): 0, or -EINVAL with words. */
    int (*check)(const char *text, struct error *e);
    const char *fallback; // JSON; NULL: it must be there
};

/* Rows' types and places, for designated initialisers; the compiler refuses a
 * member of another type. @T of lists is a pointer to their element. */
#define ROW_BOOL(S, f) .type = FIELD_BOOL, .offset = OPTION_FIELD(S, f, bool)
#define ROW_INTEGER(S, f) \
    .type = FIELD_INTEGER, .offset = OPTION_FIELD(S, f, int64_t)
#define ROW_INT32(S, f) \
    .type = FIELD_INT32, .offset = OPTION_FIELD(S, f, int32_t)
#define ROW_NUMBER(S, f) \
    .type = FIELD_NUMBER, .offset = OPTION_FIELD(S, f, double)
#define ROW_TIME(S, f) .type = FIELD_TIME, .offset = OPTION_FIELD(S, f, int64_t)
#define ROW_ENUM(S, f, E, table) \
    .type = FIELD_ENUM, .offset = OPTION_FIELD(S, f, E), .names = (table), \
    .name_count = sizeof(table) / sizeof((table)[0])
#define ROW_TEXT(S, f) .type = FIELD_TEXT, .offset = OPTION_FIELD(S, f, char *)
#define ROW_CHARS(S, f) \
    .type = FIELD_CHARS, .offset = offsetof(S, f), \
    .bytes = sizeof(((S *)0)->f) - 1
#define ROW_TEXTS(S, f, n) \
    .type = FIELD_TEXTS, .offset = OPTION_FIELD(S, f, char **), \
    .count_offset = OPTION_FIELD(S, n, size_t)
#define ROW_OBJECT(S, f, of) \
    .type = FIELD_OBJECT, .offset = offsetof(S, f), .record = (of)
#define ROW_LIST(S, f, T, n, of) \
    .type = FIELD_LIST, .offset = OPTION_FIELD(S, f, T), \
    .count_offset = OPTION_FIELD(S, n, size_t), .record = (of)
#define ROW_ARRAY(S, f, n, of) \
    .type = FIELD_ARRAY, .offset = offsetof(S, f), \
    .count_offset = OPTION_FIELD(S, n, size_t), .record = (of)
#define ROW_CUSTOM(S, f, T, how) \
    .type = FIELD_CUSTOM, .offset = OPTION_FIELD(S, f, T), .custom = (how)
#define ROW_GIVEN(S, f) .type = FIELD_GIVEN, .offset = OPTION_FIELD(S, f, bool)

static inline void *field_member(const struct field *f, void *base)
{
    return (char *)base + f->offset;
}

static inline const void *field_const_member(const struct field *f,
                                             const void *base)
{
    return (const char *)base + f->offset;
}

enum record_unknown {
    RECORD_REFUSE, // a field that is not in the table is an error
    RECORD_IGNORE, // may be of a newer version's
};

struct record {
    const struct field *fields;
    size_t field_count;
    size_t size; // of the struct
    enum record_unknown unknown;
    /* NULL, or what the rows cannot say: 0, or -EINVAL with field and words. */
    int (*check)(const void *base, struct error *e);
};

#define RECORD(S, table) \
    .fields = (table), .field_count = sizeof(table) / sizeof((table)[0]), \
    .size = sizeof(S)

enum record_mode {
    RECORD_WHOLE,
    RECORD_TEMPLATE, // nothing is required, FIELD_OWN is refused: a profile
};

/*
 * Fill the struct at @base from @json, which is borrowed. 0, or -EINVAL with
 * e->field and words; @base is written on success only, and then the caller
 * calls record_fini().
 */
int record_from_json(const struct record *r, void *base,
                     const struct json_t *json, enum record_mode mode,
                     struct error *e);

/* All fields, in the order of the rows. A new reference. */
struct json_t *record_to_json(const struct record *r, const void *base);

/* Free what the struct owns. A zeroed one is allowed. */
void record_fini(const struct record *r, void *base);

/* NULL when there is no such row. */
const struct field *record_find(const struct record *r, const char *name);

/* The index of @name in @names, or -1. Entries may be NULL. */
int field_name_index(const char *const *names, size_t count, const char *name);

#endif
