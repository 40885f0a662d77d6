/*
 * places: where things lie: socket, state, programs, profiles (DESIGN.md 10).
 */
#ifndef DAEMON_PLACES_H
#define DAEMON_PLACES_H

struct configuration;
struct error;

struct places {
    char *configuration; // owned; the file, NULL: none was found
    char *socket;        // owned; NULL: there is none
    char *state;         // owned; folder, NULL: there is none
    char *profiles;      // owned; folder of the shipped ones
};

/* What the command line named; NULL: by environment and user. A place that
 * cannot be known is NULL. Touches nothing. 0, or -ENAMETOOLONG for a socket
 * that cannot be. */
int places_find(struct places *ret, const char *configuration,
                const char *socket, const char *state, struct error *e);

/* Could the service keep its jobs there? Touches nothing. */
int places_check_state(const struct places *p, struct error *e);

/* For a start: all places are known, and the state folder is there and can be
 * written to. The socket's folder has time until the store is open. */
int places_prepare(const struct places *p, struct error *e);
int places_prepare_socket(const struct places *p, struct error *e);

/* Only where the configuration is, which may be nowhere: for --check-config. */
char *places_configuration(const char *named);
void places_fini(struct places *p);

/*
 * A program of ours: @configured, or @name beside this one, below ../libexec,
 * or below the prefix. The caller frees; whether it can be started shows when
 * it is.
 */
char *places_program(const char *configured, const char *name);

#endif
