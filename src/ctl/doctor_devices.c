/*
 * doctor_devices: what the service knows of its GPUs: what they can do, who
 * uses them, and how they are. From Devices, and the holders from Diagnose.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "doctor.h"
#include "model/diagnosis.h"
#include "model/mark.h"
#include "version.h"

#define LINE 1024

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* A number, or -1 where it is null. */
static double number_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_number(value) ? json_number_value(value) : -1;
}

static bool has_mark(const json_t *gpu, const char *reading, enum mark mark)
{
    return strcmp(text_of(json_object_get(gpu, "marks"), reading),
                  mark_names[mark]) == 0;
}

/* Call @judge for each GPU; say a note where there was nothing to say. */
static void each_gpu(const struct patient *p, struct finding *ret,
                     void (*judge)(const struct patient *p,
                                   const json_t *device, const json_t *gpu,
                                   struct finding *ret))
{
    size_t i;
    const json_t *device;

    json_array_foreach (p->devices, i, device) {
        const json_t *gpu = json_object_get(device, "gpu");
        if (json_is_object(gpu))
            judge(p, device, gpu, ret);
    }
    if (!ret->found)
        finding_add(ret, FINDING_NOTE, NULL,
                    "the service has no GPU to tell of");
}

/* "h264, hevc" */
static void join(const json_t *texts, char *ret, size_t size)
{
    size_t i;
    const json_t *text;

    (void)snprintf(ret, size, "%s", json_array_size(texts) ? "" : "nothing");
    json_array_foreach (texts, i, text) {
        size_t used = strlen(ret);
        (void)snprintf(ret + used, size - used, "%s%s", i ? ", " : "",
                       json_string_value(text));
    }
}

/* Is FFmpeg built for a newer NVENC than the driver's? Then that line says it.
 */
static bool is_misfit(const struct patient *p)
{
    const struct diagnosis *s = p->service;

    return s->nvenc_headers[0] && s->process.nvenc_api[0] &&
           version_compare(s->nvenc_headers, s->process.nvenc_api) > 0;
}

static bool lacks_library(const struct patient *p)
{
    const struct diagnosis_process *s = &p->service->process;

    for (size_t i = 0; i < s->library_count; i++) {
        if (s->libraries[i].problem[0])
            return true;
    }
    return false;
}

/* Do programs of others hold every session? */
static bool is_taken(const json_t *gpu)
{
    const json_t *sessions = json_object_get(gpu, "sessions");
    double limit = number_of(sessions, "limit");

    return limit >= 0 && number_of(sessions, "foreign") >= limit;
}

/* The line that says why a survey did not find all to be well; NULL: none does.
 */
static const char *find_cause(const struct patient *p, const json_t *gpu)
{
    if (is_misfit(p))
        return "nvenc";
    if (lacks_library(p))
        return "libraries";
    if (is_taken(gpu))
        return "sessions";
    return has_mark(gpu, "vram", MARK_BAD) ? "memory" : NULL;
}

static void judge_abilities(const struct patient *p, const json_t *device,
                            const json_t *gpu, struct finding *ret)
{
    const json_t *problems = json_object_get(gpu, "problems");
    bool works = strcmp(text_of(device, "health"), "ok") == 0;
    char decoders[LINE];
    char encoders[LINE];
    size_t i;
    const json_t *problem;

    join(json_object_get(gpu, "decoders"), decoders, sizeof(decoders));
    join(json_object_get(gpu, "encoders"), encoders, sizeof(encoders));
    finding_add(ret, FINDING_GOOD, NULL, "%s decodes %s and encodes %s",
                text_of(device, "id"), decoders, encoders);
    const char *cause = find_cause(p, gpu);
    if (cause) {
        finding_add(ret, FINDING_NOTE, NULL, "see '%s'", cause);
        return;
    }
    if (!works && json_array_size(problems) == 0)
        finding_add(ret, FINDING_BAD, "journalctl -u transcoded", "%s",
                    text_of(device, "health"));
    json_array_foreach (problems, i, problem)
        finding_add(ret, works ? FINDING_WARNING : FINDING_BAD,
                    "journalctl -u transcoded", "%s",
                    json_string_value(problem));
}

/* What was tried, and not what was promised. */
void doctor_survey(const struct patient *p, struct finding *ret)
{
    const struct diagnosis_process *s = &p->service->process;

    if (!p->service->is_surveyed) {
        finding_add(ret, FINDING_NOTE, NULL, "it is under way");
        return;
    }
    each_gpu(p, ret, judge_abilities);
    if (ret->state == FINDING_NOTE && s->cuda_devices > 0 && !is_misfit(p) &&
        p->problem[0])
        finding_add(ret, FINDING_BAD,
                    "systemctl restart transcoded: CUDA works now",
                    "its survey found none: %s", p->problem);
}

/* What the driver speaks, and what FFmpeg wants to hear. */
void doctor_nvenc(const struct patient *p, struct finding *ret)
{
    const struct diagnosis *s = p->service;
    char fix[160];

    (void)snprintf(fix, sizeof(fix),
                   "use an FFmpeg built with nv-codec-headers %s "
                   "(nix/ffmpeg-legacy.nix), or a newer driver",
                   s->process.nvenc_api);
    if (!s->process.nvenc_api[0])
        finding_add(ret, FINDING_NOTE, NULL, "the driver does not tell");
    else if (is_misfit(p))
        finding_add(ret, FINDING_BAD, fix,
                    "the driver speaks NVENC %s, this FFmpeg was built for %s",
                    s->process.nvenc_api, s->nvenc_headers);
    else
        finding_add(ret, FINDING_GOOD, NULL,
                    "the driver speaks NVENC %s, which is enough for FFmpeg",
                    s->process.nvenc_api);
}

