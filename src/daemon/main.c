/*
 * transcoded: the service. What it does with its command line; the rest is
 * daemon.h's.
 */
#include <errno.h>
#include <jansson.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "daemon.h"
#include "journal.h"
#include "model/configuration.h"
#include "settings.h"
#include "store/store.h"

// of sysexits(3), which systemd shows by name
#define EXIT_USAGE         2
#define EXIT_CONFIGURATION 78

enum action {
    ACTION_SERVE,
    ACTION_CHECK,
    ACTION_PRINT,
    ACTION_VERSION,
    ACTION_HELP,
};

struct arguments {
    enum action action;
    const char *configuration;
    const char *socket;
    const char *state;
};

enum option_id {
    OPTION_ID_CONFIG = 1,
    OPTION_ID_SOCKET,
    OPTION_ID_STATE,
    OPTION_ID_CHECK,
    OPTION_ID_PRINT,
    OPTION_ID_VERSION,
    OPTION_ID_HELP,
};

// clang-format off
static const struct {
    enum option_id id;
    const char *name;
    const char *value; // NULL: takes none
    const char *help;
} options[] = {
    {OPTION_ID_CONFIG,  "config",       "FILE",   "read this configuration"},
    {OPTION_ID_SOCKET,  "socket",       "PATH",   "listen here"},
    {OPTION_ID_STATE,   "state-dir",    "FOLDER", "keep jobs here"},
    {OPTION_ID_CHECK,   "check-config", NULL,     "say what is wrong with the configuration, and end"},
    {OPTION_ID_PRINT,   "print-config", NULL,     "show the configuration with all defaults, and end"},
    {OPTION_ID_VERSION, "version",      NULL,     "show the version, and end"},
    {OPTION_ID_HELP,    "help",         NULL,     "show this, and end"},
};
// clang-format on
#define OPTION_TOTAL (sizeof(options) / sizeof(options[0]))

static void print_help(void)
{
    (void)printf("usage: transcoded [OPTION]...\n\n"
                 "Transcoding service: takes jobs on a Unix socket, runs each "
                 "in a process of its own.\n\n");
    for (size_t i = 0; i < OPTION_TOTAL; i++) {
        char left[64];
        (void)snprintf(left, sizeof(left), "--%s%s%s", options[i].name,
                       options[i].value ? " " : "",
                       options[i].value ? options[i].value : "");
        (void)printf("  %-20s  %s\n", left, options[i].help);
    }
    (void)printf("\nSee transcoded(8).\n");
}

static int complain(const char *what, const char *about)
{
    (void)fprintf(stderr, "transcoded: %s '%s'\nTry 'transcoded --help'.\n",
                  what, about);
    return EXIT_USAGE;
}

/* The row of "--NAME" or "--NAME=VALUE", -1 when there is none. */
static int find_option(const char *word)
{
    for (size_t i = 0; i < OPTION_TOTAL; i++) {
        size_t length = strlen(options[i].name);
        if (strncmp(word, "--", 2) == 0 &&
            strncmp(word + 2, options[i].name, length) == 0 &&
            (word[2 + length] == '\0' || word[2 + length] == '='))
            return (int)i;
    }
    return -1;
}

static void apply(struct arguments *a, enum option_id id, const char *value)
{
    switch (id) {
    case OPTION_ID_CONFIG:
        a->configuration = value;
        break;
    case OPTION_ID_SOCKET:
        a->socket = value;
        break;
    case OPTION_ID_STATE:
        a->state = value;
        break;
    case OPTION_ID_CHECK:
        a->action = ACTION_CHECK;
        break;
    case OPTION_ID_PRINT:
        a->action = ACTION_PRINT;
        break;
    case OPTION_ID_VERSION:
        a->action = ACTION_VERSION;
        break;
    case OPTION_ID_HELP:
        a->action = ACTION_HELP;
        break;
    }
}

