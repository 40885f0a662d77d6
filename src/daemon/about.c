#include <jansson.h>

#include "base/clock.h"
#include "connection.h"
#include "daemon.h"
#include "dispatcher.h"
#include "inventory.h"
#include "lending.h"
#include "methods.h"
#include "model/device_profile.h"
#include "model/profile.h"
#include "model/state.h"
#include "reply.h"
#include "store/store.h"
#include "wire/interface.h"

void about_info(struct daemon *d, struct call *call)
{
    json_t *names = json_array();

    (void)d;
    for (size_t i = 0; interface_names[i]; i++)
        json_array_append_new(names, json_string(interface_names[i]));
    call_reply(call,
               json_pack("{s:s, s:s, s:s, s:s, s:o}", "vendor", "transcoded",
                         "product", "transcoded", "version", TRANSCODED_VERSION,
                         "url", "https://varlink.org", "interfaces", names));
}

void about_interface(struct daemon *d, struct call *call)
{
    const char *name = json_string_value(
        json_object_get(call->message.parameters, "interface"));

    (void)d;
    if (!name) {
        reply_invalid_parameter(call, "interface");
        return;
    }
    const char *text = interface_description(name);
    if (text)
        call_reply(call, json_pack("{s:s}", "description", text));
    else
        call_fail(call, INTERFACE_NOT_FOUND,
                  json_pack("{s:s}", "interface", name));
}

/* Why jobs that could be done by a GPU are done by the CPU, or wait. */
static json_t *list_problems(struct daemon *d, const struct access_peer *peer)
{
    bool is_discreet = !access_is_operator(&d->rules, peer);
    json_t *problems = json_array();
    const char *words = inventory_problem(d->inventory);
    struct lending_state state;

    if (*words)
        json_array_append_new(problems, json_string(words));
    for (const struct inventory_device *i = inventory_each(d->inventory, NULL);
         i; i = inventory_each(d->inventory, i)) {
        if (lending_state(d->lending, i->survey.id, &state) && state.trouble[0])
            json_array_append_new(
                problems,
                json_sprintf("%s %s", i->survey.id,
                             is_discreet ? state.trouble : state.details));
    }
    return problems;
}

void about_status(struct daemon *d, struct call *call)
{
    int64_t counts[STATE_COUNT];
    json_t *by_state = json_object();

    store_counts(d->store, counts);
    for (int i = 0; i < STATE_COUNT; i++)
        json_object_set_new(by_state, state_name((enum state)i),
                            json_integer(counts[i]));
    call_reply(call,
               json_pack("{s:s, s:f, s:o, s:b, s:o}", "version",
                         TRANSCODED_VERSION, "uptime",
                         (double)(clock_now() - d->started) / (double)SECOND,
                         "jobs", by_state, "drained", d->dispatcher->drained,
                         "problems", list_problems(d, &call->peer)));
}

void about_profiles(struct daemon *d, struct call *call)
{
    call_reply(call, json_pack("{s:o, s:o}", "profiles",
                               profiles_to_json(d->profiles), "cards",
                               device_profiles_to_json(d->cards)));
}
