/*
 * plan_notes: what a client shall know about how its job is planned: the
 * reasons why something is not done where it was hoped for, and the values that
 * were clamped to what a device can.
 */
#ifndef MEDIA_PLAN_NOTES_H
#define MEDIA_PLAN_NOTES_H

#include <stddef.h>

#define PLAN_WHY_MOST    16
#define PLAN_CLAMPS_MOST 16
#define PLAN_WORDS_MOST  192

struct plan_clamp {
    char field[64]; // of the job: "outputs[0].video.b_frames"
    double from;
    double to;
    char reason[PLAN_WORDS_MOST];
};

struct plan_notes {
    char why[PLAN_WHY_MOST][PLAN_WORDS_MOST];
    size_t why_count;
    struct plan_clamp clamps[PLAN_CLAMPS_MOST];
    size_t clamp_count;
};

/* Each is said once, and what is beyond the room not at all. */
void plan_notes_why(struct plan_notes *notes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* @field as in struct error: of the video. */
void plan_notes_clamp(struct plan_notes *notes, const char *field, double from,
                      double to, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Put @parent before the fields of all clamps from number @first on. */
void plan_notes_wrap_fields(struct plan_notes *notes, size_t first,
                            const char *parent);

#endif
