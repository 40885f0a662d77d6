/*
 * quarantine: is a GPU, or a part of it, fit for jobs? Pure.
 *
 * A driver that is lost fails for every job that runs on it, within seconds of
 * each other: that is one failure of the device. So what an attempt says that
 * began before the quarantine does counts no more. A device in quarantine is
 * surveyed again, at growing intervals; the CPU serves meanwhile.
 */
#ifndef DAEMON_QUARANTINE_H
#define DAEMON_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/outcome.h"

#define QUARANTINE_BIT(part) (1U << (part))

struct quarantine {
    unsigned parts;                      // QUARANTINE_BIT() of those barred
    int32_t strikes[OUTCOME_PART_COUNT]; // against each part
    int64_t struck;                      // monotonic µs of the last one
    int64_t since;  // monotonic µs that it was last barred, 0: never
    int64_t pause;  // µs to the next survey, the last one's that was needed
    int64_t due;    // monotonic µs of the next survey, 0: none
    int64_t healed; // monotonic µs that it was last lifted
    enum outcome outcome; // that barred it
    char reason[160];     // what was said of it
};

/*
 * An attempt that was granted the device at @granted (monotonic µs) has ended
 * with @outcome of @part. @text is what was said. True: it is barred, or more
 * of it than before, by this.
 */
bool quarantine_fail(struct quarantine *q, enum outcome outcome,
                     enum outcome_part part, int64_t granted, const char *text,
                     int64_t now);

/* An attempt that used this part of it ended well; the device, if it used all
 * of it. */
void quarantine_praise(struct quarantine *q, enum outcome_part part);

/* Is it barred as a whole? */
bool quarantine_bars_all(const struct quarantine *q);
/* Is that part? What bars the whole bars each. */
bool quarantine_bars(const struct quarantine *q, enum outcome_part part);

/* Is a survey due? It is taken as begun then. */
bool quarantine_is_due(struct quarantine *q, int64_t now);

enum quarantine_finding { QUARANTINE_BROKEN, QUARANTINE_SOUND };

/* What a survey found of it. True: it is lifted. */
bool quarantine_surveyed(struct quarantine *q, enum quarantine_finding finding,
                         int64_t now);

#endif
