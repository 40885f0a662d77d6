#include "quarantine.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define STRIKES_MOST 4
#define FORGIVE      (120 * SECOND) // strikes that are older than the last so
#define PAUSE_FIRST  (2 * SECOND)
#define PAUSE_MOST   (300 * SECOND)
#define TRUSTED      (600 * SECOND) // well for so long: as if it never failed

/* What counts against a device, and how much: a job may crash a driver by
 * itself, a lost device is lost. */
// clang-format off
static const int32_t weights[OUTCOME_COUNT][OUTCOME_PART_COUNT] = {
    [OUTCOME_DEVICE_LOST] = {
        [OUTCOME_PART_NONE]   = 2,
        [OUTCOME_PART_DECODE] = 2,
        [OUTCOME_PART_ENCODE] = 2,
        [OUTCOME_PART_DEVICE] = STRIKES_MOST,
    },
    [OUTCOME_STALLED] = {[OUTCOME_PART_NONE] = 2},
    [OUTCOME_CRASHED] = {[OUTCOME_PART_NONE] = 1},
};
// clang-format on

/* A failure of nothing in particular is one of the whole. */
static enum outcome_part accused(enum outcome_part part)
{
    return part == OUTCOME_PART_NONE ? OUTCOME_PART_DEVICE : part;
}

static void bar(struct quarantine *q, enum outcome outcome,
                enum outcome_part part, const char *text, int64_t now)
{
    if (q->healed && now - q->healed > TRUSTED)
        q->pause = 0;
    q->pause = q->pause ? 2 * q->pause : PAUSE_FIRST;
    if (q->pause > PAUSE_MOST)
        q->pause = PAUSE_MOST;
    q->parts |= QUARANTINE_BIT(part);
    q->since = now;
    q->due = now + q->pause;
    q->outcome = outcome;
    (void)snprintf(q->reason, sizeof(q->reason), "%s", text);
}

static void forgive(struct quarantine *q)
{
    memset(q->strikes, 0, sizeof(q->strikes));
}

bool quarantine_fail(struct quarantine *q, enum outcome outcome,
                     enum outcome_part part, int64_t granted, const char *text,
                     int64_t now)
{
    int32_t weight = weights[outcome][part];
    enum outcome_part whom = accused(part);

    if (weight == 0 || (q->since && granted <= q->since) ||
        quarantine_bars(q, whom))
        return false;
    if (now - q->struck > FORGIVE)
        forgive(q);
    q->struck = now;
    q->strikes[whom] += weight;
    if (q->strikes[whom] < STRIKES_MOST)
        return false;
    bar(q, outcome, whom, text, now);
    forgive(q);
    return true;
}

void quarantine_praise(struct quarantine *q, enum outcome_part part)
{
    q->strikes[part] = 0;
    if (part == OUTCOME_PART_DEVICE)
        forgive(q);
}

bool quarantine_bars(const struct quarantine *q, enum outcome_part part)
{
    return q->parts &
           (QUARANTINE_BIT(part) | QUARANTINE_BIT(OUTCOME_PART_DEVICE));
}

bool quarantine_bars_all(const struct quarantine *q)
{
    return quarantine_bars(q, OUTCOME_PART_DECODE) &&
           quarantine_bars(q, OUTCOME_PART_ENCODE);
}

bool quarantine_is_due(struct quarantine *q, int64_t now)
{
    if (!q->parts || !q->due || now < q->due)
        return false;
    q->due = 0; // until its answer is there
    return true;
}

bool quarantine_surveyed(struct quarantine *q, enum quarantine_finding finding,
                         int64_t now)
{
    if (!q->parts || (q->due && now < q->due))
        return false; // a survey that began before, or for another device
    if (finding == QUARANTINE_SOUND) {
        q->parts = 0;
        q->due = 0;
        q->healed = now;
        return true;
    }
    q->pause = 2 * q->pause > PAUSE_MOST ? PAUSE_MOST : 2 * q->pause;
    q->due = now + q->pause;
    return false;
}
