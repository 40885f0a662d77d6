/* libcuda: initialisation and contexts. */
#include "context.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cuda_error.h"
#include "fault.h"
#include "machine.h"
#include "memory.h"
#include "settings.h"

#define STACK_DEPTH 32

struct context {
    struct context *next; // in living
    CUdevice device;
    unsigned flags;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct context *living; // owned, linked by next
static atomic_bool initialised;

static pthread_mutex_t primary_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct primary {
    struct context *context; // one of living, or NULL
    int holders;
    unsigned flags;
} primaries[MACHINE_CARDS];

static _Thread_local struct context *stack[STACK_DEPTH];
static _Thread_local int depth;

CUresult context_enter(enum need need)
{
    if (need == NEED_NOTHING)
        return CUDA_SUCCESS;
    if (!initialised)
        return (CUresult)CUDA_NOT_INITIALIZED;
    if (machine_lost())
        return (CUresult)settings()->lost_error;
    if (need == NEED_CONTEXT && !context_current()) {
        fault_misuse("a call that needs a context, and none is current");
        return (CUresult)CUDA_INVALID_CONTEXT;
    }
    return CUDA_SUCCESS;
}

bool context_valid(const struct context *c)
{
    pthread_mutex_lock(&mutex);
    const struct context *i = living;
    while (i && i != c)
        i = i->next;
    pthread_mutex_unlock(&mutex);
    return i != NULL;
}

int context_card(const struct context *c)
{
    return c->device;
}

struct context *context_current(void)
{
    struct context *c = depth ? stack[depth - 1] : NULL;

    return c && context_valid(c) ? c : NULL;
}

static CUresult push(struct context *c)
{
    if (depth == STACK_DEPTH)
        return (CUresult)CUDA_INVALID_VALUE;
    stack[depth++] = c;
    return CUDA_SUCCESS;
}

static CUresult create(struct context **ret, unsigned flags, CUdevice device)
{
    if (device < 0 || device >= machine_cards())
        return (CUresult)CUDA_INVALID_DEVICE;
    if (!machine_vram_take(device, settings()->context_vram << 20))
        return (CUresult)CUDA_OUT_OF_MEMORY;

    struct context *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->device = device;
    c->flags = flags;
    pthread_mutex_lock(&mutex);
    c->next = living;
    living = c;
    pthread_mutex_unlock(&mutex);

    machine_count(COUNTER_CONTEXTS, 1);
    machine_self()->contexts[device]++;
    *ret = c;
    return CUDA_SUCCESS;
}

static CUresult destroy(struct context *c)
{
    pthread_mutex_lock(&mutex);
    struct context **link = &living;
    while (*link && *link != c)
        link = &(*link)->next;
    bool found = *link != NULL;
    if (found)
        *link = c->next;
    pthread_mutex_unlock(&mutex);
    if (!found)
        return (CUresult)CUDA_INVALID_CONTEXT;

    memory_free_all(c);
    machine_vram_give(c->device, settings()->context_vram << 20);
    machine_self()->contexts[c->device]--;
    free(c);
    return CUDA_SUCCESS;
}

/* What is still there when the process ends was forgotten by the client. */
__attribute__((destructor)) static void count_leaks(void)
{
    int64_t contexts = 0;

    for (const struct context *c = living; c; c = c->next)
        contexts++;
    if (contexts)
        machine_count(COUNTER_LEAKED_CONTEXTS, contexts);
    if (memory_count())
        machine_count(COUNTER_LEAKED_ALLOCATIONS, (int64_t)memory_count());
}

/* May they be opened? Nodes without a driver behind them are let pass: those
 * are a test's own. */
static bool nodes_open(void)
{
    static const char *const nodes[] = {"/dev/nvidiactl", "/dev/nvidia0",
                                        "/dev/nvidia-uvm"};

    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        int fd = open(nodes[i], O_RDWR | O_CLOEXEC);
        if (fd < 0 && errno != ENXIO)
            return false;
        if (fd >= 0)
            close(fd);
    }
    return true;
}

