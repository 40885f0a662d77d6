#include "doctor_clip.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

#define WIDTH  640
#define HEIGHT 360

/* A slope that wanders: every frame is another, and none is hard to encode. */
static void draw(uint8_t *plane, int width, int height, int shift)
{
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++)
            *plane++ = (uint8_t)(16 + (x + y + shift) % 220);
    }
}

static int write_frames(FILE *f)
{
    size_t luma = (size_t)WIDTH * HEIGHT;
    uint8_t *frame = xcalloc(luma * 3 / 2, 1);
    int failed = fprintf(f, "YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C420jpeg\n", WIDTH,
                         HEIGHT) < 0;

    for (int i = 0; !failed && i < DOCTOR_CLIP_FRAMES; i++) {
        draw(frame, WIDTH, HEIGHT, 4 * i);
        draw(frame + luma, WIDTH / 2, HEIGHT / 2, -2 * i + 220);
        draw(frame + luma * 5 / 4, WIDTH / 2, HEIGHT / 2, 3 * i);
        failed = fputs("FRAME\n", f) == EOF ||
                 fwrite(frame, 1, luma * 3 / 2, f) != luma * 3 / 2;
    }
    free(frame);
    return failed ? -EIO : 0;
}

int doctor_clip_write(const char *path, struct error *e)
{
    FILE *f = fopen(path, "wxe");

    if (!f)
        return error_set_errno(e, -errno, "cannot make '%s'", path);
    int r = write_frames(f);
    if (fclose(f) == EOF && r == 0)
        r = -errno;
    return r < 0 ? error_set_errno(e, r, "cannot write '%s'", path) : 0;
}
