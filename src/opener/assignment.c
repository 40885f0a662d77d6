#include "assignment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/document.h"
#include "model/field.h"
#include "model/job_check.h"
#include "model/job_table.h"
#include "model/limits.h"

#define ROOTS_MOST 1024
#define MARK_MOST  255 // what every file system takes as an attribute
#define GROUP_MOST (UINT32_MAX - 1) // the last number is no group
#define CHUNK      4096

#define A          struct assignment

// clang-format off
#define FOLDER .bytes = LIMITS_PATH, .most = ROOTS_MOST, .fallback = "[]"

static const struct field fields[] = {
    {"job", ROW_OBJECT(A, job, &job_record)},
    {"read_roots", ROW_TEXTS(A, roots.read, roots.read_count), FOLDER},
    {"write_roots", ROW_TEXTS(A, roots.write, roots.write_count), FOLDER},
    {"any", ROW_BOOL(A, any), .fallback = "false"},
    {"mark", ROW_TEXT(A, mark), .bytes = MARK_MOST, .check = job_check_text,
     .flags = FIELD_NULLABLE, .fallback = "null"},
    {"group", ROW_INTEGER(A, group), .least = 0, .most = GROUP_MOST,
     .flags = FIELD_NULLABLE, .fallback = "null"},
    {"mode", ROW_INTEGER(A, mode), .least = 0, .most = 0777,
     .flags = FIELD_NULLABLE, .fallback = "null"},
};
// clang-format on

static const struct record assignment_record = {RECORD(A, fields)};

int assignment_from_text(struct assignment *ret, const char *text, size_t size,
                         struct error *e)
{
    json_t *json;

    int r = document_parse(&json, text, size, LIMITS_MESSAGE, e);
    if (r < 0)
        return r;
    r = record_from_json(&assignment_record, ret, json, RECORD_WHOLE, e);
    json_decref(json);
    return r;
}

/* Everything up to a NUL or the end; the caller frees *@ret. */
static int read_text(int fd, char **ret, size_t *ret_size)
{
    char *text = NULL;
    size_t room = 0;
    size_t used = 0;
    int r = 0;

    while (r == 0) {
        text = xgrow(text, &room, used + CHUNK, 1);
        ssize_t n = read(fd, text + used, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = -errno;
        if (n <= 0 || memchr(text + used, '\0', (size_t)n)) {
            used += n > 0 ? strnlen(text + used, (size_t)n) : 0;
            break;
        }
        used += (size_t)n;
        if (used > LIMITS_MESSAGE)
            r = -EMSGSIZE;
    }
    if (r < 0) {
        free(text);
        return r;
    }
    *ret = text;
    *ret_size = used;
    return 0;
}

int assignment_read(struct assignment *ret, int fd, struct error *e)
{
    char *text;
    size_t size;

    int r = read_text(fd, &text, &size);
    if (r < 0)
        return error_set_errno(e, r, "cannot read what to do");
    r = assignment_from_text(ret, text, size, e);
    free(text);
    return r;
}

void assignment_fini(struct assignment *a)
{
    record_fini(&assignment_record, a);
}
