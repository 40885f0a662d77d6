#include "sandbox/confine.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "sanitized.h"

/* Enough for the libraries and a job's inputs and outputs. */
#define DESCRIPTORS_MOST 256
/* The kernel counts the threads of all processes of the user, so this is no
 * tight bound, but an end. */
#define THREADS_MOST 4096

static int die_with_parent(unsigned last_fd)
{
    (void)last_fd;
    // a parent that is dead already shows as hang-up of the worker's sockets
    return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

static int close_others(unsigned last_fd)
{
    return syscall(SYS_close_range, last_fd + 1, ~0U, 0) < 0 ? -errno : 0;
}

/* No more than @most; what is less already stays. */
static int limit(__rlimit_resource_t resource, rlim_t most)
{
    struct rlimit now;

    if (getrlimit(resource, &now) < 0)
        return -errno;
    if (now.rlim_max > most)
        now.rlim_max = most;
    now.rlim_cur = now.rlim_max;
    return setrlimit(resource, &now) < 0 ? -errno : 0;
}

static int limit_resources(unsigned last_fd)
{
    static const struct {
        int resource;
        rlim_t most;
    } limits[] = {
        {RLIMIT_CORE, 0}, // a core file would hold what clients' files hold
        {RLIMIT_NOFILE, DESCRIPTORS_MOST},
        {RLIMIT_NPROC, THREADS_MOST},
        {RLIMIT_MSGQUEUE, 0},
    };

    (void)last_fd;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        int r = limit((__rlimit_resource_t)limits[i].resource, limits[i].most);
        if (r < 0)
            return r;
    }
    return 0;
}

static int refuse_privileges(unsigned last_fd)
{
    (void)last_fd;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int ignore_broken_pipes(unsigned last_fd)
{
    (void)last_fd;
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -errno : 0;
}

static const struct {
    const char *name;
    int (*apply)(unsigned last_fd);
} layers[] = {
    {"dying with the parent", die_with_parent},
    {"closing inherited descriptors", close_others},
    {"limiting resources", limit_resources},
    {"giving up new privileges", refuse_privileges},
    {"ignoring broken pipes", ignore_broken_pipes},
};

int confine_process(unsigned last_fd, struct error *e)
{
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        int r = layers[i].apply(last_fd);
        if (r < 0)
            return error_set_errno(e, r, "%s failed", layers[i].name);
    }
    return 0;
}

int confine_memory(int64_t bytes, struct error *e)
{
    if (SANITIZED || bytes == 0)
        return 0; // the sanitizers' own would be counted, too
    int r = limit(RLIMIT_DATA, (rlim_t)bytes);
    return r < 0 ? error_set_errno(e, r, "limiting memory failed") : 0;
}
