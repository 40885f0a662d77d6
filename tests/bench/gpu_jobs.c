#include "gpu_jobs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"
#include "bench.h"
#include "process.h"

// what is in the pictures matters to nobody who counts
#define PICTURES(size) \
    "ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=size=" size ":rate=30 "

// clang-format off
static const struct {
    const char *name;
    const char *command;
} clips[] = {
    {GPU_CLIP_1080, PICTURES("1920x1080") "-frames:v 32 "
                    "-c:v libx264 -preset veryfast -bf 2 " GPU_CLIP_1080},
    {GPU_CLIP_2160, PICTURES("3840x2160") "-frames:v 16 -pix_fmt yuv420p10le "
                    "-c:v libx265 -preset ultrafast -x265-params "
                    "log-level=none:bframes=3:ref=3 " GPU_CLIP_2160},
};
// clang-format on

int gpu_make_clip(const struct bench *b, const char *clip, struct error *e)
{
    char *path = xasprintf("%s/%s", b->folder, clip);
    bool there = access(path, R_OK) == 0;
    struct sample unused;

    free(path);
    for (size_t i = 0; !there && i < sizeof(clips) / sizeof(clips[0]); i++) {
        if (strcmp(clips[i].name, clip) == 0)
            return process_run(&unused, b->folder, &clips[i].command, 1, e);
    }
    return there ? 0 : error_set(e, -EINVAL, "there is no clip '%s'", clip);
}

size_t gpu_renditions(const struct gpu_work *w)
{
    size_t count = 0;

    while (count < GPU_RENDITIONS_MOST && w->heights[count])
        count++;
    return count;
}

json_t *gpu_job(const struct bench *b, const struct gpu_work *w, size_t index)
{
    json_t *outputs = json_array();

    for (size_t i = 0; i < gpu_renditions(w); i++) {
        char *path = xasprintf("%s/ours-%zu-%zu.mp4", b->folder, index, i);
        json_array_append_new(outputs,
                              json_pack("{s:s, s:{s:s, s:i}, s:[]}", "path",
                                        path, "video", "codec", "h264",
                                        "max_height", w->heights[i], "audio"));
        free(path);
    }
    char *input = xasprintf("%s/%s", b->folder, w->clip);
    json_t *job =
        json_pack("{s:b, s:s, s:{s:s}, s:o}", "overwrite", 1, "hardware",
                  "require", "input", "path", input, "outputs", outputs);
    free(input);
    return job;
}
