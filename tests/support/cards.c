#include "support/cards.h"

#include <stdio.h>
#include <string.h>

const struct limits cards_limits = {
    .attempts = 8,
    .attempts_per_uid = 8,
    .cpu_jobs = 2,
    .cpu_threads = 6,
    .batch_age = 100 * SECOND,
    .prefer_wait = 60 * SECOND,
};

void cards_init(struct cards *s, size_t count)
{
    static const char *const ids[] = {"cuda:0", "cuda:1"};

    *s = (struct cards){.view = {.limits = &cards_limits, .now = CARDS_NOW}};
    s->view.device_count = count;
    for (size_t i = 0; i < count; i++) {
        capacity_init(&s->capacities[i]);
        s->capacities[i].listed = 3;
        s->view.devices[i] = (struct scheduler_device){
            .id = ids[i],
            .capacity = &s->capacities[i],
            .use = {.total = 4096 * CARDS_MIB, .reserve = 512 * CARDS_MIB},
            .decodes = true,
            .encodes = true,
        };
    }
}

struct need cards_need(size_t renditions)
{
    return (struct need){
        .decodes_video = true,
        .width = 1920,
        .height = 1080,
        .rendition_count = renditions,
        .devices = {{.id = "cuda:0",
                     .sessions = (int32_t)renditions,
                     .decodes = true},
                    {.id = "cuda:1",
                     .sessions = (int32_t)renditions,
                     .decodes = true}},
        .device_count = 2,
    };
}

struct scheduler_answer cards_decide_on(struct cards *s, struct cards_ask ask,
                                        const char *device)
{
    static const struct fallback nothing;
    const struct scheduler_job job = {
        .priority = ask.priority,
        .hardware = ask.hardware,
        .device = device,
        .lane = ask.hardware,
        .need = ask.need,
        .fallback = ask.fallback ? ask.fallback : &nothing,
        .since = CARDS_NOW - ask.waited,
    };
    struct scheduler_answer a;

    scheduler_decide(&s->view, &job, &a);
    return a;
}

struct scheduler_answer cards_decide(struct cards *s, struct cards_ask ask)
{
    return cards_decide_on(s, ask, NULL);
}

const char *cards_describe(const struct scheduler_answer *a)
{
    static char text[96];

    if (a->verdict == SCHEDULER_WAITS)
        return a->lane == JOB_HARDWARE_NONE    ? "waits for the cpu"
               : a->lane >= JOB_HARDWARE_COUNT ? "waits for one card"
                                               : "waits";
    if (a->verdict == SCHEDULER_RETURNS)
        return "returns";
    if (a->verdict == SCHEDULER_REFUSES)
        (void)snprintf(text, sizeof(text), "refused %s",
                       outcome_name(a->outcome));
    else if (strcmp(a->grant.device, "cpu") == 0)
        (void)snprintf(text, sizeof(text), "cpu%s",
                       a->takes_slot ? " slot" : "");
    else
        (void)snprintf(text, sizeof(text), "%s %d%s%s%s", a->grant.device,
                       (int)a->grant.sessions, a->grant.decode ? " decode" : "",
                       a->takes_slot ? " slot" : "",
                       a->sends_warm_away ? " warm" : "");
    return text;
}
