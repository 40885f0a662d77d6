#include "bench_clip.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "bench_crowd.h"

#define ORIGINAL 2 // s that are encoded; the rest repeats them

static int run(const char *const *arguments, struct error *e)
{
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid;
    int status = 0;

    (void)sigemptyset(&none);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int r = posix_spawnp(&pid, arguments[0], NULL, &attributes,
                         (char **)arguments, environ);
    (void)posix_spawnattr_destroy(&attributes);
    if (r)
        return error_set(e, -r,
                         "the clips are made by the program ffmpeg, which is "
                         "not here: install it (apt install ffmpeg, or "
                         "nix-shell -p ffmpeg)");
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (bench_crowd_is_interrupted()) // ffmpeg was, too, and said so
        return error_set(e, -EINTR, "interrupted");
    if (status)
        return error_set(e, -EIO, "ffmpeg could not make a clip, see above");
    return 0;
}

/* Pictures with enough going on in them for an encoder to have work. */
static int encode(const struct bench_clip *clip, const char *path,
                  int64_t seconds, struct error *e)
{
    char *source = xasprintf("testsrc2=size=%s:rate=%d:duration=%lld,"
                             "noise=alls=8:allf=t,format=yuv420p",
                             clip->size, BENCH_CLIP_RATE, (long long)seconds);
    const char *const arguments[] = {
        "ffmpeg", "-nostdin",     "-hide_banner",    "-loglevel", "error",
        "-y",     "-f",           "lavfi",           "-i",        source,
        "-c:v",   clip->encoder,  "-preset",         "ultrafast", "-crf",
        "24",     "-x265-params", "log-level=error", path,        NULL,
    };

    int r = run(arguments, e);
    free(source);
    return r;
}

static int repeat(const char *from, const char *to, int64_t seconds,
                  struct error *e)
{
    char *length = xasprintf("%lld", (long long)seconds);
    const char *const arguments[] = {
        "ffmpeg", "-nostdin",     "-hide_banner", "-loglevel", "error",
        "-y",     "-stream_loop", "-1",           "-i",        from,
        "-t",     length,         "-c",           "copy",      to,
        NULL,
    };

    int r = run(arguments, e);
    free(length);
    return r;
}

int bench_clip_make(const struct bench_clip *clip, const char *folder,
                    int64_t seconds, struct error *e)
{
    char *path = xasprintf("%s/%s", folder, clip->name);
    char *original = xasprintf("%s/original-%s", folder, clip->name);
    int r;

    if (seconds <= ORIGINAL) {
        r = encode(clip, path, seconds, e);
    } else {
        r = encode(clip, original, ORIGINAL, e);
        if (r == 0)
            r = repeat(original, path, seconds, e);
    }
    (void)unlink(original);
    free(original);
    free(path);
    return r;
}