/* What a process that gave up much can do no more. */
static bool socket_opens(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

EXPORT tcuInit cuInit;
CUresult cuInit(unsigned flags)
{
    int cards[MACHINE_CARDS];

    if (flags)
        return (CUresult)CUDA_INVALID_VALUE;
    if (settings()->no_driver || !machine_self() || !cuda_visible(cards))
        return (CUresult)CUDA_NO_DEVICE;
    if (settings()->init_error)
        return (CUresult)settings()->init_error;
    if (settings()->open_nodes && !nodes_open())
        return (CUresult)CUDA_NO_DEVICE;
    if (settings()->init_socket && !initialised && !socket_opens())
        return (CUresult)CUDA_OPERATING_SYSTEM;
    if (machine_lost())
        return (CUresult)settings()->lost_error;
    initialised = true;
    return CUDA_SUCCESS;
}

EXPORT tcuCtxCreate_v2 cuCtxCreate_v2;
CUresult cuCtxCreate_v2(CUcontext *ret, unsigned flags, CUdevice device)
{
    struct context *c;
    CUresult r = context_enter(NEED_INIT);

    if (r == CUDA_SUCCESS)
        r = create(&c, flags, device);
    if (r != CUDA_SUCCESS)
        return r;
    *ret = (CUcontext)c;
    return push(c);
}

EXPORT tcuCtxDestroy_v2 cuCtxDestroy_v2;
CUresult cuCtxDestroy_v2(CUcontext context)
{
    struct context *c = (struct context *)context;

    // A lost device is still cleaned up: clients must be able to leave.
    if (depth && stack[depth - 1] == c)
        depth--;
    return destroy(c);
}

EXPORT tcuCtxPushCurrent_v2 cuCtxPushCurrent_v2;
CUresult cuCtxPushCurrent_v2(CUcontext context)
{
    CUresult r = context_enter(NEED_INIT);

    if (r != CUDA_SUCCESS)
        return r;
    if (!context_valid((struct context *)context)) {
        fault_misuse("push of a context that does not live");
        return (CUresult)CUDA_INVALID_CONTEXT;
    }
    return push((struct context *)context);
}

EXPORT tcuCtxPopCurrent_v2 cuCtxPopCurrent_v2;
CUresult cuCtxPopCurrent_v2(CUcontext *ret)
{
    if (!depth)
        return (CUresult)CUDA_INVALID_CONTEXT;
    depth--;
    if (ret)
        *ret = (CUcontext)stack[depth];
    return CUDA_SUCCESS;
}

EXPORT CUresult CUDAAPI cuCtxGetCurrent(CUcontext *ret);
CUresult cuCtxGetCurrent(CUcontext *ret)
{
    *ret = (CUcontext)context_current();
    return context_enter(NEED_INIT);
}

EXPORT CUresult CUDAAPI cuCtxSetCurrent(CUcontext context);
CUresult cuCtxSetCurrent(CUcontext context)
{
    CUresult r = context_enter(NEED_INIT);

    if (r != CUDA_SUCCESS)
        return r;
    if (depth)
        depth--;
    return context ? push((struct context *)context) : CUDA_SUCCESS;
}

EXPORT CUresult CUDAAPI cuCtxSynchronize(void);
CUresult cuCtxSynchronize(void)
{
    return context_enter(NEED_CONTEXT);
}

EXPORT tcuCtxSetLimit cuCtxSetLimit;
CUresult cuCtxSetLimit(CUlimit limit, size_t value)
{
    (void)limit;
    (void)value;
    return context_enter(NEED_CONTEXT);
}

EXPORT tcuCtxGetDevice cuCtxGetDevice;
CUresult cuCtxGetDevice(CUdevice *device)
{
    CUresult r = context_enter(NEED_CONTEXT);

    if (r == CUDA_SUCCESS)
        *device = context_current()->device;
    return r;
}

/* What every function of the primary context asks first. */
static CUresult enter_primary(CUdevice device)
{
    CUresult r = context_enter(NEED_INIT);

    if (r != CUDA_SUCCESS)
        return r;
    return device < 0 || device >= machine_cards()
               ? (CUresult)CUDA_INVALID_DEVICE
               : CUDA_SUCCESS;
}

EXPORT tcuDevicePrimaryCtxRetain cuDevicePrimaryCtxRetain;
CUresult cuDevicePrimaryCtxRetain(CUcontext *ret, CUdevice device)
{
    CUresult r = enter_primary(device);

    if (r != CUDA_SUCCESS)
        return r;
    pthread_mutex_lock(&primary_mutex);
    struct primary *p = &primaries[device];
    if (!p->context)
        r = create(&p->context, p->flags, device);
    if (r == CUDA_SUCCESS) {
        p->holders++;
        *ret = (CUcontext)p->context;
    }
    pthread_mutex_unlock(&primary_mutex);
    return r;
}

/* So many holders less, or none any more. The last one's context ends. */
static CUresult release_primary(struct primary *p, int holders)
{
    struct context *gone = NULL;

    pthread_mutex_lock(&primary_mutex);
    bool held = p->holders > 0;
    p->holders = p->holders > holders ? p->holders - holders : 0;
    if (!p->holders) {
        gone = p->context;
        p->context = NULL;
    }
    pthread_mutex_unlock(&primary_mutex);
    if (gone)
        return destroy(gone);
    return held ? CUDA_SUCCESS : (CUresult)CUDA_INVALID_CONTEXT;
}

/* A lost device is still cleaned up, so it is not entered. */
static struct primary *primary_of(CUdevice device)
{
    return device < 0 || device >= MACHINE_CARDS ? NULL : &primaries[device];
}

EXPORT tcuDevicePrimaryCtxRelease cuDevicePrimaryCtxRelease;
CUresult cuDevicePrimaryCtxRelease(CUdevice device)
{
    struct primary *p = primary_of(device);

    return p ? release_primary(p, 1) : (CUresult)CUDA_INVALID_DEVICE;
}

EXPORT tcuDevicePrimaryCtxReset cuDevicePrimaryCtxReset;
CUresult cuDevicePrimaryCtxReset(CUdevice device)
{
    struct primary *p = primary_of(device);

    if (!p)
        return (CUresult)CUDA_INVALID_DEVICE;
    (void)release_primary(p, INT_MAX);
    return CUDA_SUCCESS;
}

EXPORT tcuDevicePrimaryCtxSetFlags cuDevicePrimaryCtxSetFlags;
CUresult cuDevicePrimaryCtxSetFlags(CUdevice device, unsigned flags)
{
    CUresult r = enter_primary(device);

    if (r != CUDA_SUCCESS)
        return r;
    pthread_mutex_lock(&primary_mutex);
    primaries[device].flags = flags;
    pthread_mutex_unlock(&primary_mutex);
    return CUDA_SUCCESS;
}

EXPORT tcuDevicePrimaryCtxGetState cuDevicePrimaryCtxGetState;
CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags,
                                    int *active)
{
    CUresult r = enter_primary(device);

    if (r != CUDA_SUCCESS)
        return r;
    pthread_mutex_lock(&primary_mutex);
    *flags = primaries[device].flags;
    *active = primaries[device].context != NULL;
    pthread_mutex_unlock(&primary_mutex);
    return CUDA_SUCCESS;
}
