#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/configuration.h"
#include "places.h"

struct words {
    char **list; // ended by NULL
    size_t count;
};

/* Consumes @word. */
static void add(struct words *w, char *word)
{
    w->list = xrealloc(w->list, w->count + 2, sizeof(*w->list));
    w->list[w->count++] = word;
    w->list[w->count] = NULL;
}

static void add_pair(struct words *w, const char *flag, const char *value)
{
    add(w, xstrdup(flag));
    add(w, xstrdup(value));
}

static void add_ahead(struct words *w, enum command_ahead ahead,
                      const char *uuid)
{
    switch (ahead) {
    case COMMAND_NOTHING:
        break;
    case COMMAND_DRIVER:
        add(w, xstrdup("--driver"));
        break;
    case COMMAND_OPEN:
        add_pair(w, "--open", uuid);
        break;
    case COMMAND_WARM:
        add_pair(w, "--warm", uuid);
        break;
    }
}

void command_init(struct command *ret, const struct configuration *c,
                  const char *device, enum command_ahead ahead,
                  const char *uuid)
{
    struct words w = {0};

    add_pair(&w, "--device", device);
    add_ahead(&w, ahead, uuid);
    add_pair(&w, "--sandbox", configuration_sandbox_names[c->sandbox]);
    add(&w, xstrdup("--memory"));
    add(&w, xasprintf("%lld", (long long)c->limits.worker_memory));
    if (c->sandbox_debug)
        add(&w, xstrdup("--sandbox-debug"));
    for (size_t i = 0; i < c->sandbox_path_count; i++)
        add_pair(&w, "--sandbox-path", c->sandbox_paths[i]);
    ret->program = places_program(c->worker, "transcoded-worker");
    ret->arguments = w.list;
}

void command_fini(struct command *c)
{
    for (size_t i = 0; c->arguments && c->arguments[i]; i++)
        free(c->arguments[i]);
    free(c->arguments);
    free(c->program);
}

bool command_is_same(const struct command *a, const struct command *b)
{
    size_t i = 0;

    if (!a->arguments || !b->arguments)
        return a->arguments == b->arguments;
    while (a->arguments[i] && b->arguments[i] &&
           strcmp(a->arguments[i], b->arguments[i]) == 0)
        i++;
    return !a->arguments[i] && !b->arguments[i] &&
           strcmp(a->program, b->program) == 0;
}
