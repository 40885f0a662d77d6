/*
 * plan_device: what of a device's surveyed abilities one rendition can use, and
 * what has to be clamped for it. Pure.
 */
#ifndef MEDIA_PLAN_DEVICE_H
#define MEDIA_PLAN_DEVICE_H

#include <stdbool.h>

#include <libavutil/rational.h>

#include "media/size.h"

struct job_video;
struct media_stream;
struct plan_notes;
struct survey_device;
struct survey_encoder;

/* Does it decode @st? The notes say why not. */
bool plan_device_decodes(const struct survey_device *device,
                         const struct media_stream *st,
                         struct plan_notes *notes);

/* Its encoder for @video out of @st; NULL where the notes say why not. */
const struct survey_encoder *
plan_device_encoder(const struct survey_device *device,
                    const struct job_video *video,
                    const struct media_stream *st, struct plan_notes *notes);

/*
 * @video within what @encoder takes, for pictures of @size at @rate (0/1:
 * unknown). What is changed is noted. Texts of it stay @video's own, or are
 * constants.
 */
struct job_video plan_device_clamp(const struct survey_encoder *encoder,
                                   const struct job_video *video,
                                   struct size size, AVRational rate,
                                   struct plan_notes *notes);

/* How large the picture will be: as asked for, and no larger than @encoder
 * takes (NULL: any). The notes tell the difference. */
struct size plan_device_size(const struct survey_encoder *encoder,
                             const struct job_video *video, struct size upright,
                             struct plan_notes *notes);

#endif