/* "ffmpeg (pid 17) h264 1920x1080, …" */
static void tell_holders(const struct diagnosis *s, const char *device,
                         char *ret, size_t size)
{
    ret[0] = '\0';
    for (size_t i = 0; i < s->session_count; i++) {
        const struct diagnosis_session *h = &s->sessions[i];
        size_t used = strlen(ret);
        if (strcmp(h->device, device) != 0)
            continue;
        (void)snprintf(ret + used, size - used, "%s%s (pid %lld) %s %dx%d",
                       used ? ", " : ": ", h->name[0] ? h->name : "?",
                       (long long)h->pid, h->codec, h->width, h->height);
    }
}

/* ", 3 at most"; nothing where the driver knows no bound. */
static void tell_limit(int limit, char *ret, size_t size)
{
    ret[0] = '\0';
    if (limit >= 0)
        (void)snprintf(ret, size, ", %d at most", limit);
}

static void judge_sessions(const struct patient *p, const json_t *device,
                           const json_t *gpu, struct finding *ret)
{
    const json_t *sessions = json_object_get(gpu, "sessions");
    int own = (int)number_of(sessions, "own");
    int foreign = (int)number_of(sessions, "foreign");
    int limit = (int)number_of(sessions, "limit");
    char holders[LINE];
    char most[32];

    if (foreign < 0) {
        finding_add(ret, FINDING_NOTE, NULL, "%s: not available",
                    text_of(device, "id"));
        return;
    }
    tell_holders(p->service, text_of(device, "id"), holders, sizeof(holders));
    tell_limit(limit, most, sizeof(most));
    finding_add(ret, FINDING_GOOD, NULL, "%s: %d ours, %d of others%s%s",
                text_of(device, "id"), own, foreign, most, holders);
    if (is_taken(gpu))
        finding_add(ret, FINDING_WARNING,
                    "end one of these programs, or give their work to the "
                    "service",
                    "others hold every session: jobs go to the CPU");
}

void doctor_sessions(const struct patient *p, struct finding *ret)
{
    each_gpu(p, ret, judge_sessions);
}

/* "python3 (pid 17)"; who is not to know it gets no number. */
static void name_process(const json_t *process, char *ret, size_t size)
{
    const char *name = text_of(process, "name");
    int pid = (int)number_of(process, "pid");

    if (pid > 0)
        (void)snprintf(ret, size, "%s (pid %d)", name[0] ? name : "?", pid);
    else
        (void)snprintf(ret, size, "a program (which: not permitted)");
}

/* "python3 (pid 17) 1.1G, …" */
static void tell_processes(const json_t *processes, char *ret, size_t size)
{
    size_t i;
    const json_t *process;

    ret[0] = '\0';
    json_array_foreach (processes, i, process) {
        int64_t vram = (int64_t)number_of(process, "vram");
        size_t used = strlen(ret);
        char amount[32] = "";
        char name[96];

        if (vram >= 0)
            text_format_size(vram, amount, sizeof(amount));
        name_process(process, name, sizeof(name));
        (void)snprintf(ret + used, size - used, "%s%s %s", i ? ", " : ": ",
                       name, amount);
    }
}

static enum finding_state state_of(const json_t *gpu, const char *reading)
{
    if (has_mark(gpu, reading, MARK_BAD))
        return FINDING_BAD;
    return has_mark(gpu, reading, MARK_WARN) ? FINDING_WARNING : FINDING_GOOD;
}

static void judge_memory(const struct patient *p, const json_t *device,
                         const json_t *gpu, struct finding *ret)
{
    double total = number_of(gpu, "vram_total");
    double available = number_of(gpu, "vram_free");
    enum finding_state state = state_of(gpu, "vram");
    char holders[LINE];
    char least[32];
    char most[32];

    (void)p;
    if (total < 0 || available < 0) {
        finding_add(ret, FINDING_NOTE, NULL, "%s: not available",
                    text_of(device, "id"));
        return;
    }
    tell_processes(json_object_get(gpu, "processes"), holders, sizeof(holders));
    text_format_size((int64_t)available, least, sizeof(least));
    text_format_size((int64_t)total, most, sizeof(most));
    finding_add(ret, state,
                state > FINDING_GOOD
                    ? "end or limit one of these programs: jobs go to the CPU"
                    : NULL,
                "%s: %s of %s are free%s", text_of(device, "id"), least, most,
                holders);
}

void doctor_memory(const struct patient *p, struct finding *ret)
{
    each_gpu(p, ret, judge_memory);
}

/* Readings with a range in which a card is well. */
static const struct {
    const char *name;
    const char *unit;
    const char *fix;
} readings[] = {
    {"temperature", "°C", "look after fan, dust and the air in the case"},
    {"power", "W", "nvidia-smi -q -d POWER, and what uses the card"},
};

static void judge_readings(const struct patient *p, const json_t *device,
                           const json_t *gpu, struct finding *ret)
{
    (void)p;
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        double value = number_of(gpu, readings[i].name);
        enum finding_state state = state_of(gpu, readings[i].name);

        if (value < 0)
            finding_add(ret, FINDING_NOTE, NULL, "%s: %s is not available",
                        text_of(device, "id"), readings[i].name);
        else
            finding_add(
                ret, state, state > FINDING_GOOD ? readings[i].fix : NULL,
                "%s: %.0f %s%s", text_of(device, "id"), value, readings[i].unit,
                state > FINDING_GOOD ? ", out of its range" : "");
    }
}

void doctor_health(const struct patient *p, struct finding *ret)
{
    each_gpu(p, ret, judge_readings);
}
