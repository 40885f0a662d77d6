/*
 * capacity: what one GPU has to lend: encoder sessions and VRAM (DESIGN.md 8).
 * Pure: what is configured, listed, learned and seen goes in, and how much may
 * be granted comes out.
 *
 * Nobody says how many sessions a driver grants. It is the smallest of what is
 * configured, what is listed for driver and card, and what an open that failed
 * has taught. Beyond what is listed or was open once at the same time only one
 * attempt ventures at a time, so that a wrong belief costs one failure.
 *
 * Ours are known exactly, by the grants. Those of others come from samples,
 * which lag: a lesson is tentative until the next sample, for a session that
 * somebody else took meanwhile would make the limit look lower than it is.
 */
#ifndef DAEMON_CAPACITY_H
#define DAEMON_CAPACITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct need;

#define CAPACITY_UNKNOWN (-1)

/* Jobs that take about as much VRAM, by their largest picture. */
enum capacity_class {
    CAPACITY_HD,     // up to 1080p
    CAPACITY_UHD,    // up to 4K
    CAPACITY_LARGER, // than that
    CAPACITY_CLASS_COUNT
};

/* What is known of a device, whatever it does now. */
struct capacity {
    int32_t configured; // sessions; CAPACITY_UNKNOWN: nobody has said
    int32_t listed;     // likewise, of the driver's table
    int32_t learned;    // likewise, by an open that failed
    int64_t learned_at; // monotonic µs
    int32_t lesson;     // of it, without those of others; while tentative
    bool is_tentative;  // no sample has come since
    bool is_doubted;    // what is listed was too much once
    int32_t proven;     // sessions that were open at the same time
    int32_t returned;   // sessions given back a moment ago, see capacity_return
    int64_t returned_at;
    int64_t vram[CAPACITY_CLASS_COUNT]; // bytes a job takes; 0: not learned
    int64_t refused;                    // bytes that were not to be had
    int64_t refused_at;                 // monotonic µs, 0: never
    int64_t believed; // bytes that there were then, by the figures
};

/* What is taken of it at one moment. */
struct capacity_use {
    int32_t own;      // sessions in our grants
    int32_t opening;  // attempts of these that may not have opened theirs yet
    int32_t foreign;  // sessions of others
    int64_t total;    // bytes of VRAM
    int64_t own_vram; // bytes in our grants, and of our waiting workers
    int64_t foreign_vram; // bytes of others and of the driver
    int64_t reserve;      // bytes that are kept for others
};

void capacity_init(struct capacity *ret);

/* Sessions that can ever be had here: configured and listed. A job that needs
 * more need not wait. CAPACITY_UNKNOWN: no bound. */
int32_t capacity_sure_limit(const struct capacity *c);

/* The same with what was learned, which may be forgotten again. */
int32_t capacity_limit(const struct capacity *c, int64_t now);

/* Sessions that one more attempt may be granted at this moment. */
int32_t capacity_sessions(const struct capacity *c,
                          const struct capacity_use *use, int64_t now);

/* Bytes of VRAM that may be granted. */
int64_t capacity_vram(const struct capacity *c, const struct capacity_use *use,
                      int64_t now);

/* An attempt with @tried sessions could not open them all, while @use, without
 * it, was taken. */
void capacity_learn(struct capacity *c, const struct capacity_use *use,
                    int32_t tried, int64_t now);

enum capacity_memory { CAPACITY_AMPLE, CAPACITY_SHORT };

/* A sample has come that says that others hold @foreign sessions, and whether
 * VRAM is so short that an open may have failed for that. */
void capacity_sampled(struct capacity *c, int32_t foreign,
                      enum capacity_memory memory, int64_t now);

/* So many of ours and of others are open at the same time. */
void capacity_prove(struct capacity *c, int32_t sessions, int64_t now);

/* An attempt that had opened its @sessions has ended: for a moment they count
 * in lessons, as an open that failed may be told of later than their end. */
void capacity_return(struct capacity *c, int32_t sessions, int64_t now);

enum capacity_class capacity_classify(const struct need *need);

/* Bytes that a job takes which encodes @sessions renditions there. */
int64_t capacity_estimate(const struct capacity *c, const struct need *need,
                          int32_t sessions);

/* A job of @kind with one rendition took @bytes at its peak. */
void capacity_observe(struct capacity *c, enum capacity_class kind,
                      int64_t bytes);

/* Monotonic µs when time alone makes it more again, 0: it does not. */
int64_t capacity_changes(const struct capacity *c, int64_t now);

/* @bytes were not to be had, whatever the figures say; @use is what others had.
 */
void capacity_refuse(struct capacity *c, const struct capacity_use *use,
                     int64_t bytes, int64_t now);

/* Since VRAM was refused the last time, has anybody given back so much of it
 * that another try is worth while? */
bool capacity_has_recovered(const struct capacity *c,
                            const struct capacity_use *use);

#endif
