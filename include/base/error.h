/*
 * error: what went wrong, in words, beside the negative errno that a function
 * returns.
 *
 * Filled where most is known, wrapped by callers with what they were doing:
 * "cannot start job 17: cannot open '/media/a.mkv': Permission denied".
 * Wording: lower case, no full stop, subjects in single quotes.
 *
 * A plain value: no ownership, zero initialised means "nothing happened". Both
 * texts are always valid UTF-8, for they go into JSON: bytes that are not, and
 * half a character where a text is cut, become '?'.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

struct error {
    int code;       // negative errno, 0 for none
    char field[96]; // at fault in a document ("outputs[0].path"), or ""
    char text[512]; // what went wrong, cut if too long
};

/*
 * Set @e, which may be NULL, and return @code, so that a failing function can
 * `return error_set(e, -ENOENT, "no such job: %d", id)`. @field is cleared.
 */
int error_set(struct error *e, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, for a fault of the field @field of a document. */
int error_set_field(struct error *e, int code, const char *field,
                    const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same, with ": " and strerror(-code) added. */
int error_set_errno(struct error *e, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "FORMAT: " before the words that are there. Returns e->code, or -EINVAL
 * without @e, so that a failure is never taken for success. */
int error_wrap(struct error *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Put @parent before e->field: "outputs[0]" + "path" = "outputs[0].path". */
void error_wrap_field(struct error *e, const char *parent);

/* Put the field, if there is one, into the words ("codec: must be …"), for those
 * who are not told of fields. */
void error_tell_field(struct error *e);

#endif
