/*
 * backend: what does an operation on pictures, as data.
 *
 * A row says where its pictures live, libav's name for each operation, and how
 * pictures come to its memory and back. A device that lacks an operation leaves
 * it to the CPU's row; the chain (media/chain.h) puts a transfer where
 * neighbours live in different memories.
 */
#ifndef MEDIA_BACKEND_H
#define MEDIA_BACKEND_H

#include <libavutil/hwcontext.h>
#include <libavutil/pixfmt.h>

enum op { OP_NONE, OP_DECODE, OP_TURN, OP_RATE, OP_SCALE, OP_ENCODE, OP_COUNT };

enum memory { MEMORY_SYSTEM, MEMORY_CUDA, MEMORY_COUNT };

struct backend {
    const char *name; // of its devices, before a colon: "cpu", "cuda"
    enum memory memory;
    enum AVHWDeviceType type;   // NONE of the CPU
    enum AVPixelFormat format;  // of frames there; NONE: what they show
    const char *impl[OP_COUNT]; // of OP_ENCODE: NULL, it is the codec's
    const char *upload;         // from system memory; NULL: it lives there
    const char *download;
};

extern const struct backend backend_cpu;
extern const struct backend backend_cuda;

/* The row of a device's id, "cuda:0"; NULL: there is none. */
const struct backend *backend_of_device(const char *id);

#endif
