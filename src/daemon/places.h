/*
 * places: where things lie: socket, state, programs, profiles (DESIGN.md 10).
 */
#ifndef DAEMON_PLACES_H
#define DAEMON_PLACES_H

struct configuration;
struct error;

struct places {
    char *configuration; // owned; the file, NULL: none was found
    char *socket;        // owned
    char *state;         // owned; folder
};

/* What the command line named; NULL: by environment and user. Folders are
 * created where they are ours to create. 0 or -errno. */
int places_find(struct places *ret, const char *configuration,
                const char *socket, const char *state, struct error *e);
/* Only where the configuration is, which may be nowhere: for --check-config. */
char *places_configuration(const char *named);
void places_fini(struct places *p);

/*
 * A program of ours: @configured, or @name beside this one, below ../libexec,
 * or below the prefix. The caller frees; whether it can be started shows when
 * it is.
 */
char *places_program(const char *configured, const char *name);

/* The folder of shipped profiles. The caller frees. */
char *places_profiles(void);

#endif
