/*
 * access: who may do what (DESIGN.md 9). Pure: credentials and rules in,
 * a verdict out. A socket's credentials decide; a PID never does.
 */
#ifndef DAEMON_ACCESS_H
#define DAEMON_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct error;
struct job;

enum access_role {
    ACCESS_STRANGER, // sees id, state and times
    ACCESS_OWNER,
    ACCESS_ADMIN, // root, or of the admin group
};

/* Who is at the other end. */
struct access_peer {
    uid_t uid;
    gid_t gid;
    gid_t *groups; // owned; supplementary ones
    size_t group_count;
};

/* How the daemon itself was started. */
enum access_mode {
    ACCESS_PERSON,  // by hand: its own user may use what that user may use
    ACCESS_SERVICE, // by the system's service manager
};

#define ACCESS_NO_GROUP ((gid_t)-1)

struct access_rules {
    enum access_mode mode;
    uid_t self;              // the daemon's own
    gid_t admin_group;       // ACCESS_NO_GROUP: only root administers
    char *const *read_roots; // not owned
    size_t read_root_count;
    char *const *write_roots; // not owned
    size_t write_root_count;
};

enum access_role access_role(const struct access_rules *rules,
                             const struct access_peer *peer, uid_t owner);

/* May it see how the service itself is, its folders and who uses the machine?
 * An admin, and whoever started it by hand. */
bool access_is_operator(const struct access_rules *rules,
                        const struct access_peer *peer);

/* May it be a client at all? 0 or -EACCES with words. */
int access_check_client(const struct access_rules *rules,
                        const struct access_peer *peer, struct error *e);

/*
 * May @peer name the paths of @job, which has no file channel? Only words are
 * compared here; whoever opens the files resolves the names below the roots.
 * 0 or -EACCES with e->field.
 */
int access_check_paths(const struct access_rules *rules,
                       const struct access_peer *peer, const struct job *job,
                       struct error *e);

/* Is any path allowed that @peer's user can open, for want of roots? */
bool access_any_path(const struct access_rules *rules,
                     const struct access_peer *peer);

void access_peer_fini(struct access_peer *peer);

#endif
