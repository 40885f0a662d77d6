/*
 * settings: what a configuration names, looked up: groups, profiles, what is
 * known of cards. Made as a whole before anything of an old one goes, so that a
 * bad configuration changes nothing.
 */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include <sys/types.h>

#include "access.h"
#include "server.h"

struct configuration;
struct device_profiles;
struct error;
struct places;
struct profiles;

struct settings {
    struct access_rules rules;     // borrows from the configuration
    gid_t output_group;            // ACCESS_NO_GROUP: the folder's
    struct server_config server;   // borrows from the places
    struct profiles *profiles;     // whoever takes the settings over owns it
    struct device_profiles *cards; // likewise
};

/* 0, or -errno with words: -ENOENT with the field where there is no such group.
 */
int settings_make(struct settings *ret, const struct configuration *c,
                  const struct places *places, struct error *e);

/* Could they be made of its files? Groups are left out: those are of the machine
 * that the service is to run on. 0 or -errno with words. */
int settings_check(const struct configuration *c, const struct places *places,
                   struct error *e);

#endif
