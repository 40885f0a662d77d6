#include "pipeline/growth.h"

#include <stdlib.h>

#include <libavformat/avformat.h>

#include "base/memory.h"
#include "media/container.h"
#include "media/file_io.h"
#include "pipeline/muxer.h"
#include "pipeline/whole.h"

struct growth {
    struct growth_config config;
    struct whole *whole; // owned
    int64_t flushed;     // µs, where the container was last told to write
};

struct growth *growth_create(const struct growth_config *config)
{
    struct growth *g = xcalloc(1, sizeof(*g));

    g->config = *config;
    g->whole = whole_create(config->format, config->container);
    return g;
}

void growth_destroy(struct growth *g)
{
    if (!g)
        return;
    whole_destroy(g->whole);
    free(g);
}

/* What was marked is written. */
static void note_whole(struct growth *g)
{
    int64_t end = whole_settle(g->whole);
    atomic_llong *told = &g->config.progress->whole;

    if (end != INT64_MIN && end - g->config.shift > atomic_load(told))
        atomic_store(told, end - g->config.shift); // only this thread writes
}

static int flush(struct growth *g)
{
    AVFormatContext *format = g->config.format;
    int r = av_write_frame(format, NULL);

    avio_flush(format->pb);
    if (r >= 0)
        r = file_io_error(g->config.io);
    if (r < 0)
        return r;
    g->flushed = g->config.progress->position;
    whole_mark(g->whole);
    note_whole(g);
    return 0;
}

/* A container that writes by itself, and then all that it was given before, is
 * known to have done so by the first byte; another one is told to. */
int growth_write(struct growth *g, AVPacket *packet)
{
    AVFormatContext *format = g->config.format;
    int64_t every = g->config.container->flush_every;
    int64_t before = avio_tell(format->pb);

    whole_give(g->whole, packet);
    whole_mark(g->whole);
    int r = av_interleaved_write_frame(format, packet);
    if (r < 0)
        return r;
    if (every)
        return g->config.progress->position - g->flushed < every ? 0 : flush(g);
    if (avio_tell(format->pb) > before)
        note_whole(g);
    return 0;
}

/* The first time that an MP4 is told to write, it may be its header alone. */
void growth_end(struct growth *g)
{
    AVFormatContext *format = g->config.format;

    if (av_interleaved_write_frame(format, NULL) >= 0 &&
        av_write_frame(format, NULL) >= 0)
        (void)flush(g);
}
