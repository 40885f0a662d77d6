#include "arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/configuration.h"

static const enum sandbox_mode modes[] = {
    [CONFIGURATION_SANDBOX_AUTO] = SANDBOX_AUTO,
    [CONFIGURATION_SANDBOX_REQUIRED] = SANDBOX_REQUIRED,
    [CONFIGURATION_SANDBOX_OFF] = SANDBOX_OFF,
};

static int set_device(struct arguments *a, const char *value)
{
    static const char gpu[] = "cuda";
    const char *number = value + strlen(gpu);

    a->device = value;
    if (strcmp(value, "cpu") == 0)
        a->sandbox.device = SANDBOX_CPU;
    else if (strncmp(value, gpu, strlen(gpu)) == 0 &&
             (!*number || *number == ':'))
        a->sandbox.device = SANDBOX_GPU;
    else
        return -EINVAL;
    return 0;
}

static int set_warm(struct arguments *a, const char *value)
{
    a->warm = value;
    return 0;
}

static int start_driver(struct arguments *a, const char *value)
{
    (void)value;
    a->starts_driver = true;
    return 0;
}

static int set_open(struct arguments *a, const char *value)
{
    a->starts_driver = true;
    a->open = value;
    return 0;
}

static int set_mode(struct arguments *a, const char *value)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(configuration_sandbox_names[i], value) == 0) {
            a->sandbox.mode = modes[i];
            return 0;
        }
    }
    return -EINVAL;
}

static int set_memory(struct arguments *a, const char *value)
{
    return text_parse_size(value, &a->sandbox.memory);
}

static int add_path(struct arguments *a, const char *value)
{
    struct sandbox_config *s = &a->sandbox;
    const char **paths = (const char **)s->paths;

    paths = xrealloc(paths, s->path_count + 1, sizeof(*paths));
    paths[s->path_count++] = value;
    s->paths = paths;
    return 0;
}

static int name_calls(struct arguments *a, const char *value)
{
    (void)value;
    a->sandbox.names_calls = true;
    return 0;
}

// clang-format off
static const struct row {
    const char *flag;
    const char *value; // NULL: takes none
    const char *help;
    int (*set)(struct arguments *a, const char *value); // NULL: @action
    enum arguments_action action;
} rows[] = {
    {"--standalone", NULL, "orders on 0, events on 1, files by 3",
     NULL, ARGUMENTS_STANDALONE},
    {"--device", "ID", "may use cpu, cuda, or cuda:0", set_device, 0},
    {"--warm", "UUID", "make a context on that card ahead", set_warm, 0},
    {"--driver", NULL, "start the driver ahead", start_driver, 0},
    {"--open", "UUID", "the same, and try a context on that card", set_open,
     0},
    {"--sandbox", "MODE", "auto, required or off", set_mode, 0},
    {"--sandbox-path", "PATH", "files below may be read and written",
     add_path, 0},
    {"--sandbox-debug", NULL, "name the system call that ends it",
     name_calls, 0},
    {"--memory", "SIZE", "use no more on the CPU", set_memory, 0},
    {"--probe-sandbox", NULL, "say as JSON which layers hold, and end",
     NULL, ARGUMENTS_PROBE},
    {"--diagnose", NULL, "tell descriptor 3 what it can see and reach",
     NULL, ARGUMENTS_DIAGNOSE},
    {"--version", NULL, "show the version, and end", NULL, ARGUMENTS_VERSION},
    {"--help", NULL, "show this, and end", NULL, ARGUMENTS_HELP},
};
// clang-format on
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct row *find(const char *word)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].flag, word) == 0)
            return &rows[i];
    }
    return NULL;
}

static int apply(struct arguments *a, const struct row *row, const char *value,
                 struct error *e)
{
    if (row->value && !value)
        return error_set(e, -EINVAL, "'%s' wants a value", row->flag);
    if (!row->set) {
        a->action = row->action;
        return 0;
    }
    int r = row->set(a, value);
    return r < 0 ? error_set(e, r, "'%s' is no value of '%s'", value, row->flag)
                 : 0;
}

/* What holds unless it is said otherwise, as in an empty configuration. */
static void set_defaults(struct arguments *a)
{
    struct configuration c;

    configuration_init(&c);
    *a = (struct arguments){
        .device = "cpu",
        .sandbox = {.mode = modes[c.sandbox], .memory = c.limits.worker_memory},
    };
    configuration_fini(&c);
}

int arguments_parse(struct arguments *ret, char **words, struct error *e)
{
    struct arguments a;
    int r = 0;

    set_defaults(&a);
    while (*words && r == 0) {
        const struct row *row = find(*words);
        if (row)
            r = apply(&a, row, row->value ? *++words : NULL, e);
        else
            r = error_set(e, -EINVAL, "unknown option '%s'", *words);
        words += r == 0;
    }
    if (r < 0)
        arguments_fini(&a);
    else
        *ret = a;
    return r;
}

void arguments_fini(struct arguments *a)
{
    free((void *)a->sandbox.paths);
}

void arguments_print(FILE *to)
{
    for (size_t i = 0; i < ROWS; i++) {
        char left[32];
        (void)snprintf(left, sizeof(left), "%s %s", rows[i].flag,
                       rows[i].value ? rows[i].value : "");
        (void)fprintf(to, "  %-20s  %s\n", left, rows[i].help);
    }
}
