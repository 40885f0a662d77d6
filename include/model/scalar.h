/*
 * scalar: fields of a single value: numbers, names, texts. For field.c, which
 * adds what is made of them.
 */
#ifndef MODEL_SCALAR_H
#define MODEL_SCALAR_H

#include "model/field.h"

struct error;
struct json_t;

/* What one type of field does with its member of the struct at @base. */
struct field_ops {
    /* 0, or -EINVAL with words; then nothing but what fini frees was written.
     * The member is zeroed before. */
    int (*read)(const struct field *f, void *base, const struct json_t *json,
                enum record_mode mode, struct error *e);
    struct json_t *(*write)(const struct field *f, const void *base);
    void (*fini)(const struct field *f, void *base); // NULL: owns nothing
};

/* By type; rows of types that are no scalars are empty. */
extern const struct field_ops scalar_ops[FIELD_TYPE_COUNT];

/* A text of the length and kind that @f asks for; the caller frees *@ret. */
int scalar_get_text(const struct field *f, char **ret,
                    const struct json_t *json, struct error *e);

#endif
