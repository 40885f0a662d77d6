/*
 * pictures: decode and scale on a card with our floors alone, for cards without
 * an encoder: what comes out is counted and dropped.
 *
 *   pictures                            "NAME, driver VERSION", or why there is
 *                                       no card
 *   pictures INPUT WIDTH HEIGHT FRAMES  fails unless so many came out
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <libavutil/log.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/driver.h"
#include "media/file_io.h"
#include "media/hwdevice.h"
#include "media/plan.h"
#include "media/source.h"
#include "pipeline/decoder.h"
#include "pipeline/demuxer.h"
#include "pipeline/filter.h"
#include "pipeline/item.h"
#include "pipeline/queue.h"
#include "pipeline/stage.h"

// as deep as the pipeline's own
#define PACKETS 4
#define FRAMES  1
#define STAGES  3

struct runner {
    struct stage *stage; // owned
    pthread_t thread;
    int result;
    struct error error;
};

struct run {
    struct hwdevice *device; // owned
    struct source *source;   // owned
    struct plan_track track;
    struct runner runners[STAGES];
    struct queue *queues[STAGES]; // owned; each behind its stage
    atomic_llong errors;
    long frames; // that came out
};

static int find_card(struct driver_card *ret, char *version, size_t size,
                     struct error *e)
{
    struct driver *driver = NULL;

    int r = driver_open(&driver, e);
    if (r < 0)
        return r;
    r = driver_card(driver, 0, ret, e);
    (void)snprintf(version, size, "%s", driver_version(driver));
    driver_close(driver);
    return r;
}

static int open_device(struct run *run, struct error *e)
{
    struct driver_card card;
    char version[32];

    int r = find_card(&card, version, sizeof(version), e);
    return r < 0 ? r : hwdevice_open(&run->device, "cuda:0", card.uuid, e);
}

static int open_source(struct run *run, const char *path, struct error *e)
{
    const struct source_request request = {.probe_size = 5 << 20,
                                           .analyze_duration = -1};
    struct file_io *io = NULL;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(e, -errno, "cannot open '%s'", path);
    int r = file_io_open_input(&io, fd, e);
    return r < 0 ? r : source_open(&run->source, io, &request, e);
}

/* The first video, in the size that is wanted, as an encoder would want it. */
static int choose_track(struct run *run, int width, int height, struct error *e)
{
    const struct media_info *info = source_info(run->source);
    size_t i = 0;

    while (i < info->stream_count && info->streams[i].kind != MEDIA_VIDEO)
        i++;
    if (i == info->stream_count)
        return error_set(e, -ENOENT, "there is no video");
    run->track = (struct plan_track){
        .kind = MEDIA_VIDEO,
        .stream = i,
        .video = {.width = width,
                  .height = height,
                  .format = AV_PIX_FMT_YUV420P,
                  .average_rate = info->streams[i].average_rate,
                  .by = {[OP_DECODE] = &backend_cuda,
                         [OP_TURN] = &backend_cpu,
                         [OP_RATE] = &backend_cpu,
                         [OP_SCALE] = &backend_cuda,
                         [OP_ENCODE] = &backend_cuda}},
    };
    bool *used = xcalloc(info->stream_count, sizeof(*used));
    used[i] = true;
    source_use(run->source, used);
    free(used);
    return 0;
}

static void connect(struct run *run)
{
    static const size_t depths[STAGES] = {PACKETS, FRAMES, FRAMES};

    for (size_t i = 0; i < STAGES; i++) {
        run->queues[i] = queue_create(depths[i], 1, item_destroy);
        if (i > 0)
            run->runners[i].stage->in = run->queues[i - 1];
    }
    demuxer_route(run->runners[0].stage, run->track.stream, run->queues[0], 0,
                  -1);
    stage_connect(run->runners[1].stage, run->queues[1]);
    stage_connect(run->runners[2].stage, run->queues[2]);
}

static int make_stages(struct run *run, struct error *e)
{
    const struct demuxer_config demuxer = {.source = run->source,
                                           .duration = -1};
    const struct decoder_config decoder = {.source = run->source,
                                           .stream = run->track.stream,
                                           .device = run->device,
                                           .errors = &run->errors};
    const struct filter_config filter = {
        .track = &run->track, .device = run->device, .duration = -1};

    int r = decoder_create(&run->runners[1].stage, &decoder, e);
    if (r < 0)
        return r;
    run->runners[0].stage = demuxer_create(&demuxer);
    run->runners[2].stage = filter_create(&filter);
    connect(run);
    return 0;
}

static void *run_stage(void *data)
{
    struct runner *r = data;

    r->result = stage_run(r->stage, &r->error);
    return NULL;
}

static void count(struct run *run)
{
    void *item = NULL;

    while (queue_receive(run->queues[STAGES - 1], &item) > 0) {
        run->frames++;
        item_destroy(item);
    }
    queue_abandon(run->queues[STAGES - 1]);
}

/* The first that failed by itself says why. */
static int work(struct run *run, struct error *e)
{
    int r = 0;

    for (size_t i = 0; i < STAGES; i++) {
        if (pthread_create(&run->runners[i].thread, NULL, run_stage,
                           &run->runners[i]) != 0)
            abort();
    }
    count(run);
    for (size_t i = 0; i < STAGES; i++) {
        struct runner *runner = &run->runners[i];
        (void)pthread_join(runner->thread, NULL);
        if (r == 0 && runner->result < 0 && runner->result != -ECANCELED) {
            r = runner->result;
            *e = runner->error;
        }
    }
    return r;
}

static void run_fini(struct run *run)
{
    for (size_t i = 0; i < STAGES; i++)
        stage_destroy(run->runners[i].stage);
    for (size_t i = 0; i < STAGES; i++)
        queue_destroy(run->queues[i]);
    source_close(run->source);
    hwdevice_close(run->device);
}

static int run_all(char **arguments, struct error *e)
{
    struct run run = {0};
    long wanted = atol(arguments[3]);

    int r = open_device(&run, e);
    if (r == 0)
        r = open_source(&run, arguments[0], e);
    if (r == 0)
        r = choose_track(&run, atoi(arguments[1]), atoi(arguments[2]), e);
    if (r == 0)
        r = make_stages(&run, e);
    if (r == 0)
        r = work(&run, e);
    if (r == 0 && run.frames != wanted)
        r = error_set(e, -EIO, "%ld pictures instead of %ld", run.frames,
                      wanted);
    run_fini(&run);
    return r;
}

static int name_card(struct error *e)
{
    struct driver_card card;
    char version[32];

    int r = find_card(&card, version, sizeof(version), e);
    if (r == 0)
        (void)printf("%s, driver %s\n", card.name, version);
    return r;
}

int main(int argc, char **argv)
{
    struct error e = {0};

    av_log_set_level(AV_LOG_ERROR);
    if (argc != 1 && argc != 5) {
        (void)fputs("usage: pictures [INPUT WIDTH HEIGHT FRAMES]\n", stderr);
        return 2;
    }
    int r = argc == 1 ? name_card(&e) : run_all(argv + 1, &e);
    if (r < 0)
        (void)fprintf(stderr, "%s\n", e.text);
    return r < 0;
}
