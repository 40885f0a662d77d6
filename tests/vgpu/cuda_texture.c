/* libcuda: texture objects. */
#include "texture.h"

#include <pthread.h>
#include <stdlib.h>

#include "context.h"
#include "cuda_error.h"
#include "fault.h"
#include "machine.h"
#include "memory.h"

struct object {
    struct object *next; // in living
    CUtexObject handle;
    CUDA_RESOURCE_DESC resource;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct object *living; // owned, linked by next
static CUtexObject last_handle;

__attribute__((destructor)) static void count_leaks(void)
{
    int64_t n = 0;

    for (const struct object *o = living; o; o = o->next)
        n++;
    if (n)
        machine_count(COUNTER_LEAKED_TEXTURES, n);
}

static int bytes_of(CUarray_format format)
{
    switch ((int)format) {
    case CU_AD_FORMAT_UNSIGNED_INT8:
        return 1;
    case CU_AD_FORMAT_UNSIGNED_INT16:
        return 2;
    }
    return 0;
}

static int open_resource(struct texture *ret, const CUDA_RESOURCE_DESC *r)
{
    struct texture t = {
        .pitch = r->res.pitch2D.pitchInBytes,
        .width = (int)r->res.pitch2D.width,
        .height = (int)r->res.pitch2D.height,
        .channels = (int)r->res.pitch2D.numChannels,
        .bytes = bytes_of(r->res.pitch2D.format),
    };

    if (r->resType != CU_RESOURCE_TYPE_PITCH2D || !t.bytes ||
        r->res.pitch2D.width > 65536 || r->res.pitch2D.height > 65536 ||
        r->res.pitch2D.numChannels > 4)
        return 0;
    t.texels =
        memory_rows(r->res.pitch2D.devPtr, t.pitch,
                    (size_t)(t.width * t.channels * t.bytes), (size_t)t.height);
    if (!t.texels)
        return 0;
    *ret = t;
    return 1;
}

EXPORT tcuTexObjectCreate cuTexObjectCreate;
CUresult cuTexObjectCreate(CUtexObject *ret, const CUDA_RESOURCE_DESC *resource,
                           const CUDA_TEXTURE_DESC *texture,
                           const CUDA_RESOURCE_VIEW_DESC *view)
{
    struct texture unused;
    CUresult r = context_enter(NEED_CONTEXT);

    (void)texture; // the kernels know how they filter
    (void)view;
    if (r != CUDA_SUCCESS)
        return r;
    if (!open_resource(&unused, resource)) {
        fault_misuse("a texture that is not pitched device memory");
        return (CUresult)CUDA_INVALID_VALUE;
    }

    struct object *o = calloc(1, sizeof(*o));
    if (!o)
        abort();
    o->resource = *resource;
    pthread_mutex_lock(&mutex);
    o->handle = ++last_handle;
    o->next = living;
    living = o;
    pthread_mutex_unlock(&mutex);
    *ret = o->handle;
    return CUDA_SUCCESS;
}

EXPORT tcuTexObjectDestroy cuTexObjectDestroy;
CUresult cuTexObjectDestroy(CUtexObject handle)
{
    pthread_mutex_lock(&mutex);
    struct object **link = &living;
    while (*link && (*link)->handle != handle)
        link = &(*link)->next;
    struct object *gone = *link;
    if (gone)
        *link = gone->next;
    pthread_mutex_unlock(&mutex);

    free(gone);
    return gone ? CUDA_SUCCESS : (CUresult)CUDA_INVALID_HANDLE;
}

int texture_open(struct texture *ret, CUtexObject handle)
{
    CUDA_RESOURCE_DESC resource;

    pthread_mutex_lock(&mutex);
    const struct object *o = living;
    while (o && o->handle != handle)
        o = o->next;
    if (o)
        resource = o->resource;
    pthread_mutex_unlock(&mutex);
    return o ? open_resource(ret, &resource) : 0;
}
