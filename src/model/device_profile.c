#include "model/device_profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "model/document.h"
#include "model/field.h"

#define BYTES_MOST    (64 << 10) // of a file
#define PROFILES_MOST 256
#define ROWS_MOST     32

// clang-format off
#define S struct device_sessions
static const struct field session_fields[] = {
    {"driver", ROW_INT32(S, driver), .most = 9999},
    {"limit", ROW_INT32(S, limit), .least = 1, .most = 1000},
};
static const struct record session_record = {RECORD(S, session_fields)};
#undef S

#define UNKNOWN .flags = FIELD_NULLABLE, .fallback = "null"
#define T struct device_temperature
static const struct field temperature_fields[] = {
    {"least", ROW_NUMBER(T, least), .most = 200, UNKNOWN},
    {"most", ROW_NUMBER(T, most), .most = 200, UNKNOWN},
    {"warm", ROW_NUMBER(T, warm), .most = 200, UNKNOWN},
    {"warm_for", ROW_TIME(T, warm_for), .most = 86400, UNKNOWN},
};
static const struct record temperature_record = {RECORD(T, temperature_fields)};
#undef T

#define P struct device_power
static const struct field power_fields[] = {
    {"least", ROW_NUMBER(P, least), .most = 5000, UNKNOWN},
    {"most", ROW_NUMBER(P, most), .most = 5000, UNKNOWN},
};
static const struct record power_record = {RECORD(P, power_fields)};
#undef P

/* [120, 150] */
static int read_range(void *at, const json_t *json, struct error *e)
{
    const json_t *least = json_array_get(json, 0);
    const json_t *most = json_array_get(json, 1);

    if (json_array_size(json) != 2 || !json_is_number(least) ||
        !json_is_number(most) || json_number_value(least) < 0 ||
        json_number_value(most) < json_number_value(least))
        return error_set(e, -EINVAL, "must be two numbers, from and to");
    *(struct device_range *)at = (struct device_range){
        json_number_value(least), json_number_value(most)};
    return 0;
}

static json_t *write_range(const void *at)
{
    const struct device_range *r = at;

    return json_pack("[f, f]", r->least, r->most);
}

static const struct field_custom range = {read_range, write_range};

#define E struct device_expectation
static const struct field expectation_fields[] = {
    {"name", ROW_CHARS(E, name)},
    {"unit", ROW_CHARS(E, unit)},
    {"gpu", ROW_CUSTOM(E, gpu, struct device_range, &range)},
    {"cpu", ROW_CUSTOM(E, cpu, struct device_range, &range)},
};
static const struct record expectation_record = {RECORD(E, expectation_fields)};
#undef E

#define D struct device_profile
static const struct field fields[] = {
    {"description", ROW_TEXT(D, description), .bytes = 255},
    {"match", ROW_TEXTS(D, match, match_count), .least = 1, .most = ROWS_MOST,
     .bytes = 63},
    {"sessions", ROW_LIST(D, sessions, struct device_sessions *, session_count,
                          &session_record), .most = ROWS_MOST,
     .fallback = "[]"},
    {"temperature", ROW_OBJECT(D, temperature, &temperature_record), UNKNOWN},
    {"power", ROW_OBJECT(D, power, &power_record), UNKNOWN},
    {"vram_free_least", ROW_INTEGER(D, vram_free_least), .most = 1e15, UNKNOWN},
    {"expected", ROW_LIST(D, expected, struct device_expectation *,
                          expected_count, &expectation_record),
     .most = ROWS_MOST, .fallback = "[]"},
    {"expected_cpu", ROW_TEXT(D, expected_cpu), .bytes = 63, UNKNOWN},
};
#undef D
#undef UNKNOWN
// clang-format on

static int check(const void *base, struct error *e)
{
    const struct device_profile *p = base;

    for (size_t i = 1; i < p->session_count; i++) {
        if (p->sessions[i].driver <= p->sessions[i - 1].driver)
            return error_set_field(e, -EINVAL, "sessions",
                                   "drivers must ascend");
    }
    if (p->temperature.most < p->temperature.least)
        return error_set_field(e, -EINVAL, "temperature",
                               "ends before it begins");
    if (p->power.most < p->power.least)
        return error_set_field(e, -EINVAL, "power", "ends before it begins");
    return 0;
}

static const struct record profile_record = {
    RECORD(struct device_profile, fields),
    .check = check,
};

int device_profile_from_json(struct device_profile *ret, const json_t *json,
                             struct error *e)
{
    return record_from_json(&profile_record, ret, json, RECORD_WHOLE, e);
}

