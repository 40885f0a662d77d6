/*
 * plan_video: the part of a plan that is about an encoded picture. Pure.
 */
#ifndef MEDIA_PLAN_VIDEO_H
#define MEDIA_PLAN_VIDEO_H

#include <stdbool.h>

struct error;
struct job_video;
struct media_stream;
struct plan_notes;
struct plan_track;
struct survey_device;

struct plan_video_request {
    const struct job_video *video;
    const struct media_stream *stream;
    int threads;
    const struct survey_device *device; // NULL: the CPU does everything
    bool may_decode;                    // there
    bool may_encode;                    // likewise
};

/* Fill in @track's video, encoder, options and description. 0 or -errno with
 * the field. */
int plan_video_encode(struct plan_track *track,
                      const struct plan_video_request *request,
                      struct plan_notes *notes, struct error *e);

/* Does the device encode it? */
bool plan_video_is_on_device(const struct plan_track *track);

#endif
