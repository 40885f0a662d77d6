/* The kernel of overlay_cuda: one plane laid over another, with alpha. */
#include <string.h>

#include "cuda_error.h"
#include "kernel.h"
#include "memory.h"

enum parameter {
    AT_X,
    AT_Y,
    MAIN,
    MAIN_PITCH,
    OVERLAY,
    OVERLAY_PITCH,
    WIDTH,
    HEIGHT,
    ALPHA,
    ALPHA_PITCH, // 0: the overlay hides what is below
    ALPHA_STEP_X,
    ALPHA_STEP_Y,
    PARAMETERS
};

static float alpha_at(const struct launch *l, int x, int y, int *bad)
{
    int pitch = kernel_int(l, ALPHA_PITCH);

    if (!pitch)
        return 1;
    int offset = kernel_int(l, ALPHA_STEP_X) * x +
                 kernel_int(l, ALPHA_STEP_Y) * y * pitch;
    const uint8_t *a =
        memory_at(kernel_pointer(l, ALPHA) + (CUdeviceptr)offset, 1);
    *bad |= !a;
    return a ? (float)*a / 255.0f : 0;
}

static CUresult run(const struct kernel *k, const struct launch *l)
{
    int left = kernel_int(l, AT_X), top = kernel_int(l, AT_Y);
    int right = left + kernel_int(l, WIDTH);
    int bottom = top + kernel_int(l, HEIGHT);
    CUdeviceptr main_pitch = (CUdeviceptr)kernel_int(l, MAIN_PITCH);
    CUdeviceptr overlay_pitch = (CUdeviceptr)kernel_int(l, OVERLAY_PITCH);
    int bad = 0;

    (void)k;
    for (int y = top < 0 ? 0 : top; y < bottom && y < l->height; y++) {
        for (int x = left < 0 ? 0 : left; x < right && x < l->width; x++) {
            CUdeviceptr below = kernel_pointer(l, MAIN) +
                                (CUdeviceptr)y * main_pitch + (CUdeviceptr)x;
            CUdeviceptr above = kernel_pointer(l, OVERLAY) +
                                (CUdeviceptr)(y - top) * overlay_pitch +
                                (CUdeviceptr)(x - left);
            uint8_t *to = memory_at(below, 1);
            const uint8_t *from = memory_at(above, 1);
            float alpha = alpha_at(l, x - left, y - top, &bad);

            if (bad || !to || !from)
                return (CUresult)CUDA_ILLEGAL_ADDRESS;
            *to = (uint8_t)(alpha * (float)*from + (1 - alpha) * (float)*to);
        }
    }
    return CUDA_SUCCESS;
}

int kernel_find_overlay(struct kernel *ret, const char *name)
{
    if (strcmp(name, "Overlay_Cuda"))
        return 0;
    *ret = (struct kernel){.run = run, .parameters = PARAMETERS};
    return 1;
}
