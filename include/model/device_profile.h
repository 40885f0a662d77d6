/*
 * device_profile: what is known of a kind of card beforehand: how many encoder
 * sessions its driver grants, in which ranges it is well, how fast it should
 * be. JSON files, one a kind (profiles/devices/README.md).
 */
#ifndef MODEL_DEVICE_PROFILE_H
#define MODEL_DEVICE_PROFILE_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct json_t;

#define DEVICE_PROFILE_UNKNOWN (-1)

/* From the driver's first number @driver on. */
struct device_sessions {
    int32_t driver;
    int32_t limit;
};

/* A range that nobody knows has DEVICE_PROFILE_UNKNOWN in it. */
struct device_temperature {
    double least; // °C
    double most;
    double warm;      // more than this under load warns
    int64_t warm_for; // µs; after so long
};

struct device_power {
    double least; // W
    double most;
};

struct device_range {
    double least;
    double most;
};

struct device_expectation {
    char name[48]; // of a test of `transcodectl bench`
    char unit[16];
    struct device_range gpu;
    struct device_range cpu;
};

struct device_profile {
    char *description; // owned
    char **match;      // owned; patterns of names
    size_t match_count;
    struct device_sessions *sessions; // owned; ascending
    size_t session_count;
    struct device_temperature temperature;
    struct device_power power;
    int64_t vram_free_least;             // bytes
    struct device_expectation *expected; // owned
    size_t expected_count;
    char *expected_cpu; // owned, or NULL
};

/* 0, or -EINVAL with field and words. The caller finishes @ret. */
int device_profile_from_json(struct device_profile *ret,
                             const struct json_t *json, struct error *e);
void device_profile_fini(struct device_profile *p);

/* Sessions that driver "470.256.02" grants, or DEVICE_PROFILE_UNKNOWN. */
int32_t device_profile_sessions(const struct device_profile *p,
                                const char *driver);

struct device_profiles;

/*
 * Read every NAME.json of the folders "devices" below @shipped and then
 * @override (NULL: none), whose files win by name. A folder that is not there
 * is empty; a file that is no valid profile is -EINVAL with its name.
 */
int device_profiles_load(struct device_profiles **ret, const char *shipped,
                         const char *override, struct error *e);
void device_profiles_destroy(struct device_profiles *p); // NULL is allowed

/* The one whose longest pattern fits the card's name; NULL: none does. */
const struct device_profile *
device_profiles_find(const struct device_profiles *p, const char *card);

/* [{"name":…,"document":{…}}, …] sorted by name; a new reference. */
struct json_t *device_profiles_to_json(const struct device_profiles *p);

#endif
