/*
 * subtitler: text subtitles of one kind → of another, sent to a muxer.
 */
#ifndef PIPELINE_SUBTITLER_H
#define PIPELINE_SUBTITLER_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct plan_track;
struct source;
struct stage;

struct subtitler_config {
    const struct plan_track *track; // not owned
    struct source *source;          // not owned; read only while it is made
    size_t number;                  // of the track in its output
};

/* 0 or -errno with words. */
int subtitler_create(struct stage **ret, const struct subtitler_config *config,
                     struct error *e);

#endif
