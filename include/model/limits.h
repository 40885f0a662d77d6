/*
 * limits: every bound that the service has, in one table of options.
 *
 * What a client may send (document, strings, outputs), what a uid may hold,
 * how long things may take. Those that a deployment may change are options of
 * the configuration's "limits" object; those that are a matter of safety are
 * constants here.
 */
#ifndef MODEL_LIMITS_H
#define MODEL_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/option.h"

#define LIMITS_MESSAGE  (1 << 20)  // bytes of one varlink message
#define LIMITS_DOCUMENT (64 << 10) // bytes of one job document
#define LIMITS_DEPTH    16         // nesting of a JSON document
#define LIMITS_PATH     4095       // bytes of a path
#define LIMITS_TEXT     255        // bytes of any other string in a job
#define LIMITS_DEVICE   15         // bytes of a device's id
#define LIMITS_OUTPUTS  16
#define LIMITS_STREAMS  64    // audio, or subtitles, of one output
#define LIMITS_SIDE     16384 // pixels of width or height asked for
#define LIMITS_PIXELS   (INT64_C(16384) * 8704) // of one frame, coded
#define LIMITS_FDS      4                       // descriptors with one message

struct limits {
    int64_t clients; // connections at a time
    int64_t clients_per_uid;
    int64_t jobs_per_uid; // not ended, detached and attached
    int64_t attempts;     // workers at a time, over all
    int64_t attempts_per_uid;
    int64_t cpu_jobs;       // of them, that encode video on the CPU
    int64_t cpu_threads;    // for each of these, 0: as libav likes
    int64_t tries;          // attempts of one job that may fail
    int64_t interruptions;  // attempts of one job that may be interrupted
    int64_t write_queue;    // bytes that a client may leave unread
    int64_t stall_timeout;  // µs a worker may say nothing
    int64_t start_timeout;  // µs to the first word of a new worker
    int64_t survey_timeout; // µs that a survey of the GPUs may take
    int64_t survey_wait;    // µs after the start that jobs wait for the first
    int64_t survey_again;   // µs until what one left open is surveyed again
    int64_t stop_grace;     // µs between the rungs of the stop ladder
    int64_t stop_timeout;   // µs to drain at SIGTERM
    int64_t prefer_wait;    // µs that "prefer" waits for the GPU
    int64_t batch_age;      // µs after which a batch job counts as normal
    int64_t probe_size;     // bytes read to find out what an input is
    int64_t history_age;    // µs that ended jobs are kept
    int64_t history_count;  // ended jobs that are kept
    int64_t worker_memory;  // bytes that a worker may have, 0: all
    int64_t worker_tasks;   // threads that a worker may have, 0: any number
    int64_t log_lines;      // last lines of a worker kept in its outcome
};

extern const struct option limits_options[];
extern const size_t limits_option_count;

#endif
