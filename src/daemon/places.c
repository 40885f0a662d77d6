#include "places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

#define SYSTEM_CONFIGURATION "/etc/transcoded/transcoded.json"

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

/* "$NAME/REST", or "$HOME/FALLBACK/REST" where NAME is not set; NULL without
 * either. */
static char *below_user_folder(const char *name, const char *fallback,
                               const char *rest)
{
    const char *base = environment(name);
    const char *home = environment("HOME");

    if (base)
        return xasprintf("%s/%s", base, rest);
    if (home && fallback)
        return xasprintf("%s/%s/%s", home, fallback, rest);
    return NULL;
}

char *places_configuration(const char *named)
{
    if (named)
        return xstrdup(named);

    const char *folder = environment("CONFIGURATION_DIRECTORY"); // systemd's
    char *path = folder ? xasprintf("%s/transcoded.json", folder)
                 : geteuid() == 0
                     ? xstrdup(SYSTEM_CONFIGURATION)
                     : below_user_folder("XDG_CONFIG_HOME", ".config",
                                         "transcoded/transcoded.json");
    if (path && access(path, F_OK) < 0) {
        free(path); // nobody asked for it by name
        path = NULL;
    }
    return path;
}

static char *find_socket(const char *named)
{
    const char *folder = environment("RUNTIME_DIRECTORY"); // systemd's

    if (named)
        return xstrdup(named);
    if (folder)
        return xasprintf("%s/io.transcoded", folder);
    if (geteuid() == 0)
        return xstrdup("/run/transcoded/io.transcoded");
    if (environment("LISTEN_FDS")) // it is bound already, wherever that is
        return xstrdup("LISTEN_FDS");
    return below_user_folder("XDG_RUNTIME_DIR", NULL,
                             "transcoded/io.transcoded");
}

static char *find_state(const char *named)
{
    const char *folder = environment("STATE_DIRECTORY"); // systemd's

    if (named)
        return xstrdup(named);
    if (folder)
        return xstrdup(folder);
    if (geteuid() == 0)
        return xstrdup("/var/lib/transcoded");
    return below_user_folder("XDG_STATE_HOME", ".local/state", "transcoded");
}

/* The folder of the running program, without a slash at its end. */
static char *own_folder(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (n <= 0)
        return xstrdup(".");
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    return xstrndup(path, slash ? (size_t)(slash - path) : 0);
}

static char *find_profiles(void)
{
    char *here = own_folder();
    char *tried[] = {
        xasprintf("%s/../share/transcoded/profiles", here),
        xasprintf("%s/../profiles", here), // of a build folder
    };
    char *found = NULL;

    for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
        if (!found && access(tried[i], F_OK) == 0)
            found = tried[i];
        else
            free(tried[i]);
    }
    free(here);
    return found ? found
                 : xasprintf("%s/share/transcoded/profiles", TRANSCODED_PREFIX);
}

/* Create @path and what is above it, as far as it is missing. */
static int make_folders(char *path, mode_t mode, struct error *e)
{
    for (char *slash = path + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        *slash = '\0';
        // what is above the last one is anybody's business
        int r = mkdir(path, kept ? 0755 : mode);
        if (r < 0 && errno != EEXIST) {
            r = error_set_errno(e, -errno, "cannot create folder '%s'", path);
            *slash = kept;
            return r;
        }
        *slash = kept;
        if (!kept)
            return 0;
    }
}

static int make_parent(const char *path, struct error *e)
{
    const char *slash = strrchr(path, '/');

    if (!slash || slash == path)
        return 0;
    char *folder = xstrndup(path, (size_t)(slash - path));
    int r = make_folders(folder, 0755, e);
    free(folder);
    return r;
}

/* A name that no socket can have is refused before anything is begun. */
static int check_socket(const char *path, struct error *e)
{
    const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

    if (!path || strlen(path) <= most)
        return 0;
    return error_set(e, -ENAMETOOLONG,
                     "socket path '%s' is longer than the %zu bytes that a "
                     "socket's name may have",
                     path, most);
}

int places_find(struct places *ret, const char *configuration,
                const char *socket, const char *state, struct error *e)
{
    struct places p = {
        .configuration = places_configuration(configuration),
        .socket = find_socket(socket),
        .state = find_state(state),
        .profiles = find_profiles(),
    };

    int r = check_socket(p.socket, e);
    if (r < 0) {
        places_fini(&p);
        return r;
    }
    *ret = p;
    return 0;
}

static int check_folder(const char *path, struct error *e)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return error_set_errno(e, -errno, "state folder '%s'", path);
    if (!S_ISDIR(st.st_mode))
        return error_set_errno(e, -ENOTDIR, "state folder '%s'", path);
    if (access(path, W_OK | X_OK) < 0)
        return error_set_errno(e, -errno, "state folder '%s' is not writable",
                               path);
    return 0;
}

/* Cut @path to the next folder above that is there. */
static void climb(char *path)
{
    struct stat st;

    while (stat(path, &st) < 0 && errno == ENOENT) {
        char *slash = strrchr(path, '/');
        if (!slash) {
            (void)strcpy(path, ".");
            return;
        }
        slash[slash == path] = '\0';
    }
}

int places_check_state(const struct places *p, struct error *e)
{
    char *path = xstrdup(p->state);

    climb(path); // below it a start would make what is missing
    int r = check_folder(path, e);
    free(path);
    return r;
}

int places_prepare(const struct places *p, struct error *e)
{
    if (!p->socket)
        return error_set(e, -ENOENT,
                         "no place for the socket: name it with "
                         "--socket, or set XDG_RUNTIME_DIR");
    if (!p->state)
        return error_set(e, -ENOENT,
                         "no place for the state: name it with "
                         "--state-dir, or set XDG_STATE_HOME");

    int r = make_folders(p->state, 0700, e);
    return r < 0 ? r : check_folder(p->state, e);
}

int places_prepare_socket(const struct places *p, struct error *e)
{
    return environment("LISTEN_FDS") ? 0 : make_parent(p->socket, e);
}

void places_fini(struct places *p)
{
    free(p->configuration);
    free(p->socket);
    free(p->state);
    free(p->profiles);
    *p = (struct places){0};
}

char *places_program(const char *configured, const char *name)
{
    if (configured)
        return xstrdup(configured);

    char *here = own_folder();
    char *tried[] = {
        xasprintf("%s/%s", here, name),
        xasprintf("%s/../libexec/transcoded/%s", here, name),
    };
    char *found = NULL;
    for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
        if (!found && access(tried[i], X_OK) == 0)
            found = tried[i];
        else
            free(tried[i]);
    }
    free(here);
    return found
               ? found
               : xasprintf("%s/libexec/transcoded/%s", TRANSCODED_PREFIX, name);
}
