#include "counter.h"

#include <assert.h>

// clang-format off
static const char *const names[COUNTER_COUNT] = {
    [COUNTER_UPLOADS] = "uploads",
    [COUNTER_UPLOAD_BYTES] = "upload_bytes",
    [COUNTER_LARGE_UPLOADS] = "large_uploads",
    [COUNTER_DOWNLOADS] = "downloads",
    [COUNTER_DOWNLOAD_BYTES] = "download_bytes",
    [COUNTER_LARGE_DOWNLOADS] = "large_downloads",
    [COUNTER_DEVICE_COPIES] = "device_copies",
    [COUNTER_DEVICE_COPY_BYTES] = "device_copy_bytes",
    [COUNTER_LAUNCHES] = "launches",
    [COUNTER_ALLOCATIONS] = "allocations",
    [COUNTER_CONTEXTS] = "contexts",
    [COUNTER_MODULES] = "modules",
    [COUNTER_DECODERS] = "decoders",
    [COUNTER_DECODED] = "decoded",
    [COUNTER_MAPPED] = "mapped",
    [COUNTER_ENCODER_APIS] = "encoder_apis",
    [COUNTER_SESSIONS] = "sessions",
    [COUNTER_SESSIONS_REFUSED] = "sessions_refused",
    [COUNTER_ENCODED] = "encoded",
    [COUNTER_IDR] = "idr",
    [COUNTER_FAULTS] = "faults",
    [COUNTER_MISUSE] = "misuse",
    [COUNTER_LEAKED_ALLOCATIONS] = "leaked_allocations",
    [COUNTER_LEAKED_CONTEXTS] = "leaked_contexts",
    [COUNTER_LEAKED_DECODERS] = "leaked_decoders",
    [COUNTER_LEAKED_SESSIONS] = "leaked_sessions",
    [COUNTER_LEAKED_TEXTURES] = "leaked_textures",
    [COUNTER_SURFACES_PEAK] = "surfaces_peak",
    [COUNTER_MAPPED_PEAK] = "mapped_peak",
    [COUNTER_SESSIONS_PEAK] = "sessions_peak",
    [COUNTER_VRAM_PEAK] = "vram_peak",
};
// clang-format on

const char *counter_name(enum counter c)
{
    assert(names[c]);
    return names[c];
}

static int64_t read_value(const struct counters *c, size_t i)
{
    return atomic_load_explicit(&c->values[i], memory_order_relaxed);
}

void counters_fold(struct counters *to, const struct counters *from)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        int64_t value = read_value(from, i);
        if (i < COUNTER_SURFACES_PEAK)
            to->values[i] += value;
        else if (value > read_value(to, i))
            to->values[i] = value;
    }
}

void counters_print(const struct counters *c, FILE *out)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        fprintf(out, "%s\"%s\":%lld", i ? "," : "",
                counter_name((enum counter)i), (long long)read_value(c, i));
}
