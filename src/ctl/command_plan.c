#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "attachment.h"
#include "base/error.h"
#include "command.h"
#include "session.h"
#include "terminal.h"
#include "watch.h"
#include "wire/interface.h"

static void print_texts(const char *label, const json_t *texts)
{
    size_t i;
    const json_t *text;

    json_array_foreach (texts, i, text) {
        const char *raw = json_string_value(text);
        char *safe = terminal_escape(raw ? raw : "");
        (void)printf("%s: %s\n", label, safe);
        free(safe);
    }
}

static void on_reply(void *user, const json_t *reply)
{
    const struct invocation *v = user;
    const char *device = json_string_value(json_object_get(reply, "device"));

    if (v->settings.json) {
        session_print_json(reply);
        return;
    }
    print_texts(device ? device : "plan", json_object_get(reply, "plan"));
    print_texts("because", json_object_get(reply, "why"));
}

/* The worker that plans looks at the input through the file channel. */
static enum status attend(const struct invocation *v, struct client *c,
                          struct files *files, int channel, void *user)
{
    struct error e = {0};
    struct watch w = {.invocation = v,
                      .client = c,
                      .files = files,
                      .channel = channel,
                      .on_reply = on_reply,
                      .user = (void *)(size_t)v};

    (void)user;
    enum status s = watch_run(&w, &e);
    if (e.text[0])
        status_complain(&e);
    return s;
}

static enum status run(const struct invocation *v)
{
    return attachment_run(v, INTERFACE_PLAN, attend);
}

const struct command command_plan = {
    .name = "plan",
    .operands = "FILE|-",
    .help = "Tell how a job would be done now, and why; nothing is written",
    .least = 1,
    .most = 1,
    .run = run,
};
