/*
 * counter: what processes did with the card, and how it is written as JSON.
 *
 * A set of counters is an array of atomics in the machine's shared state, so
 * that nothing is lost when a process is killed. Sums add up over processes;
 * of peaks the machine keeps the greatest.
 */
#ifndef VGPU_COUNTER_H
#define VGPU_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

enum counter {
    COUNTER_UPLOADS, // host to device
    COUNTER_UPLOAD_BYTES,
    COUNTER_LARGE_UPLOADS, // of at least the setting large_copy
    COUNTER_DOWNLOADS,     // device to host
    COUNTER_DOWNLOAD_BYTES,
    COUNTER_LARGE_DOWNLOADS,
    COUNTER_DEVICE_COPIES, // device to device
    COUNTER_DEVICE_COPY_BYTES,
    COUNTER_LAUNCHES,
    COUNTER_ALLOCATIONS,
    COUNTER_CONTEXTS,
    COUNTER_MODULES, // of kernels, that were loaded
    COUNTER_DECODERS,
    COUNTER_DECODED, // pictures; two fields are two
    COUNTER_MAPPED,
    COUNTER_ENCODER_APIS, // how often NVENC's table of functions was asked for
    COUNTER_SESSIONS,
    COUNTER_SESSIONS_REFUSED,
    COUNTER_ENCODED,
    COUNTER_IDR,
    COUNTER_FAULTS,             // that fired
    COUNTER_MISUSE,             // calls that a driver need not forgive
    COUNTER_LEAKED_ALLOCATIONS, // at the end of the process
    COUNTER_LEAKED_CONTEXTS,
    COUNTER_LEAKED_DECODERS,
    COUNTER_LEAKED_SESSIONS,
    COUNTER_LEAKED_TEXTURES,
    COUNTER_SURFACES_PEAK, // decode surfaces of one decoder
    COUNTER_MAPPED_PEAK,   // frames mapped at a time
    COUNTER_SESSIONS_PEAK,
    COUNTER_VRAM_PEAK, // bytes
    COUNTER_COUNT
};

struct counters {
    _Atomic int64_t values[COUNTER_COUNT];
};

const char *counter_name(enum counter c);

/* Fold @from into @to: sums added, peaks compared. */
void counters_fold(struct counters *to, const struct counters *from);

/* Write `"name":value,...` without braces. */
void counters_print(const struct counters *c, FILE *out);

#endif
