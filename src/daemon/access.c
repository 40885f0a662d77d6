#include "access.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/job.h"

static bool is_member(const struct access_peer *peer, gid_t group)
{
    if (group == ACCESS_NO_GROUP)
        return false;
    if (peer->gid == group)
        return true;
    for (size_t i = 0; i < peer->group_count; i++) {
        if (peer->groups[i] == group)
            return true;
    }
    return false;
}

enum access_role access_role(const struct access_rules *rules,
                             const struct access_peer *peer, uid_t owner)
{
    if (peer->uid == 0 || is_member(peer, rules->admin_group))
        return ACCESS_ADMIN;
    return peer->uid == owner ? ACCESS_OWNER : ACCESS_STRANGER;
}

bool access_is_operator(const struct access_rules *rules,
                        const struct access_peer *peer)
{
    return access_role(rules, peer, (uid_t)-1) == ACCESS_ADMIN ||
           (rules->mode == ACCESS_PERSON && peer->uid == rules->self);
}

int access_check_client(const struct access_rules *rules,
                        const struct access_peer *peer, struct error *e)
{
    // a worker that was taken over has this uid; root's needs no socket
    if (rules->mode == ACCESS_SERVICE && peer->uid == rules->self &&
        peer->uid != 0)
        return error_set(e, -EACCES, "the service's own user is no client");
    return 0;
}

/* A name that goes nowhere but down: "/a/b", without "." and "..". */
static bool is_straight(const char *path)
{
    if (path[0] != '/')
        return false;
    while (*path) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if ((length == 1 && path[0] == '.') ||
            (length == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        path += length;
    }
    return true;
}

static bool is_below(const char *path, const char *root)
{
    size_t length = strlen(root);

    while (length && root[length - 1] == '/')
        length--; // "/media/" and "/" too
    return strncmp(path, root, length) == 0 && path[length] == '/' &&
           path[length + 1];
}

static int check_path(const char *path, char *const *roots, size_t count,
                      const char *setting, struct error *e)
{
    if (!is_straight(path))
        return error_set(e, -EACCES,
                         "'%s' is not absolute, or contains '.' or '..'", path);
    if (count == 0)
        return error_set(e, -EACCES,
                         "no folders are open to jobs without a file channel: "
                         "'roots.%s' is not set",
                         setting);
    for (size_t i = 0; i < count; i++) {
        if (is_below(path, roots[i]))
            return 0;
    }
    return error_set(e, -EACCES, "'%s' is below none of 'roots.%s'", path,
                     setting);
}

bool access_any_path(const struct access_rules *rules,
                     const struct access_peer *peer)
{
    return rules->mode == ACCESS_PERSON && peer->uid == rules->self &&
           rules->read_root_count == 0 && rules->write_root_count == 0;
}

int access_check_paths(const struct access_rules *rules,
                       const struct access_peer *peer, const struct job *job,
                       struct error *e)
{
    if (access_any_path(rules, peer))
        return 0;

    int r = check_path(job->input.path, rules->read_roots,
                       rules->read_root_count, "read", e);
    if (r < 0) {
        error_wrap_field(e, "input.path");
        return r;
    }
    for (size_t i = 0; i < job->output_count; i++) {
        r = check_path(job->outputs[i].path, rules->write_roots,
                       rules->write_root_count, "write", e);
        if (r < 0) {
            char field[48];
            (void)snprintf(field, sizeof(field), "outputs[%zu].path", i);
            error_wrap_field(e, field);
            return r;
        }
    }
    return 0;
}

void access_peer_fini(struct access_peer *peer)
{
    free(peer->groups);
    *peer = (struct access_peer){0};
}
