/*
 * vgpuctl: look at a simulated machine, and change it.
 *
 *   vgpuctl counters            all counters as JSON
 *   vgpuctl settings            every setting, its default and what it is for
 *   vgpuctl set NAME=VALUE...   the control file, for processes to come
 *   vgpuctl reset               forget counters, faults and the control file
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "settings.h"

static int print_counters(char **args)
{
    (void)args;
    if (!machine_observe())
        return 1;
    machine_print(stdout);
    return 0;
}

/* As the table of README.md, which a test holds against it. */
static int print_settings(char **args)
{
    (void)args;
    printf("| setting | default | |\n| --- | --- | --- |\n");
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *s = &settings_table[i];
        printf("| `%s` | %s | %s%s |\n", s->name, s->fallback,
               s->source == SETTING_GUESS ? "guess: " : "", s->help);
    }
    return 0;
}

static void control_path(char *path, size_t size, const char *suffix)
{
    snprintf(path, size, "%s/control%s", settings_machine(), suffix);
}

/* The whole new control file at once: nobody reads half of one. */
static int set_control(char **args)
{
    char path[4096], temporary[4096];

    if (!machine_observe())
        return 1;
    control_path(path, sizeof(path), "");
    control_path(temporary, sizeof(temporary), ".new");
    FILE *out = fopen(temporary, "we");
    if (!out) {
        perror(temporary);
        return 1;
    }
    for (; *args; args++)
        fprintf(out, "%s\n", *args);
    if (fclose(out) || rename(temporary, path) < 0) {
        perror(path);
        return 1;
    }
    return 0;
}

static int reset(char **args)
{
    char path[4096];
    struct machine_state *m = machine_observe();

    (void)args;
    if (!m)
        return 1;
    control_path(path, sizeof(path), "");
    unlink(path);
    machine_lock();
    m->lost = 0;
    m->processes_ended = 0;
    m->processes_killed = 0;
    memset(&m->ended, 0, sizeof(m->ended));
    memset(&m->peaks, 0, sizeof(m->peaks));
    machine_unlock();
    return 0;
}

static const struct {
    const char *name;
    int (*run)(char **args);
} commands[] = {
    {"counters", print_counters},
    {"settings", print_settings},
    {"set", set_control},
    {"reset", reset},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (argc > 1 && !strcmp(argv[1], commands[i].name))
            return commands[i].run(argv + 2);
    }
    fprintf(stderr, "usage: vgpuctl counters | settings | set NAME=VALUE... | "
                    "reset\n");
    return 2;
}
