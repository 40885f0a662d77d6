#include "media/plan_notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void plan_notes_why(struct plan_notes *notes, const char *format, ...)
{
    char words[PLAN_WORDS_MOST];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(words, sizeof(words), format, ap);
    va_end(ap);
    for (size_t i = 0; i < notes->why_count; i++) {
        if (strcmp(notes->why[i], words) == 0)
            return;
    }
    if (notes->why_count < PLAN_WHY_MOST)
        memcpy(notes->why[notes->why_count++], words, sizeof(words));
}

void plan_notes_clamp(struct plan_notes *notes, const char *field, double from,
                      double to, const char *format, ...)
{
    va_list ap;

    if (notes->clamp_count == PLAN_CLAMPS_MOST)
        return;
    struct plan_clamp *clamp = &notes->clamps[notes->clamp_count++];
    (void)snprintf(clamp->field, sizeof(clamp->field), "%s", field);
    clamp->from = from;
    clamp->to = to;
    va_start(ap, format);
    (void)vsnprintf(clamp->reason, sizeof(clamp->reason), format, ap);
    va_end(ap);
}

void plan_notes_wrap_fields(struct plan_notes *notes, size_t first,
                            const char *parent)
{
    for (size_t i = first; i < notes->clamp_count; i++) {
        char field[sizeof(notes->clamps[i].field)];
        memcpy(field, notes->clamps[i].field, sizeof(field));
        (void)snprintf(notes->clamps[i].field, sizeof(field), "%s.%s", parent,
                       field);
    }
}
