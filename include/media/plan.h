/*
 * plan: how an attempt does its job, stream by stream.
 *
 * Pure: a job, what its input is, and what was granted → a plan, or the reason
 * why not. Nothing is opened here; tests read the descriptions.
 */
#ifndef MEDIA_PLAN_H
#define MEDIA_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/backend.h"
#include "media/info.h"
#include "media/plan_notes.h"
#include "model/job.h"

struct container;
struct error;
struct grant;
struct survey_device;

#define PLAN_DESCRIPTION_MOST 128
#define PLAN_OPTIONS_MOST     20

/* One of an encoder's options, by libav's name. */
struct plan_option {
    char name[24];
    char value[104];
};

struct plan_options {
    struct plan_option list[PLAN_OPTIONS_MOST];
    size_t count;
};

struct plan_video {
    int width; // pixels as stored
    int height;
    enum AVPixelFormat format; // of what is encoded, also in a device's memory
    const struct backend *by[OP_COUNT]; // who does what
    enum media_turn turn;
    AVRational fixed_rate;   // frames are dropped and repeated for it; 0/1: no
    AVRational frame_rate;   // of what leaves; 0/1: variable
    AVRational average_rate; // 0/1: unknown
    int64_t keyframe_interval; // µs between forced key frames, 0: none forced
};

struct plan_audio {
    int channels;    // at most
    int sample_rate; // Hz, 0: as the source
    double volume;   // factor
};

struct plan_track {
    enum media_kind kind;
    size_t stream; // of the input
    bool copied;
    char encoder[24];            // libav's name; "" of a copy
    struct plan_options options; // of the encoder
    struct plan_video video;     // of MEDIA_VIDEO that is not copied
    struct plan_audio audio;
    char description[PLAN_DESCRIPTION_MOST]; // "native>scale>libx264", "copy"
};

struct plan_output {
    const struct container *container;
    enum job_delivery delivery;
    enum job_timestamps timestamps;
    enum job_metadata metadata;
    struct plan_track *tracks; // owned
    size_t track_count;
};

struct plan {
    char device[16];  // as granted
    int threads;      // of decoders and encoders each, 0: as libav likes
    int64_t start;    // µs into the input
    int64_t duration; // µs, JOB_UNSET: to the end
    struct plan_output *outputs; // owned
    size_t output_count;
    struct plan_notes notes;
};

struct plan_request {
    const struct job *job;
    const struct media_info *info;
    const struct grant *grant;
    const struct survey_device *device;     // that was granted; NULL: the CPU
    bool (*available)(const char *encoder); // is there this encoder of the CPU?
};

/*
 * 0, or -errno with words: -ENOENT when the input lacks a stream that was asked
 * for, -EBADMSG when it cannot be decoded, -EINVAL and -ENOTSUP when the job
 * asks for what cannot be.
 */
int plan_make(struct plan *ret, const struct plan_request *request,
              struct error *e);
void plan_fini(struct plan *plan);

/* Would encoding them give the same sound, packet for packet? */
bool plan_same_sound(const struct plan_track *a, const struct plan_track *b);

/* What the libraries of this machine have. */
bool plan_has_encoder(const char *name);

#endif
