/*
 * libcuda: streams and events. Every call of the stand-in is done when it
 * returns, so these have nothing to wait for.
 */
#include <stdlib.h>

#include "context.h"
#include "cuda_error.h"

/* Something to have an address. */
struct token {
    char unused;
};

static CUresult create(void **ret)
{
    CUresult r = context_enter(NEED_CONTEXT);

    if (r != CUDA_SUCCESS)
        return r;
    *ret = malloc(sizeof(struct token));
    return *ret ? CUDA_SUCCESS : (CUresult)CUDA_OUT_OF_MEMORY;
}

EXPORT tcuStreamCreate cuStreamCreate;
CUresult cuStreamCreate(CUstream *ret, unsigned flags)
{
    (void)flags;
    return create((void **)ret);
}

EXPORT tcuStreamDestroy_v2 cuStreamDestroy_v2;
CUresult cuStreamDestroy_v2(CUstream stream)
{
    free(stream);
    return CUDA_SUCCESS;
}

EXPORT tcuStreamQuery cuStreamQuery;
CUresult cuStreamQuery(CUstream stream)
{
    (void)stream;
    return context_enter(NEED_CONTEXT);
}

EXPORT tcuStreamSynchronize cuStreamSynchronize;
CUresult cuStreamSynchronize(CUstream stream)
{
    (void)stream;
    return context_enter(NEED_CONTEXT);
}

// headers before 12.1 have no type for it
EXPORT CUresult CUDAAPI cuStreamWaitEvent(CUstream stream, CUevent event,
                                          unsigned flags);
CUresult CUDAAPI cuStreamWaitEvent(CUstream stream, CUevent event,
                                   unsigned flags)
{
    (void)stream;
    (void)event;
    (void)flags;
    return context_enter(NEED_CONTEXT);
}

EXPORT tcuStreamAddCallback cuStreamAddCallback;
CUresult cuStreamAddCallback(CUstream stream, CUstreamCallback *callback,
                             void *data, unsigned flags)
{
    CUresult r = context_enter(NEED_CONTEXT);

    (void)flags;
    if (r == CUDA_SUCCESS)
        callback(stream, CUDA_SUCCESS, data);
    return r;
}

EXPORT tcuEventCreate cuEventCreate;
CUresult cuEventCreate(CUevent *ret, unsigned flags)
{
    (void)flags;
    return create((void **)ret);
}

EXPORT tcuEventDestroy_v2 cuEventDestroy_v2;
CUresult cuEventDestroy_v2(CUevent event)
{
    free(event);
    return CUDA_SUCCESS;
}

EXPORT tcuEventSynchronize cuEventSynchronize;
CUresult cuEventSynchronize(CUevent event)
{
    (void)event;
    return context_enter(NEED_CONTEXT);
}

EXPORT tcuEventQuery cuEventQuery;
CUresult cuEventQuery(CUevent event)
{
    (void)event;
    return context_enter(NEED_CONTEXT);
}

EXPORT tcuEventRecord cuEventRecord;
CUresult cuEventRecord(CUevent event, CUstream stream)
{
    (void)event;
    (void)stream;
    return context_enter(NEED_CONTEXT);
}
