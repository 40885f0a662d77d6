/*
 * bench_crowd: several jobs at the same time, each run by a transcodectl of its
 * own, and what came of each.
 */
#ifndef CTL_BENCH_CROWD_H
#define CTL_BENCH_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct error;
struct json_t;

#define BENCH_CROWD_MOST 64

struct bench_member {
    int64_t ready;  // µs since the epoch: frames began to flow; 0: never
    int64_t ended;  // µs since the epoch: its outcome
    int64_t frames; // of video that it took in
    bool is_done;   // it ended well
    char device[16];
    char text[160]; // words, where it did not end well
};

/* From now on Ctrl-C, SIGTERM and SIGHUP wait until a crowd runs, or somebody
 * looks: clips and jobs are tidied up then. To be called first. */
void bench_crowd_hold_signals(void);
bool bench_crowd_is_interrupted(void); // is one of them waiting?

/*
 * Run @count of @jobs, documents, against the service at @socket (NULL: as
 * always). STATUS_GOOD with @ret filled in, however the jobs ended;
 * STATUS_INTERRUPTED when Ctrl-C ended them; or what to say, in @e.
 */
enum status bench_crowd_run(const char *socket, struct json_t *const *jobs,
                            size_t count, struct bench_member *ret,
                            struct error *e);

#endif
