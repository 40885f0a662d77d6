#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "connection.h"
#include "daemon.h"
#include "dispatcher.h"
#include "methods.h"
#include "model/device.h"
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

void about_status(struct daemon *d, struct call *call)
{
    int64_t counts[STATE_COUNT];
    json_t *by_state = json_object();

    store_counts(d->store, counts);
    for (int i = 0; i < STATE_COUNT; i++)
        json_object_set_new(by_state, state_name((enum state)i),
                            json_integer(counts[i]));
    call_reply(call,
               json_pack("{s:s, s:f, s:o, s:b}", "version", TRANSCODED_VERSION,
                         "uptime",
                         (double)(clock_now() - d->started) / (double)SECOND,
                         "jobs", by_state, "drained", d->dispatcher->drained));
}

/* The processor's own name; the file is the kernel's, so reading cannot wait.*/
static void name_cpu(char *ret, size_t size)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "re");

    (void)snprintf(ret, size, "CPU");
    while (f && fgets(line, sizeof(line), f)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, "model name", 10) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        text_escape(colon + 1 + strspn(colon + 1, " "), ret, size);
        break;
    }
    if (f)
        (void)fclose(f);
}

static double load_of_cpu(long cores)
{
    double load;

    if (getloadavg(&load, 1) != 1 || cores < 1)
        return -1;
    load /= (double)cores;
    return load > 1 ? 1 : load;
}

void about_devices(struct daemon *d, struct call *call)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct device cpu = {
        .id = "cpu",
        .cores = (int32_t)cores,
        .running = (int32_t)d->dispatcher->load.cpu_jobs,
        .limit = (int32_t)d->configuration.limits.cpu_jobs,
        .load = load_of_cpu(cores),
        .health = "ok",
    };

    name_cpu(cpu.name, sizeof(cpu.name));
    call_reply(call, json_pack("{s:[o]}", "devices", device_to_json(&cpu)));
}

void about_profiles(struct daemon *d, struct call *call)
{
    call_reply(call,
               json_pack("{s:o}", "profiles", profiles_to_json(d->profiles)));
}
