#include "pipeline/blame.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "media/avlog.h"
#include "media/hwdevice.h"
#include "media/hwfault.h"
#include "pipeline/stage.h"

/* In front of libav's words, which are about codes. */
static const char *const meanings[OUTCOME_COUNT] = {
    [OUTCOME_NO_SESSION] = "grants no more sessions",
    [OUTCOME_NO_MEMORY] = "has too little memory left",
    [OUTCOME_DEVICE_LOST] = "failed",
    [OUTCOME_BAD_INPUT] = "does not take this",
    [OUTCOME_BAD_REQUEST] = "does not take this",
};

int blame_device(struct stage *s, const struct hwdevice *device,
                 enum outcome_part part, int code, struct error *e)
{
    const char *lines = avlog_errors();
    size_t first = strcspn(lines, "\n"); // what followed is its consequence

    if (code == -EPIPE || code == -ECANCELED)
        return code;
    const struct hwfault fault =
        hwfault_classify(part, code, lines, hwdevice_free_memory(device));
    s->blame = fault.outcome;
    s->part = fault.part;
    error_wrap(e, "%s %s", hwdevice_id(device), meanings[fault.outcome]);
    if (first) {
        char text[sizeof(e->text)];
        memcpy(text, e->text, sizeof(text));
        error_set(e, code, "%s (%.*s)", text, (int)first, lines);
    }
    return code;
}
