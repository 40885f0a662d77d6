#include "fallback.h"

#include <stdio.h>
#include <string.h>

#define WAITS_MOST 4 // for sessions or memory, of one job

/* What an outcome on a GPU means for the next attempt. */
// clang-format off
static const struct {
    bool is_of_device;
    bool has_part;    // if it is: else it is the machine's, or the job's
    bool passes;      // by itself, when others give something back
    bool may_be_job;  // as likely the input's fault: a GPU that is required
                      // gets as many tries as the CPU would
    bool is_told;     // by a driver: what the worker says are its words
    const char *words;
} meanings[OUTCOME_COUNT] = {
    [OUTCOME_NO_SESSION]  = {true, false, true, false, true, "no encoder session was free"},
    [OUTCOME_NO_MEMORY]   = {true, true, true, false, true, "its memory did not suffice"},
    [OUTCOME_DEVICE_LOST] = {true, false, false, false, true, "it failed"},
    [OUTCOME_BAD_INPUT]   = {true, true, false, false, false, "it does not take this"},
    [OUTCOME_BAD_REQUEST] = {true, true, false, false, false, "it does not take this"},
    [OUTCOME_STALLED]     = {true, false, false, true, false, "it hung"},
    [OUTCOME_CRASHED]     = {true, false, false, true, false, "the worker crashed on it"},
    [OUTCOME_KILLED]      = {true, false, false, true, false, "the worker was killed on it"},
};

static const char *const parts[OUTCOME_PART_COUNT] = {
    [OUTCOME_PART_NONE]   = "",
    [OUTCOME_PART_DECODE] = " decoding",
    [OUTCOME_PART_ENCODE] = " encoding",
    [OUTCOME_PART_DEVICE] = "",
};
// clang-format on

static const struct fallback_bar *find(const struct fallback *f,
                                       const char *device)
{
    for (size_t i = 0; i < f->bar_count; i++) {
        if (strcmp(f->bars[i].device, device) == 0)
            return &f->bars[i];
    }
    return NULL;
}

bool fallback_allows(const struct fallback *f, const char *device,
                     enum outcome_part part)
{
    const struct fallback_bar *bar = find(f, device);

    if (!bar)
        return true;
    switch (part) {
    case OUTCOME_PART_DECODE:
        return !bar->decode;
    case OUTCOME_PART_ENCODE:
        return !bar->encode;
    case OUTCOME_PART_NONE:
    case OUTCOME_PART_DEVICE:
    case OUTCOME_PART_COUNT:
        break;
    }
    return !bar->decode || !bar->encode;
}

static struct fallback_bar *want(struct fallback *f, const char *device)
{
    struct fallback_bar *bar = (struct fallback_bar *)find(f, device);

    if (bar)
        return bar;
    if (f->bar_count == FALLBACK_DEVICES_MOST)
        return &f->bars[0]; // there are no more devices than that
    bar = &f->bars[f->bar_count++];
    *bar = (struct fallback_bar){0};
    (void)snprintf(bar->device, sizeof(bar->device), "%s", device);
    return bar;
}

/* What the attempt did not use cannot have failed alone: then it is all of it,
 * and so it is if what is left would be nothing. */
static void bar(struct fallback *f, const struct grant *given,
                enum outcome_part part)
{
    struct fallback_bar *b = want(f, given->device);
    bool decode = part == OUTCOME_PART_DECODE && given->decode;
    bool encode = part == OUTCOME_PART_ENCODE && given->sessions > 0;

    b->decode |= decode || !encode || !given->decode;
    b->encode |= encode || !decode || given->sessions == 0;
}

/* Is there a device left that encodes all of it? */
static bool may_encode_all(const struct fallback *f, const struct need *need)
{
    for (size_t i = 0; i < need->device_count; i++) {
        const struct need_device *d = &need->devices[i];
        if ((size_t)d->sessions >= need->rendition_count &&
            fallback_allows(f, d->id, OUTCOME_PART_ENCODE))
            return true;
    }
    return false;
}

static bool is_of_device(const char *device, enum outcome outcome,
                         enum outcome_part part)
{
    if (!meanings[outcome].is_of_device || strcmp(device, "cpu") == 0)
        return false;
    return !meanings[outcome].has_part || part != OUTCOME_PART_NONE;
}

bool fallback_is_of_driver(const char *device, enum outcome outcome,
                           enum outcome_part part)
{
    return meanings[outcome].is_told && is_of_device(device, outcome, part);
}

const char *fallback_words(enum outcome outcome)
{
    return meanings[outcome].words;
}

void fallback_describe(const struct grant *given, enum outcome outcome,
                       enum outcome_part part, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s%s: %s", given->device, parts[part],
                   fallback_words(outcome));
}

static void note(struct fallback *f, const struct grant *given,
                 enum outcome outcome, enum outcome_part part)
{
    f->is_pending = true;
    (void)snprintf(f->from, sizeof(f->from), "%s", given->device);
    fallback_describe(given, outcome, part, f->reason, sizeof(f->reason));
}

enum fallback_step fallback_judge(struct fallback *f,
                                  enum job_hardware hardware,
                                  const struct need *need,
                                  const struct grant *given,
                                  enum outcome outcome, enum outcome_part part)
{
    if (!is_of_device(given->device, outcome, part))
        return FALLBACK_NONE; // the CPU would fare no better
    if (hardware == JOB_HARDWARE_REQUIRE && meanings[outcome].may_be_job)
        return FALLBACK_NONE;

    // who waits for a GPU waits for it again
    if (meanings[outcome].passes && hardware != JOB_HARDWARE_AUTO &&
        ++f->waits < WAITS_MOST)
        return FALLBACK_AGAIN;
    bar(f, given, part);
    note(f, given, outcome, part);
    if (hardware == JOB_HARDWARE_REQUIRE && !may_encode_all(f, need))
        return FALLBACK_END;
    return FALLBACK_WITHOUT;
}
