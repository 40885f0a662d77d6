/*
 * event: what a worker tells the daemon and the daemon its clients
 * (DESIGN.md 5). One JSON object each.
 *
 * A worker's events carry no "job", "attempt" and "time" that count: the daemon
 * knows which worker spoke and stamps them. The daemon believes nothing else
 * either: event_from_json() bounds every number and text.
 */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "model/need.h"
#include "model/outcome.h"
#include "model/state.h"

struct error;
struct json_t;

enum event_kind {
    EVENT_NONE,
    EVENT_STATE,   // daemon → clients
    EVENT_SANDBOX, // worker → daemon only: its first word, if it has any
    EVENT_NEED,    // worker → daemon only: inspected, waits for a grant
    EVENT_READY, // the plan; after it frames flow (or, planning only, nothing)
    EVENT_PROGRESS,
    EVENT_CLAMP,
    EVENT_FALLBACK,
    EVENT_LOG,
    EVENT_OUTCOME,  // the last one that clients see
    EVENT_RELEASED, // worker → daemon only: it holds nothing any more that it
                    // was lent, and only the process itself has yet to go
    EVENT_KIND_COUNT
};

/* Texts of a strange length are cut to this, lists are refused beyond. */
#define EVENT_TEXT_MOST   2048
#define EVENT_PLAN_MOST   64
#define EVENT_LAYERS_MOST 8

struct event_layer {
    char name[32];  // "seccomp"
    char state[32]; // "on"
    char note[256]; // why, or ""
};

struct event_sandbox {
    struct event_layer *layers; // owned
    size_t layer_count;
    char *missing; // owned; what this machine lacks, NULL: nothing
};

struct event_ready {
    char device[16]; // "cpu", "cuda:0"
    char **plan;     // owned; one string an output stream
    size_t plan_count;
    char **why; // owned; reasons, may be empty
    size_t why_count;
};

struct event_progress {
    int64_t frame;   // video frames written, of the first output that has any
    double fps;      // over the last seconds
    double speed;    // media time by wall time
    double out_time; // s, the position reached
    double percent;  // 0..100, -1 unknown
    double eta;      // s, -1 unknown
    int64_t size;    // bytes written, all outputs
    int64_t bitrate; // bit/s so far, all outputs
    double whole;    // s up to which growing outputs are whole in what has been
                     // written; -1: none grows
};

struct event_output {
    char *path;      // owned; as the job names it
    int64_t size;    // bytes
    double duration; // s
    int64_t frames;  // of video, 0 without
};

struct event_outcome {
    enum outcome outcome;
    char *text;             // owned; words for a person
    enum outcome_part part; // of a device's reason: what failed there
    int64_t frames;         // of video, decoded or copied, once
    int64_t errors;         // that decoders reported and that were survived
    double whole; // s up to which the growing outputs that it leaves behind
                  // unfinished are whole; -1: there are none
    struct event_output *outputs; // owned
    size_t output_count;
};

struct event {
    int64_t job;     // id, 0 in a worker's mouth
    int64_t attempt; // from 1
    int64_t time;    // µs since the epoch
    enum event_kind kind;
    union {
        enum state state;
        struct event_sandbox sandbox;
        struct need need;
        struct event_ready ready;
        struct event_progress progress;
        struct {
            char *field;
            double from;
            double to;
            char *reason;
        } clamp;
        struct {
            char *from;
            char *to;
            char *reason;
        } fallback;
        struct {
            enum log_level level;
            char *text;
        } log;
        struct event_outcome outcome;
    };
};

/* Borrows @json. 0 or -EINVAL with the field. */
int event_from_json(struct event *ret, const struct json_t *json,
                    struct error *e);
struct json_t *event_to_json(const struct event *ev); // a new reference
void event_fini(struct event *ev);

const char *event_kind_name(enum event_kind k);

#endif
