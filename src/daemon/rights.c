#include "rights.h"

#include <jansson.h>

#include "daemon.h"
#include "store/store.h"

/* Where no roots bound it, files are the person's own, and made like all of
 * them. */
static void add_sharing(const struct daemon *d, json_t *rights)
{
    gid_t group = d->output_group;

    if (json_is_true(json_object_get(rights, "any")))
        return;
    json_object_set_new(rights, "mode",
                        json_integer(d->configuration.output_mode));
    if (group != ACCESS_NO_GROUP)
        json_object_set_new(rights, "group", json_integer(group));
}

json_t *rights_of(const struct daemon *d, uid_t uid)
{
    const struct configuration *c = &d->configuration;
    const struct access_peer owner = {.uid = uid};
    json_t *read_roots = json_array();
    json_t *write_roots = json_array();

    for (size_t i = 0; i < c->read_root_count; i++)
        json_array_append_new(read_roots, json_string(c->read_roots[i]));
    for (size_t i = 0; i < c->write_root_count; i++)
        json_array_append_new(write_roots, json_string(c->write_roots[i]));
    json_t *rights =
        json_pack("{s:o, s:o, s:b}", "read_roots", read_roots, "write_roots",
                  write_roots, "any", access_any_path(&d->rules, &owner));
    add_sharing(d, rights);
    return rights;
}

json_t *rights_mark(const struct store_job *job)
{
    return json_sprintf("%lld %lld", (long long)job->id,
                        (long long)job->created);
}
