/*
 * part: one part of a survey (media/survey_*) alone on a card of the stand-in's,
 * and what it found, as text: pointers stay with the process that it ran in.
 */
#ifndef SUPPORT_PART_H
#define SUPPORT_PART_H

#include <stdbool.h>
#include <stddef.h>

struct hwdevice;
struct part_find;
struct survey_device;

/* Runs the part on @d, and says what it found with part_say(). */
typedef void part_body(struct part_find *f, struct survey_device *d,
                       struct hwdevice *h);

struct part_find {
    part_body *body;
    char found[2048];    // words with a blank behind each
    char problems[2048]; // lines
    char headers[16];    // NVENC's version, where the body has it told
    bool is_partial;
};

#define PART_SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Of a card with @settings, NULL: of one as it is by default. main() must have
 * called machine_enter(). */
struct part_find part_try(part_body *body, const char *const *settings);

void part_say(struct part_find *f, const char *word);

#endif
