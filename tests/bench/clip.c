#include "clip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "process.h"

#define PICTURE \
    "testsrc2=s=1920x1080:r=30,rotate=0.05*t:c=gray,format=yuv420p[a];" \
    "mandelbrot=s=480x270:r=30:start_scale=0.5:end_scale=0.1:end_pts=300," \
    "scale=1920:1080:flags=bilinear,format=yuv420p[b];" \
    "[a][b]blend=all_mode=average,noise=alls=10:allf=t[v];" \
    "sine=f=440:b=2[c];anoisesrc=a=0.05:r=44100[d];[c][d]amix," \
    "aformat=channel_layouts=stereo[s]"

int clip_make(const char *folder, const char *name, struct error *e)
{
    char *path = xasprintf("%s/%s", folder, name);
    int there = access(path, R_OK);
    free(path);
    if (there == 0)
        return 0;

    struct sample unused;
    int length = strcmp(name, CLIP_LONG) == 0 ? 10 : 5; // s
    (void)printf("making %s, %d s of 1080p\n", name, length);
    (void)fflush(stdout);
    char *command = xasprintf(
        "ffmpeg -nostdin -v error -y -filter_complex " PICTURE
        " -map [v] -map [s] -t %d -c:v libx264 -preset veryfast -b:v 8M"
        " -g 120 -c:a aac -b:a 128k %s",
        length, name);
    int r = process_run(&unused, folder, &(const char *){command}, 1, e);
    free(command);
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
    char *command = xasprintf(
        "ffmpeg -nostdin -hide_banner -i %s -i %s -lavfi "
        "[0:v]setpts=N[a];[1:v]scale=%s,setpts=N[b];[a][b]psnr -f null -",
        name, clip, size);

    int r = process_output(&text, folder, command, e);
    free(command);
    if (r < 0)
        return r;
    const char *line = strstr(text, "PSNR y:");
    const char *figure = line ? strstr(line, key) : NULL;
    if (figure)
        *ret = strtod(figure + strlen(key), NULL);
    free(text);
    return figure ? 0 : error_set(e, -EIO, "no PSNR for '%s'", name);
}
