/*
 * backend: what does an operation on pictures, as data.
 *
 * A row says where its pictures live, and libav's name for each operation. A
 * device that lacks one leaves it to the CPU's row; planning puts a transfer
 * where neighbours live in different memories.
 */
#ifndef MEDIA_BACKEND_H
#define MEDIA_BACKEND_H

enum op { OP_NONE, OP_DECODE, OP_TURN, OP_RATE, OP_SCALE, OP_ENCODE, OP_COUNT };

enum memory { MEMORY_SYSTEM, MEMORY_COUNT };

struct backend {
    const char *name; // of its devices: "cpu"
    enum memory memory;
    const char *impl[OP_COUNT]; // of OP_ENCODE: NULL, it is the codec's
};

extern const struct backend backend_cpu;

#endif