void device_profile_fini(struct device_profile *p)
{
    record_fini(&profile_record, p);
}

int32_t device_profile_sessions(const struct device_profile *p,
                                const char *driver)
{
    long number = strtol(driver, NULL, 10);
    int32_t limit = DEVICE_PROFILE_UNKNOWN;

    if (number <= 0)
        return limit;
    for (size_t i = 0; i < p->session_count; i++) {
        if (p->sessions[i].driver <= number)
            limit = p->sessions[i].limit;
    }
    return limit;
}

/*
 * All that there are.
 */

struct entry {
    char *name;
    struct device_profile profile;
    json_t *document; // as it was written
};

struct device_profiles {
    struct entry *entries; // owned, with what they hold; sorted by name
    size_t count;
    size_t room;
};

static void entry_fini(struct entry *entry)
{
    free(entry->name);
    device_profile_fini(&entry->profile);
    json_decref(entry->document);
}

void device_profiles_destroy(struct device_profiles *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        entry_fini(&p->entries[i]);
    free(p->entries);
    free(p);
}

/* In its place, or in the place of the one of that name. Consumes @new. */
static void put(struct device_profiles *p, const struct entry *new)
{
    size_t i = 0;

    while (i < p->count && strcmp(p->entries[i].name, new->name) < 0)
        i++;
    if (i < p->count && strcmp(p->entries[i].name, new->name) == 0) {
        entry_fini(&p->entries[i]);
        p->entries[i] = *new;
        return;
    }
    p->entries = xgrow(p->entries, &p->room, p->count + 1, sizeof(*p->entries));
    memmove(&p->entries[i + 1], &p->entries[i],
            (p->count - i) * sizeof(*p->entries));
    p->entries[i] = *new;
    p->count++;
}

static int read_file(json_t **ret, int dir, const char *file, struct error *e)
{
    char *text = NULL;
    size_t size = 0;
    int r = fd_read_file(dir, file, BYTES_MOST, &text, &size);

    if (r < 0)
        return error_set(e, -EINVAL, "cannot read it: %s", strerror(-r));
    r = document_parse(ret, text, size, BYTES_MOST, e);
    free(text);
    return r;
}

static int load_file(struct device_profiles *p, int dir, const char *file,
                     struct error *e)
{
    size_t length = strlen(file);
    struct entry new = {0};

    if (length < 6 || strcmp(file + length - 5, ".json") != 0)
        return 0;
    if (p->count == PROFILES_MOST)
        return error_set(e, -EINVAL, "there are more than %d", PROFILES_MOST);
    int r = read_file(&new.document, dir, file, e);
    if (r == 0)
        r = device_profile_from_json(&new.profile, new.document, e);
    if (r < 0) {
        json_decref(new.document);
        return r;
    }
    new.name = xstrndup(file, length - 5);
    put(p, &new);
    return 0;
}

static int load_folder(struct device_profiles *p, const char *parent,
                       struct error *e)
{
    char *path = xasprintf("%s/devices", parent);
    DIR *folder = opendir(path);
    int r = 0;

    if (!folder && errno != ENOENT)
        r = error_set_errno(e, -errno, "cannot open the folder '%s'", path);
    const struct dirent *entry;
    while (folder && r == 0 && (entry = readdir(folder))) {
        r = load_file(p, dirfd(folder), entry->d_name, e);
        if (r < 0) {
            error_tell_field(e);
            error_wrap(e, "'%s/%s'", path, entry->d_name);
        }
    }
    if (folder)
        (void)closedir(folder);
    free(path);
    return r;
}

int device_profiles_load(struct device_profiles **ret, const char *shipped,
                         const char *override, struct error *e)
{
    struct device_profiles *p = xcalloc(1, sizeof(*p));

    int r = load_folder(p, shipped, e);
    if (r == 0 && override)
        r = load_folder(p, override, e);
    if (r < 0) {
        device_profiles_destroy(p);
        return r;
    }
    *ret = p;
    return 0;
}

const struct device_profile *
device_profiles_find(const struct device_profiles *p, const char *card)
{
    const struct device_profile *found = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct device_profile *d = &p->entries[i].profile;
        for (size_t k = 0; k < d->match_count; k++) {
            size_t length = strlen(d->match[k]);
            if (length > longest && fnmatch(d->match[k], card, 0) == 0) {
                found = d;
                longest = length;
            }
        }
    }
    return found;
}

json_t *device_profiles_to_json(const struct device_profiles *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->count; i++)
        json_array_append_new(list, json_pack("{s:s, s:O}", "name",
                                              p->entries[i].name, "document",
                                              p->entries[i].document));
    return list;
}
