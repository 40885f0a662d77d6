/*
 * plan_encoder: how an encoder of pictures is told what the job wants: the
 * words of a job as options by the rows of media/codec.h. Pure.
 */
#ifndef MEDIA_PLAN_ENCODER_H
#define MEDIA_PLAN_ENCODER_H

struct codec_format;
struct codec_video;
struct error;
struct job_video;
struct plan_track;
struct survey_encoder;

struct plan_encoder_request {
    const struct codec_video *codec;
    const struct codec_format *format;
    const struct job_video *video;        // clamped already
    const struct survey_encoder *encoder; // of a device; NULL: the CPU's
    int threads;
};

/* Fill in @track's encoder and options; its video's rates are there. 0 or
 * -errno with the field. */
int plan_encoder(struct plan_track *track,
                 const struct plan_encoder_request *request, struct error *e);

#endif
