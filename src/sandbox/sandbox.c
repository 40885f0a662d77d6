#include "sandbox/sandbox.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "sandbox/confine.h"
#include "sandbox/landlock.h"
#include "sandbox/paths.h"
#include "sandbox/seccomp.h"

const char *const sandbox_layer_names[SANDBOX_LAYER_COUNT] = {
    [SANDBOX_FILES] = "landlock",
    [SANDBOX_CALLS] = "seccomp",
    [SANDBOX_MEMORY] = "memory",
};

// clang-format off
const char *const sandbox_state_names[SANDBOX_STATE_COUNT] = {
    [SANDBOX_NOT_YET]      = "not yet on",
    [SANDBOX_ON]           = "on",
    [SANDBOX_UNAVAILABLE]  = "not available",
    [SANDBOX_SWITCHED_OFF] = "off",
    [SANDBOX_INAPPLICABLE] = "not applicable",
};
// clang-format on

static void set(struct sandbox *s, enum sandbox_layer layer,
                enum sandbox_state state, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void set(struct sandbox *s, enum sandbox_layer layer,
                enum sandbox_state state, const char *format, ...)
{
    va_list arguments;

    s->layers[layer].state = state;
    va_start(arguments, format);
    (void)vsnprintf(s->layers[layer].words, sizeof(s->layers[layer].words),
                    format, arguments);
    va_end(arguments);
}

/* From the result of putting a layer on. */
static void note(struct sandbox *s, enum sandbox_layer layer, int result,
                 const struct error *e)
{
    if (result < 0)
        set(s, layer, SANDBOX_UNAVAILABLE, "%s", e->text);
    else
        set(s, layer, SANDBOX_ON, "%s", "");
}

static void confine_files(struct sandbox *s)
{
    const struct sandbox_config *c = &s->config;
    struct paths *paths = paths_create(c->device, c->paths, c->path_count);
    struct error e = {0};
    size_t count;
    const struct landlock_rule *rules = paths_rules(paths, &count);

    note(s, SANDBOX_FILES, landlock_confine(rules, count, &e), &e);
    paths_destroy(paths);
    if (s->layers[SANDBOX_FILES].state == SANDBOX_ON)
        set(s, SANDBOX_FILES, SANDBOX_ON, "version %d", landlock_version());
}

void sandbox_enter(struct sandbox *ret, const struct sandbox_config *config)
{
    struct sandbox s = {.config = *config};

    for (int i = 0; config->mode == SANDBOX_OFF && i < SANDBOX_LAYER_COUNT; i++)
        set(&s, (enum sandbox_layer)i, SANDBOX_SWITCHED_OFF,
            "by the configuration");
    if (config->mode != SANDBOX_OFF)
        confine_files(&s);
    *ret = s;
}

static void bound_memory(struct sandbox *s, enum sandbox_device device)
{
    struct error e = {0};

    if (device == SANDBOX_GPU)
        set(s, SANDBOX_MEMORY, SANDBOX_INAPPLICABLE,
            "a GPU's driver reserves more than it uses");
    else if (s->config.memory == 0)
        set(s, SANDBOX_MEMORY, SANDBOX_SWITCHED_OFF, "no bound is configured");
    else
        note(s, SANDBOX_MEMORY, confine_memory(s->config.memory, &e), &e);
}

void sandbox_seal(struct sandbox *s, enum sandbox_device device)
{
    struct error e = {0};
    enum seccomp_verdict verdict =
        s->config.names_calls ? SECCOMP_NAME_AND_KILL : SECCOMP_KILL;

    if (s->config.mode == SANDBOX_OFF)
        return;
    bound_memory(s, device);
    note(s, SANDBOX_CALLS, seccomp_confine(device, verdict, &e), &e);
}

int sandbox_missing(const struct sandbox *s, struct error *e)
{
    for (int i = 0; i < SANDBOX_LAYER_COUNT; i++) {
        enum sandbox_state state = s->layers[i].state;
        if (state == SANDBOX_UNAVAILABLE || state == SANDBOX_NOT_YET)
            return error_set(e, -ENOTSUP, "the sandbox's layer '%s' is %s: %s",
                             sandbox_layer_names[i], sandbox_state_names[state],
                             s->layers[i].words);
    }
    return 0;
}
