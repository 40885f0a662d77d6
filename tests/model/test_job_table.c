#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/field.h"
#include "model/job.h"
#include "model/job_table.h"

/* Calls @look with every row, and the name of its place: "outputs.video". */
typedef void look(const struct record *r, const struct field *f,
                  const char *place);

static void walk(const struct record *r, const char *place, look *at)
{
    for (size_t i = 0; i < r->field_count; i++) {
        const struct field *f = &r->fields[i];
        char *here = xasprintf("%s.%s", place, f->name ? f->name : "(given)");

        at(r, f, here);
        if (f->record)
            walk(f->record, here, at);
        free(here);
    }
}

/* What a job takes from its client, in snake_case, and each name once. */
static void look_at_name(const struct record *r, const struct field *f,
                         const char *place)
{
    if (f->type == FIELD_GIVEN) {
        assert_null(f->name);
        return;
    }
    print_message("%s\n", place);
    for (const char *c = f->name; *c; c++)
        assert_true(islower((unsigned char)*c) || *c == '_');
    assert_ptr_equal(record_find(r, f->name), f);
}

static void job_record__names__snake_case_and_unique(void **state)
{
    (void)state;
    walk(&job_record, "job", look_at_name);
}

static size_t member_size(const struct field *f)
{
    static const size_t sizes[FIELD_TYPE_COUNT] = {
        [FIELD_BOOL] = sizeof(bool),     [FIELD_INTEGER] = sizeof(int64_t),
        [FIELD_INT32] = sizeof(int32_t), [FIELD_NUMBER] = sizeof(double),
        [FIELD_TIME] = sizeof(int64_t),  [FIELD_ENUM] = sizeof(int),
        [FIELD_TEXT] = sizeof(char *),   [FIELD_TEXTS] = sizeof(char **),
        [FIELD_LIST] = sizeof(void *),   [FIELD_GIVEN] = sizeof(bool),
    };

    return f->type == FIELD_OBJECT ? f->record->size : sizes[f->type];
}

/* Two rows that write to one member would be a copy with a slip. */
static void look_at_member(const struct record *r, const struct field *f,
                           const char *place)
{
    print_message("%s\n", place);
    assert_true(f->offset + member_size(f) <= r->size);
    for (const struct field *g = r->fields; g < f; g++)
        assert_true(member_size(f) == 0 || member_size(g) == 0 ||
                    g->offset + member_size(g) <= f->offset ||
                    f->offset + member_size(f) <= g->offset);
}

static void job_record__members__no_row_has_another_s(void **state)
{
    (void)state;
    walk(&job_record, "job", look_at_member);
}

static void look_at_limits(const struct record *r, const struct field *f,
                           const char *place)
{
    static const bool numeric[FIELD_TYPE_COUNT] = {
        [FIELD_INTEGER] = true,
        [FIELD_INT32] = true,
        [FIELD_NUMBER] = true,
        [FIELD_TIME] = true,
    };

    (void)r;
    print_message("%s\n", place);
    if (numeric[f->type])
        assert_true(f->least >= 0 && f->least < f->most);
    if (f->type == FIELD_LIST)
        assert_true(f->most >= 1 && f->most <= 64); // a stranger fills it
    if (f->type == FIELD_TEXT) {
        assert_true(f->bytes > 0);
        assert_non_null(f->check); // control characters, and more
    }
}

static void job_record__what_a_client_decides__is_bounded(void **state)
{
    (void)state;
    walk(&job_record, "job", look_at_limits);
}

/* Values that have no name are null's; the others' names say one thing each,
 * and nothing that is still to come. */
