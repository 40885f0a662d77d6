/*
 * job_table: the rows of the job document, one a field.
 *
 * The parser, the writer and the destructor in job.c follow them, the drift
 * test holds profiles/job.schema.json against them.
 */
#ifndef MODEL_JOB_TABLE_H
#define MODEL_JOB_TABLE_H

#include "model/field.h"
#include "model/job.h"

extern const struct record job_record;

extern const char *const job_delivery_names[JOB_DELIVERY_COUNT];
extern const char *const job_priority_names[JOB_PRIORITY_COUNT];
extern const char *const job_hardware_names[JOB_HARDWARE_COUNT];
extern const char *const job_format_names[JOB_FORMAT_COUNT];
extern const char *const job_video_codec_names[JOB_VIDEO_COUNT];
extern const char *const job_audio_codec_names[JOB_AUDIO_COUNT];
extern const char *const job_subtitle_codec_names[JOB_SUBTITLE_COUNT];

#endif
