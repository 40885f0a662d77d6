/* libcuda: allocation and copies. */
#include <string.h>

#include "context.h"
#include "cuda_error.h"
#include "fault.h"
#include "machine.h"
#include "memory.h"
#include "settings.h"

#define PITCH_ALIGNMENT 512
#define UNIFIED         4 // CU_MEMORYTYPE_UNIFIED

/* One end of a copy: rows of bytes on either side. */
struct side {
    uint8_t *bytes;
    size_t pitch;
    bool device;
};

// clang-format off
static const struct {
    enum counter calls;
    enum counter bytes;
    enum counter large; // COUNTER_COUNT: not counted
} directions[2][2] = { // [from the device][to the device]
    [0][1] = {COUNTER_UPLOADS, COUNTER_UPLOAD_BYTES, COUNTER_LARGE_UPLOADS},
    [1][0] = {COUNTER_DOWNLOADS, COUNTER_DOWNLOAD_BYTES,
              COUNTER_LARGE_DOWNLOADS},
    [1][1] = {COUNTER_DEVICE_COPIES, COUNTER_DEVICE_COPY_BYTES, COUNTER_COUNT},
};
// clang-format on

static CUresult copy(const struct side *to, const struct side *from,
                     size_t width, size_t rows)
{
    if (!width || !rows)
        return CUDA_SUCCESS;
    if (!to->bytes || !from->bytes) {
        fault_misuse("a copy of %zux%zu bytes leaves its allocation", width,
                     rows);
        return (CUresult)CUDA_INVALID_VALUE;
    }
    for (size_t y = 0; y < rows; y++)
        memmove(to->bytes + y * to->pitch, from->bytes + y * from->pitch,
                width);

    if (to->device || from->device) {
        int64_t bytes = (int64_t)(width * rows);
        enum counter large = directions[from->device][to->device].large;
        machine_count(directions[from->device][to->device].calls, 1);
        machine_count(directions[from->device][to->device].bytes, bytes);
        if (large != COUNTER_COUNT && bytes >= settings()->large_copy)
            machine_count(large, 1);
    }
    return CUDA_SUCCESS;
}

static struct side device_side(CUdeviceptr address, size_t pitch, size_t width,
                               size_t rows)
{
    return (struct side){.bytes = memory_rows(address, pitch, width, rows),
                         .pitch = pitch,
                         .device = true};
}

static struct side host_side(const void *address, size_t pitch)
{
    return (struct side){.bytes = (uint8_t *)(uintptr_t)address,
                         .pitch = pitch};
}

/* A unified address: the driver itself finds out whose it is. */
static struct side any_side(CUdeviceptr address, size_t pitch, size_t width,
                            size_t rows)
{
    if (memory_is_device(address))
        return device_side(address, pitch, width, rows);
    return host_side((void *)(uintptr_t)address, pitch);
}

EXPORT tcuMemAlloc_v2 cuMemAlloc_v2;
CUresult cuMemAlloc_v2(CUdeviceptr *ret, size_t size)
{
    CUresult r = context_enter(NEED_CONTEXT);

    return r ? r : memory_allocate(context_current(), size, ret);
}

EXPORT tcuMemAllocPitch_v2 cuMemAllocPitch_v2;
CUresult cuMemAllocPitch_v2(CUdeviceptr *ret, size_t *ret_pitch, size_t width,
                            size_t rows, unsigned element)
{
    CUresult r = context_enter(NEED_CONTEXT);
    size_t pitch = (width + PITCH_ALIGNMENT - 1) / PITCH_ALIGNMENT;
    size_t size;

    (void)element;
    if (r)
        return r;
    pitch *= PITCH_ALIGNMENT;
    if (__builtin_mul_overflow(pitch, rows, &size))
        return (CUresult)CUDA_INVALID_VALUE;
    r = memory_allocate(context_current(), size, ret);
    if (r == CUDA_SUCCESS)
        *ret_pitch = pitch;
    return r;
}

EXPORT tcuMemAllocManaged cuMemAllocManaged;
CUresult cuMemAllocManaged(CUdeviceptr *ret, size_t size, unsigned flags)
{
    // The CPU may read managed memory, and ours it may not.
    (void)ret;
    (void)size;
    (void)flags;
    return (CUresult)CUDA_NOT_SUPPORTED;
}

EXPORT tcuMemFree_v2 cuMemFree_v2;
CUresult cuMemFree_v2(CUdeviceptr address)
{
    return address ? memory_free(address) : CUDA_SUCCESS;
}

