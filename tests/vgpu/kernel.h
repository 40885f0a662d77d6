/*
 * kernel: FFmpeg's CUDA kernels, by name, on the CPU.
 *
 * A kernel is looked up when the client asks its module for the function; one
 * that is not here is an error there. It gets the parameters as cuLaunchKernel
 * does: an array of pointers to the values.
 */
#ifndef VGPU_KERNEL_H
#define VGPU_KERNEL_H

#include <ffnvcodec/dynlink_cuda.h>

#include "texture.h"

struct kernel;

/* How many threads a launch has in x and y; more than the picture needs. */
struct launch {
    int width;
    int height;
    void **parameters;
};

typedef CUresult kernel_run(const struct kernel *k, const struct launch *l);

#define KERNEL_NAME 96

struct kernel {
    char name[KERNEL_NAME];
    kernel_run *run;
    int parameters;        // how many, as the module must say, too
    const void *detail[3]; // the family's own
};

/* Families of kernels: true and *@ret filled when @name is one of theirs. */
int kernel_find_scale(struct kernel *ret, const char *name);
int kernel_find_yadif(struct kernel *ret, const char *name);
int kernel_find_overlay(struct kernel *ret, const char *name);

/* The value of parameter @i as an int, texture or device address. */
int kernel_int(const struct launch *l, int i);
CUdeviceptr kernel_pointer(const struct launch *l, int i);
int kernel_texture(struct texture *ret, const struct launch *l, int i);

#endif