/* 0, or the exit status of a wrong command line. */
static int parse(char **words, struct arguments *ret)
{
    for (; *words; words++) {
        int row = find_option(*words);
        if (row < 0)
            return complain("what is", *words);
        const char *equals = strchr(*words, '=');
        if (equals && !options[row].value)
            return complain("no value is taken by", *words);
        const char *value = equals ? equals + 1 : NULL;
        if (!value && options[row].value) {
            if (!words[1])
                return complain("a value is missing behind", *words);
            value = *++words;
        }
        apply(ret, options[row].id, value);
    }
    return 0;
}

static int fail(struct error *e, int status)
{
    error_tell_field(e);
    log_error(NULL, "%s", e->text);
    return status;
}

static int read_configuration(const char *named, struct configuration *ret,
                              struct error *e)
{
    char *path = places_configuration(named);
    int r = 0;

    if (path)
        r = configuration_from_file(ret, path, e);
    else
        configuration_init(ret);
    free(path);
    return r;
}

static void print(const struct configuration *c)
{
    json_t *json = configuration_to_json(c);

    (void)json_dumpf(json, stdout, JSON_INDENT(2));
    (void)printf("\n");
    json_decref(json);
}

/* A client is a descriptor, and the usual soft limit is for those who use
 * select(). Workers and openers lower theirs in their first lines. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_warning(NULL, "cannot have more descriptors: %s", strerror(errno));
}

static int find_places(const struct arguments *a, struct places *ret,
                       struct error *e)
{
    *ret = (struct places){0};
    return places_find(ret, a->configuration, a->socket, a->state, e);
}

static int serve(const struct arguments *a, struct configuration *c)
{
    struct places places;
    struct error e = {0};
    struct daemon *d = calloc(1, sizeof(*d));

    if (!d)
        return EXIT_FAILURE;
    int r = find_places(a, &places, &e);
    if (r < 0) {
        configuration_fini(c);
        free(d);
        return fail(&e, EXIT_CONFIGURATION);
    }
    raise_descriptors();
    r = daemon_open(d, &places, c, &e);
    if (r == 0)
        daemon_run(d);
    daemon_close(d);
    free(d);
    return r < 0 ? fail(&e, EXIT_CONFIGURATION) : EXIT_SUCCESS;
}

/* A state folder that was not named and is not there is nobody's yet. */
static int check_state(const struct arguments *a, const struct places *p,
                       struct error *e)
{
    if (!p->state || (!a->state && access(p->state, F_OK) < 0))
        return 0;
    int r = places_check_state(p, e);
    return r < 0 ? r : store_check(p->state, e);
}

/* What a start would find, touching nothing. */
static int check(const struct arguments *a, const struct configuration *c,
                 struct error *e)
{
    struct places places;

    int r = find_places(a, &places, e);
    if (r < 0)
        return r;
    r = settings_check(c, &places, e);
    if (r == 0)
        r = check_state(a, &places, e);
    places_fini(&places);
    return r;
}

/* Actions that have to do with the configuration. */
static int act(const struct arguments *a)
{
    struct configuration c;
    struct error e = {0};

    int r = read_configuration(a->configuration, &c, &e);
    if (r < 0)
        return fail(&e, a->action == ACTION_SERVE ? EXIT_CONFIGURATION
                                                  : EXIT_USAGE);
    log_set_level(c.log_level);
    if (a->action == ACTION_SERVE)
        return serve(a, &c);
    if (a->action == ACTION_PRINT)
        print(&c);
    if (a->action == ACTION_CHECK)
        r = check(a, &c, &e);
    configuration_fini(&c);
    return r < 0 ? fail(&e, EXIT_USAGE) : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};

    // what our starter left open is not for workers
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    struct journal *journal = journal_start(JOURNAL_ADDRESS);
    int status = parse(argv + (argc > 0), &a);
    if (status)
        ; // it is said what is wrong
    else if (a.action == ACTION_HELP)
        print_help();
    else if (a.action == ACTION_VERSION)
        (void)printf("transcoded %s\n", TRANSCODED_VERSION);
    else
        status = act(&a);
    journal_stop(journal);
    return status;
}
