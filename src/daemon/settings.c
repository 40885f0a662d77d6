#include "settings.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "model/configuration.h"
#include "model/device_profile.h"
#include "model/profile.h"
#include "places.h"

/* Started by the system's service manager, not by a person's shell or manager:
 * then our parent is process 1, and it named this invocation. */
static enum access_mode find_mode(void)
{
    return getppid() == 1 && getenv("INVOCATION_ID") ? ACCESS_SERVICE
                                                     : ACCESS_PERSON;
}

/* The number of group @name, ACCESS_NO_GROUP for NULL. 0 or -errno with
 * @field. */
static int find_group(const char *name, const char *field, gid_t *ret,
                      struct error *e)
{
    *ret = ACCESS_NO_GROUP;
    if (!name)
        return 0;

    errno = 0;
    const struct group *g = getgrnam(name);
    if (!g)
        return error_set_field(e, errno ? -errno : -ENOENT, field,
                               "no such group: '%s'", name);
    *ret = g->gr_gid;
    return 0;
}

static int make_rules(const struct configuration *c, struct access_rules *ret,
                      struct error *e)
{
    gid_t admins;

    int r = find_group(c->admin_group, "admin_group", &admins, e);
    if (r < 0)
        return r;
    *ret = (struct access_rules){
        .mode = find_mode(),
        .self = geteuid(),
        .admin_group = admins,
        .read_roots = c->read_roots,
        .read_root_count = c->read_root_count,
        .write_roots = c->write_roots,
        .write_root_count = c->write_root_count,
    };
    return 0;
}

static int make_server_config(const struct configuration *c,
                              const struct places *places,
                              struct server_config *ret, struct error *e)
{
    *ret = (struct server_config){
        .path = places->socket,
        .mode = (mode_t)c->socket_mode,
        .clients = c->limits.clients,
        .clients_per_uid = c->limits.clients_per_uid,
        .unread_most = (size_t)c->limits.write_queue,
    };
    return find_group(c->socket_group, "socket_group", &ret->group, e);
}

/* Both or none. */
static int load_documents(const struct configuration *c,
                          const struct places *places,
                          struct profiles **ret_profiles,
                          struct device_profiles **ret_cards, struct error *e)
{
    struct device_profiles *cards = NULL;

    int r = device_profiles_load(&cards, places->profiles, c->profiles, e);
    if (r == 0)
        r = profiles_load(ret_profiles, places->profiles, c->profiles, e);
    if (r == 0)
        *ret_cards = cards;
    else
        device_profiles_destroy(cards);
    return r;
}

int settings_check(const struct configuration *c, const struct places *places,
                   struct error *e)
{
    struct profiles *profiles;
    struct device_profiles *cards;

    int r = load_documents(c, places, &profiles, &cards, e);
    if (r < 0)
        return r;
    profiles_destroy(profiles);
    device_profiles_destroy(cards);
    return 0;
}

int settings_make(struct settings *ret, const struct configuration *c,
                  const struct places *places, struct error *e)
{
    struct settings s = {0};

    int r = make_rules(c, &s.rules, e);
    if (r == 0)
        r = find_group(c->output_group, "output_group", &s.output_group, e);
    if (r == 0)
        r = make_server_config(c, places, &s.server, e);
    if (r == 0) // the last one, so that nothing is left behind
        r = load_documents(c, places, &s.profiles, &s.cards, e);
    if (r == 0)
        *ret = s;
    return r;
}
