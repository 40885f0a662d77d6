/*
 * unit: the folders that the service manager gives the service's unit, as
 * `systemctl show` tells them.
 */
#ifndef CTL_UNIT_H
#define CTL_UNIT_H

#include <stddef.h>

enum unit_access { UNIT_READ, UNIT_WRITE, UNIT_ACCESS_COUNT };

struct unit_path {
    enum unit_access access;
    char *path; // owned
};

struct unit {
    struct unit_path *paths; // owned
    size_t count;
};

/* The property that gives that access: "ReadWritePaths". */
const char *unit_property(enum unit_access access);

/* Asks the service manager. Where it does not answer there is no path. */
void unit_read(struct unit *ret);

/* PROPERTY=PATH PATH… in lines. */
void unit_parse(struct unit *ret, const char *text);

void unit_fini(struct unit *u);

#endif
