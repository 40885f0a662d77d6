/*
 * profile: a named job document without paths, that jobs are merged over.
 *
 * Merged as RFC 7396 says, with one addition, for a merge patch replaces
 * arrays: elements of "outputs" are merged one by one, first with first. So
 * {"profile":"ladder-1080-720-480","outputs":[{"path":a},{"path":b},{"path":c}]}
 * gives each path its rung.
 */
#ifndef MODEL_PROFILE_H
#define MODEL_PROFILE_H

struct error;
struct json_t;
struct profiles;

/*
 * Read every NAME.json in the folder @shipped and then @override (NULL: none),
 * whose profiles win. A file that is no valid profile is -EINVAL with its name;
 * a folder that is not there is no error for @override.
 */
int profiles_load(struct profiles **ret, const char *shipped,
                  const char *override, struct error *e);
void profiles_destroy(struct profiles *p);

/* The document, borrowed; NULL when there is none of this name. */
const struct json_t *profiles_find(const struct profiles *p, const char *name);

/* [{"name":…,"document":{…}}, …] sorted by name; a new reference. */
struct json_t *profiles_to_json(const struct profiles *p);

/* The other way, for who has them from the daemon. 0 or -EINVAL. */
int profiles_from_json(struct profiles **ret, const struct json_t *list,
                       struct error *e);

/*
 * @job merged over the profile that it names; itself when it names none. A new
 * reference in *@ret, or -EINVAL (field "profile") when there is no such one.
 */
int profiles_apply(const struct profiles *p, const struct json_t *job,
                   struct json_t **ret, struct error *e);

#endif
