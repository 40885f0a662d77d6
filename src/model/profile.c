#include "model/profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "model/document.h"
#include "model/job.h"
#include "model/job_check.h"
#include "model/limits.h"

#define PROFILES_MOST 256

struct profiles {
    json_t *by_name; // owned; an object: name → document
};

/*
 * Merging.
 */

/* RFC 7396, except for the elements of "outputs"; consumes nothing. @target may
 * be NULL. A new reference. */
static json_t *merge(const json_t *target, const json_t *patch);

static json_t *merge_outputs(const json_t *target, const json_t *patch)
{
    json_t *merged = json_array();
    size_t have = json_array_size(target);
    size_t want = json_array_size(patch);

    for (size_t i = 0; i < have || i < want; i++) {
        const json_t *old = json_array_get(target, i);
        const json_t *new = json_array_get(patch, i);
        (void)json_array_append_new(merged, new ? merge(old, new)
                                                : json_deep_copy(old));
    }
    return merged;
}

static json_t *merge_member(const char *key, const json_t *old,
                            const json_t *new)
{
    if (strcmp(key, "outputs") == 0 && json_is_array(old) && json_is_array(new))
        return merge_outputs(old, new);
    return merge(old, new);
}

static json_t *merge(const json_t *target, const json_t *patch)
{
    const char *key;
    json_t *value;

    if (!json_is_object(patch))
        return json_deep_copy(patch);
    json_t *merged =
        json_is_object(target) ? json_deep_copy(target) : json_object();
    json_object_foreach ((json_t *)(size_t)patch, key, value) {
        if (json_is_null(value)) {
            (void)json_object_del(merged, key);
            continue;
        }
        const json_t *old = json_object_get(merged, key);
        (void)json_object_set_new(merged, key, merge_member(key, old, value));
    }
    return merged;
}

int profiles_apply(const struct profiles *p, const struct json_t *job,
                   struct json_t **ret, struct error *e)
{
    const json_t *named = json_object_get(job, "profile");

    if (!named || json_is_null(named)) {
        *ret = json_deep_copy(job);
        return 0;
    }
    if (!json_is_string(named))
        return error_set_field(e, -EINVAL, "profile", "must be a string");

    const char *name = json_string_value(named);
    const json_t *profile = profiles_find(p, name);
    if (!profile)
        return error_set_field(e, -EINVAL, "profile",
                               "there is no profile '%s'", name);
    *ret = merge(profile, job);
    return 0;
}

/*
 * Loading.
 */

/* "film.json" → "film"; NULL when it is no profile's file. */
static char *name_of(const char *file)
{
    static const char ending[] = ".json";
    size_t length = strlen(file);

    // job.schema.json lies beside the shipped ones
    if (length < sizeof(ending) || strcmp(file + length - 5, ending) != 0 ||
        strcmp(file, "job.schema.json") == 0)
        return NULL;
    return xstrndup(file, length - 5);
}

/* Takes @document, borrowed, in under @name, in the place of another one. */
static int add(struct profiles *p, const char *name, json_t *document,
               struct error *e)
{
    if (json_object_size(p->by_name) >= PROFILES_MOST)
        return error_set(e, -EINVAL, "there are more than %d profiles",
                         PROFILES_MOST);
    int r = job_check_name(name, e);
    if (r == 0)
        r = job_check_template(document, e);
    if (r == 0)
        (void)json_object_set(p->by_name, name, document);
    return r;
}

static int load_file(struct profiles *p, int dir, const char *file,
                     const char *name, struct error *e)
{
    char *text = NULL;
    size_t size = 0;
    int r = fd_read_file(dir, file, LIMITS_DOCUMENT, &text, &size);

    if (r < 0)
        return error_set(e, -EINVAL, "cannot read it: %s", strerror(-r));
    json_t *json = NULL;
    r = document_parse(&json, text, size, LIMITS_DOCUMENT, e);
    if (r == 0)
        r = add(p, name, json, e);
    json_decref(json);
    free(text);
    return r;
}

static int load_entry(struct profiles *p, int dir, const char *file,
                      struct error *e)
{
    char *name = name_of(file);
    int r = 0;

    if (name)
        r = load_file(p, dir, file, name, e);
    free(name);
    return r;
}

static int load_folder(struct profiles *p, const char *path, struct error *e)
{
    DIR *folder = opendir(path);

    if (!folder)
        return error_set_errno(e, -errno, "cannot open the folder '%s'", path);

    int r = 0;
    const struct dirent *entry;
    while (r == 0 && (entry = readdir(folder))) {
        r = load_entry(p, dirfd(folder), entry->d_name, e);
        if (r < 0) {
            error_tell_field(e);
            error_wrap(e, "profile '%s/%s'", path, entry->d_name);
        }
    }
    (void)closedir(folder);
    return r;
}

static struct profiles *create(void)
{
    struct profiles *p = xcalloc(1, sizeof(*p));

    p->by_name = json_object();
    return p;
}

int profiles_load(struct profiles **ret, const char *shipped,
                  const char *override, struct error *e)
{
    struct profiles *p = create();

    int r = load_folder(p, shipped, e);
    if (r == 0 && override) {
        r = load_folder(p, override, e);
        if (r == -ENOENT)
            r = 0;
    }
    if (r < 0) {
        profiles_destroy(p);
        return r;
    }
    *ret = p;
    return 0;
}

void profiles_destroy(struct profiles *p)
{
    if (!p)
        return;
    json_decref(p->by_name);
    free(p);
}

const struct json_t *profiles_find(const struct profiles *p, const char *name)
{
    return json_object_get(p->by_name, name);
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

struct json_t *profiles_to_json(const struct profiles *p)
{
    const char *names[PROFILES_MOST];
    size_t count = 0;
    const char *key;
    json_t *value;

    json_object_foreach (p->by_name, key, value)
        names[count++] = key;
    // cppcheck-suppress uninitvar ; the first @count are set
    qsort(names, count, sizeof(names[0]), by_name);

    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:O}", "name", names[i], "document",
                            json_object_get(p->by_name, names[i])));
    return list;
}

static int add_listed(struct profiles *p, const json_t *row, struct error *e)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    json_t *document = json_object_get(row, "document");

    if (!name || !document)
        return error_set(e, -EINVAL, "a profile has no name or no document");
    int r = add(p, name, document, e);
    if (r < 0)
        error_wrap(e, "profile '%s'", name);
    return r;
}

int profiles_from_json(struct profiles **ret, const struct json_t *list,
                       struct error *e)
{
    struct profiles *p = create();
    size_t i;
    const json_t *row;
    int r = 0;

    json_array_foreach (list, i, row) {
        r = add_listed(p, row, e);
        if (r < 0)
            break;
    }
    if (r < 0) {
        profiles_destroy(p);
        return r;
    }
    *ret = p;
    return 0;
}