EXPORT tcuMemsetD8Async cuMemsetD8Async;
CUresult cuMemsetD8Async(CUdeviceptr address, unsigned char value, size_t size,
                         CUstream stream)
{
    CUresult r = context_enter(NEED_CONTEXT);

    (void)stream;
    if (r)
        return r;
    uint8_t *bytes = memory_at(address, size);
    if (!bytes)
        return (CUresult)CUDA_INVALID_VALUE;
    memset(bytes, value, size);
    return CUDA_SUCCESS;
}

EXPORT tcuMemcpy cuMemcpy;
CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t size)
{
    CUresult r = context_enter(NEED_CONTEXT);
    struct side target = any_side(to, size, size, 1);
    struct side source = any_side(from, size, size, 1);

    return r ? r : copy(&target, &source, size, 1);
}

EXPORT tcuMemcpyAsync cuMemcpyAsync;
CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t size,
                       CUstream stream)
{
    (void)stream;
    return cuMemcpy(to, from, size);
}

EXPORT tcuMemcpyHtoD_v2 cuMemcpyHtoD_v2;
CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t size)
{
    CUresult r = context_enter(NEED_CONTEXT);
    struct side target = device_side(to, size, size, 1);
    struct side source = host_side(from, size);

    return r ? r : copy(&target, &source, size, 1);
}

EXPORT tcuMemcpyHtoDAsync_v2 cuMemcpyHtoDAsync_v2;
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t size,
                              CUstream stream)
{
    (void)stream;
    return cuMemcpyHtoD_v2(to, from, size);
}

EXPORT tcuMemcpyDtoH_v2 cuMemcpyDtoH_v2;
CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t size)
{
    CUresult r = context_enter(NEED_CONTEXT);
    struct side target = host_side(to, size);
    struct side source = device_side(from, size, size, 1);

    return r ? r : copy(&target, &source, size, 1);
}

EXPORT tcuMemcpyDtoHAsync_v2 cuMemcpyDtoHAsync_v2;
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t size,
                              CUstream stream)
{
    (void)stream;
    return cuMemcpyDtoH_v2(to, from, size);
}

EXPORT tcuMemcpyDtoD_v2 cuMemcpyDtoD_v2;
CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t size)
{
    CUresult r = context_enter(NEED_CONTEXT);
    struct side target = device_side(to, size, size, 1);
    struct side source = device_side(from, size, size, 1);

    return r ? r : copy(&target, &source, size, 1);
}

EXPORT tcuMemcpyDtoDAsync_v2 cuMemcpyDtoDAsync_v2;
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t size,
                              CUstream stream)
{
    (void)stream;
    return cuMemcpyDtoD_v2(to, from, size);
}

/* The rows that one end of a 2D copy names; arrays are not there. */
static CUresult end_of(struct side *ret, CUmemorytype type, CUdeviceptr device,
                       const void *host, size_t pitch, size_t offset,
                       const CUDA_MEMCPY2D *c)
{
    switch ((int)type) {
    case CU_MEMORYTYPE_HOST:
        *ret = host_side((const char *)host + offset, pitch);
        return CUDA_SUCCESS;
    case CU_MEMORYTYPE_DEVICE:
        *ret = device_side(device + offset, pitch, c->WidthInBytes, c->Height);
        return CUDA_SUCCESS;
    case UNIFIED:
        *ret = any_side(device + offset, pitch, c->WidthInBytes, c->Height);
        return CUDA_SUCCESS;
    }
    return (CUresult)CUDA_NOT_SUPPORTED;
}

EXPORT tcuMemcpy2D_v2 cuMemcpy2D_v2;
CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D *c)
{
    CUresult r = context_enter(NEED_CONTEXT);
    struct side to, from;

    if (r)
        return r;
    if (c->Height > 1 &&
        (c->WidthInBytes > c->srcPitch || c->WidthInBytes > c->dstPitch))
        return (CUresult)CUDA_INVALID_VALUE;
    r = end_of(&to, c->dstMemoryType, c->dstDevice, c->dstHost, c->dstPitch,
               c->dstY * c->dstPitch + c->dstXInBytes, c);
    if (r == CUDA_SUCCESS)
        r = end_of(&from, c->srcMemoryType, c->srcDevice, c->srcHost,
                   c->srcPitch, c->srcY * c->srcPitch + c->srcXInBytes, c);
    return r ? r : copy(&to, &from, c->WidthInBytes, c->Height);
}

EXPORT tcuMemcpy2DAsync_v2 cuMemcpy2DAsync_v2;
CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *c, CUstream stream)
{
    (void)stream;
    return cuMemcpy2D_v2(c);
}
