/*
 * graph: one libavfilter graph with one way in and one way out.
 *
 * Described by the frames that come in; when another kind of frame comes, it
 * is drained and another one is built (graph_fits).
 */
#ifndef PIPELINE_GRAPH_H
#define PIPELINE_GRAPH_H

#include <stdbool.h>

#include <libavutil/frame.h>
#include <libavutil/rational.h>

struct error;
struct graph;

struct graph_config {
    const char *text;     // "transpose=clock,scale=1280:720"
    const AVFrame *frame; // like those that will come
    AVRational time_base;
    AVRational frame_rate;      // 0/1: unknown or uneven
    struct AVBufferRef *device; // for filters that want one; NULL: none does
};

/* Nothing of @config is kept but references. 0 or -errno with words. */
int graph_create(struct graph **ret, const struct graph_config *config,
                 struct error *e);
void graph_destroy(struct graph *g); // NULL is allowed

/* Is @frame of the kind that it was built for? */
bool graph_fits(const struct graph *g, const AVFrame *frame,
                AVRational time_base);

/* Put @frame in, which is consumed; NULL: no more will come. 0 or -errno. */
int graph_push(struct graph *g, AVFrame *frame, struct error *e);

/* Take a frame out: 1 with one that the caller owns, 0 when more has to go in
 * first, or all has come out, or -errno. */
int graph_pull(struct graph *g, AVFrame **ret, struct error *e);

AVRational graph_time_base(const struct graph *g); // of what comes out

#endif
