/* The method Devices: the CPU and the GPUs, as they are now. */
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
#include "inventory.h"
#include "lending.h"
#include "methods.h"
#include "model/device.h"
#include "model/device_profile.h"
#include "model/mark.h"

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

static json_t *describe_cpu(const struct daemon *d)
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
    return device_to_json(&cpu);
}

/* What a survey has found of it. Decoders are the first that it tries, and
 * encoders the last. */
static void tell_abilities(const struct survey_device *s, char *ret,
                           size_t size)
{
    const char *first = s->problem_count ? s->problems[0] : "";
    const char *last =
        s->problem_count ? s->problems[s->problem_count - 1] : "";

    if (!s->decoder_count && !s->encoder_count)
        (void)snprintf(ret, size, "%s",
                       *first ? first : "it can neither decode nor encode");
    else if (!s->encoder_count)
        (void)snprintf(ret, size, "it cannot encode%s%s", *last ? ": " : "",
                       last);
    else if (!s->decoder_count)
        (void)snprintf(ret, size, "it cannot decode%s%s", *first ? ": " : "",
                       first);
    else
        (void)snprintf(ret, size, "ok");
}

/* @trouble is its quarantine's, "": it is in none. */
static void tell_health(const struct inventory_device *i, const char *trouble,
                        char *ret, size_t size)
{
    if (*trouble)
        (void)snprintf(ret, size, "%s", trouble);
    else if (!i->is_present)
        (void)snprintf(ret, size, "the last survey did not find it");
    else
        tell_abilities(&i->survey, ret, size);
    text_repair(ret);
}

static json_t *describe_gpu(const struct daemon *d,
                            const struct inventory_device *i,
                            const struct access_peer *peer)
{
    int64_t now = clock_now();
    const struct survey_device *survey = &i->survey;
    const struct sample *sample = inventory_latest(i, now);
    const struct device_profile *card =
        device_profiles_find(d->cards, survey->name);
    struct marks marks;
    struct lending_state state = {.limit = DEVICE_UNKNOWN};

    (void)lending_state(d->lending, survey->id, &state);
    struct device_gpu gpu = {
        .survey = survey,
        .sample = sample,
        .marks = &marks,
        .own = state.own,
        .foreign = sample ? state.foreign : DEVICE_UNKNOWN,
        .limit = state.limit,
        .is_discreet = !access_is_operator(&d->rules, peer),
    };
    struct device device = {
        .running = state.attempts,
        .limit = DEVICE_UNKNOWN,
        .load = sample ? sample->load : DEVICE_UNKNOWN,
        .gpu = &gpu,
    };

    (void)snprintf(device.id, sizeof(device.id), "%s", survey->id);
    (void)snprintf(device.name, sizeof(device.name), "%s", survey->name);
    tell_health(i, gpu.is_discreet ? state.trouble : state.details,
                device.health, sizeof(device.health));
    mark_judge(&marks, sample, card, &i->heat, now);
    return device_to_json(&device);
}

void devices_show(struct daemon *d, struct call *call)
{
    json_t *devices = json_pack("[o]", describe_cpu(d));

    for (const struct inventory_device *i = inventory_each(d->inventory, NULL);
         i; i = inventory_each(d->inventory, i))
        json_array_append_new(devices, describe_gpu(d, i, &call->peer));
    call_reply(call, json_pack("{s:o, s:s}", "devices", devices, "problem",
                               inventory_problem(d->inventory)));
}
