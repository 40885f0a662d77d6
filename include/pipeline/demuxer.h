/*
 * demuxer: reads the input and hands its packets to who uses them.
 *
 * Its times are the pipeline's: 0 is where the job begins. It ends when the
 * input does, or when nobody wants any more.
 */
#ifndef PIPELINE_DEMUXER_H
#define PIPELINE_DEMUXER_H

#include <stddef.h>
#include <stdint.h>

struct gate;
struct queue;
struct source;
struct stage;

struct demuxer_config {
    struct source *source; // not owned
    struct gate *gate;     // not owned; NULL: never paused
    int64_t start;         // µs into the input
    int64_t duration;      // µs, < 0: to the end
};

struct stage *demuxer_create(const struct demuxer_config *config);

/*
 * Send packets of input stream @stream to @queue, as track @track. With
 * @until ≥ 0 only those that are decoded before it (µs), which is where a copy
 * ends; a decoder's frames are cut behind it.
 */
void demuxer_route(struct stage *demuxer, size_t stream, struct queue *queue,
                   size_t track, int64_t until);

#endif