static void look_at_enum(const struct record *r, const struct field *f,
                         const char *place)
{
    (void)r;
    if (f->type != FIELD_ENUM)
        return;
    print_message("%s\n", place);
    for (size_t i = 0; i < f->name_count; i++) {
        const char *name = f->names[i];
        if (!name) {
            assert_true(f->flags & FIELD_NULLABLE);
            continue;
        }
        assert_int_equal(field_name_index(f->names, f->name_count, name), i);
        for (const char *const *later = f->reserved; later && *later; later++)
            assert_string_not_equal(name, *later);
    }
}

static void job_record__enums__every_value_has_its_name(void **state)
{
    (void)state;
    walk(&job_record, "job", look_at_enum);
}

/* The value after @path in the document that a least job becomes. */
static char *default_of(const char *output, const char *path)
{
    json_t *document = json_pack("{s{ss} s[o]}", "input", "path", "/in.mkv",
                                 "outputs", json_loads(output, 0, NULL));
    struct job job;
    struct error e = {0};

    if (record_from_json(&job_record, &job, document, RECORD_WHOLE, &e) < 0)
        fail_msg("%s: %s", e.field, e.text);
    json_decref(document);
    document = record_to_json(&job_record, &job);
    record_fini(&job_record, &job);

    const json_t *at = document;
    char *names = xstrdup(path);
    char *rest = NULL;
    for (char *name = strtok_r(names, ".", &rest); name;
         name = strtok_r(NULL, ".", &rest))
        at = isdigit((unsigned char)*name)
                 ? json_array_get(at, (size_t)atoi(name))
                 : json_object_get(at, name);
    char *text = json_dumps(at, JSON_ENCODE_ANY | JSON_COMPACT);
    free(names);
    json_decref(document);
    return text;
}

/* The defaults that clients rely on. */
static void job_record__left_out__gets_the_default(void **state)
{
    static const char least[] = "{\"path\":\"/out.mp4\"}";
    static const char full[] =
        "{\"path\":\"/out.mp4\",\"video\":{},\"audio\":[{}],"
        "\"subtitles\":[{\"stream\":1}]}";
    static const struct {
        const char *output;
        const char *path;
        const char *expect;
    } cases[] = {
        {least, "profile", "null"},
        {least, "key", "null"},
        {least, "overwrite", "false"},
        {least, "delivery", "\"complete\""},
        {least, "priority", "\"normal\""},
        {least, "hardware", "\"auto\""},
        {least, "timeout", "0"},
        {least, "input.start", "0"},
        {least, "input.duration", "null"},
        {least, "input.format", "null"},
        {least, "outputs.0.format", "null"},
        {least, "outputs.0.subtitles", "[]"},
        {least, "outputs.0.timestamps", "\"zero\""},
        {least, "outputs.0.metadata", "\"keep\""},
        {full, "outputs.0.video.codec", "\"h264\""},
        {full, "outputs.0.video.max_height", "null"},
        {full, "outputs.0.video.preset", "\"medium\""},
        {full, "outputs.0.video.keyframe_interval", "2"},
        {full, "outputs.0.video.deinterlace", "\"auto\""},
        {full, "outputs.0.video.tonemap", "\"auto\""},
        {full, "outputs.0.video.rotate", "\"auto\""},
        {full, "outputs.0.audio.0.codec", "\"aac\""},
        {full, "outputs.0.audio.0.channels", "2"},
        {full, "outputs.0.audio.0.bitrate", "128000"},
        {full, "outputs.0.audio.0.volume", "1"},
        {full, "outputs.0.subtitles.0.codec", "\"copy\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *is = default_of(cases[i].output, cases[i].path);
        print_message("%s: %s\n", cases[i].path, is ? is : "(nothing)");
        assert_non_null(is);
        assert_string_equal(is, cases[i].expect);
        free(is);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_record__names__snake_case_and_unique),
        cmocka_unit_test(job_record__members__no_row_has_another_s),
        cmocka_unit_test(job_record__what_a_client_decides__is_bounded),
        cmocka_unit_test(job_record__enums__every_value_has_its_name),
        cmocka_unit_test(job_record__left_out__gets_the_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
