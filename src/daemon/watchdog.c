#include "watchdog.h"

#include <stddef.h>

#include "base/clock.h"

#define LATE (5 * SECOND) // a timer of the loop may come so late

const char *watchdog_complaint(const struct watchdog_signs *s, int64_t patience)
{
    if (s->store >= 0 && s->now - s->store >= patience)
        return "the store's thread hangs";
    if (s->due > 0 && s->now - s->due >= LATE)
        return "a silent worker is left unattended";
    return NULL;
}
