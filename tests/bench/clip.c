#include "clip.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "process.h"

#define PSNR_MOST 100 // dB, for two that are the same

#define PICTURE \
    "testsrc2=s=1920x1080:r=30,rotate=0.05*t:c=gray,format=yuv420p[a];" \
    "mandelbrot=s=480x270:r=30:start_scale=0.5:end_scale=0.1:end_pts=300," \
    "scale=1920:1080:flags=bilinear,format=yuv420p[b];" \
    "[a][b]blend=all_mode=average,noise=alls=10:allf=t[v];" \
    "sine=f=440:b=2[c];anoisesrc=a=0.05:r=44100[d];[c][d]amix," \
    "aformat=channel_layouts=stereo[s]"
#define MAKE \
    "ffmpeg -nostdin -v error -y -filter_complex " PICTURE " -map [v] -map " \
    "[s]"
#define ENCODE(rate) \
    " -c:v libx264 -preset veryfast -b:v " rate " -g 120 -c:a aac -b:a 128k "

// clang-format off
static const struct {
    const char *name;
    const char *command;
} clips[] = {
    {CLIP_LONG,     MAKE " -t 10" ENCODE("8M") CLIP_LONG},
    {CLIP_SHORT,    MAKE " -t 5" ENCODE("8M") CLIP_SHORT},
    {CLIP_STREAM,   MAKE " -t 10" ENCODE("4M") CLIP_STREAM},
    {CLIP_MATROSKA, MAKE " -t 10" ENCODE("4M") CLIP_MATROSKA},
};
// clang-format on

static int make(const char *folder, const char *name, struct error *e)
{
    struct sample unused;

    (void)printf("making %s\n", name);
    (void)fflush(stdout);
    for (size_t i = 0; i < sizeof(clips) / sizeof(clips[0]); i++) {
        if (strcmp(clips[i].name, name) == 0)
            return process_run(&unused, folder, &clips[i].command, 1, e);
    }
    return error_set(e, -EINVAL, "there is no clip '%s'", name);
}

int clip_make(const char *folder, const char *name, struct error *e)
{
    const char *kept = getenv("BENCH_CLIPS");
    char *path = xasprintf("%s/%s", folder, name);
    char *store = xasprintf("%s/%s", kept ? kept : folder, name);
    int r = 0;

    // by links, which need one file system; without, it is made again
    if (access(path, R_OK) < 0 && link(store, path) < 0) {
        r = make(folder, name, e);
        if (r == 0 && kept && link(path, store) < 0)
            r = error_set_errno(e, -errno, "cannot keep '%s'", store);
    }
    free(store);
    free(path);
    return r;
}

int clip_frames(long *ret, const char *folder, const char *name,
                struct error *e)
{
    char *text;
    char *command = xasprintf(
        "ffprobe -v error -select_streams v:0 -count_packets -show_entries "
        "stream=nb_read_packets -of csv=p=0 %s",
        name);

    int r = process_output(&text, folder, command, e);
    free(command);
    if (r < 0)
        return r;
    *ret = strtol(text, NULL, 10);
    free(text);
    return 0;
}

int clip_psnr(double *ret, const char *folder, const char *name,
              const char *clip, const char *size, struct error *e)
{
    static const char key[] = "average:";
    char *text;
    char *command =
        xasprintf("ffmpeg -nostdin -hide_banner -i %s -i %s -lavfi "
                  "[0:v]settb=1/30,setpts=N[a];"
                  "[1:v]scale=%s,settb=1/30,setpts=N[b];[a][b]psnr -f null -",
                  name, clip, size);

    int r = process_output(&text, folder, command, e);
    free(command);
    if (r < 0)
        return r;
    const char *line = strstr(text, "PSNR y:");
    const char *figure = line ? strstr(line, key) : NULL;
    if (figure)
        *ret = fmin(strtod(figure + strlen(key), NULL), PSNR_MOST);
    free(text);
    return figure ? 0 : error_set(e, -EIO, "no PSNR for '%s'", name);
}
