#include "memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "context.h"
#include "cuda_error.h"
#include "fault.h"
#include "machine.h"

#define ALIGNMENT 512 // of what is accounted
#define PAGE      4096

struct allocation {
    CUdeviceptr address; // of a mapping without access
    size_t size;         // as asked for
    uint8_t *content;    // owned mapping
    const struct context *owner;
};

static struct {
    pthread_mutex_t mutex;
    struct allocation *items; // sorted by address
    size_t count;
    size_t capacity;
} heap = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static int64_t accounted(size_t size)
{
    return (int64_t)((size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
}

static size_t mapped(size_t size)
{
    return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

/* The first allocation behind @address. With the mutex held. */
static size_t upper_bound(CUdeviceptr address)
{
    size_t low = 0, high = heap.count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (heap.items[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct allocation *find(CUdeviceptr address)
{
    size_t i = upper_bound(address);

    if (!i)
        return NULL;
    struct allocation *a = &heap.items[i - 1];
    return address - a->address < a->size ? a : NULL;
}

static bool map_pages(struct allocation *a)
{
    void *address = mmap(NULL, mapped(a->size), PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    void *content = mmap(NULL, mapped(a->size), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (address != MAP_FAILED && content != MAP_FAILED) {
        a->address = (CUdeviceptr)(uintptr_t)address;
        a->content = content;
        return true;
    }
    if (address != MAP_FAILED)
        munmap(address, mapped(a->size));
    if (content != MAP_FAILED)
        munmap(content, mapped(a->size));
    return false;
}

static void insert(const struct allocation *a)
{
    pthread_mutex_lock(&heap.mutex);
    if (heap.count == heap.capacity) {
        heap.capacity = heap.capacity ? 2 * heap.capacity : 64;
        heap.items = realloc(heap.items, heap.capacity * sizeof(heap.items[0]));
        if (!heap.items)
            abort();
    }
    size_t i = upper_bound(a->address);
    memmove(&heap.items[i + 1], &heap.items[i],
            (heap.count - i) * sizeof(heap.items[0]));
    heap.items[i] = *a;
    heap.count++;
    pthread_mutex_unlock(&heap.mutex);
}

CUresult memory_allocate(struct context *owner, size_t size, CUdeviceptr *ret)
{
    struct allocation a = {.size = size, .owner = owner};

    if (!size || size > (size_t)INT64_MAX / 2)
        return (CUresult)CUDA_INVALID_VALUE;
    if (fault_fires(FAULT_ALLOC) ||
        !machine_vram_take(context_card(owner), accounted(size)))
        return (CUresult)CUDA_OUT_OF_MEMORY;
    if (!map_pages(&a)) {
        machine_vram_give(context_card(owner), accounted(size));
        return (CUresult)CUDA_OUT_OF_MEMORY;
    }

    insert(&a);
    machine_count(COUNTER_ALLOCATIONS, 1);
    *ret = a.address;
    return CUDA_SUCCESS;
}

static void release(const struct allocation *a)
{
    munmap((void *)(uintptr_t)a->address, mapped(a->size));
    munmap(a->content, mapped(a->size));
    machine_vram_give(context_card(a->owner), accounted(a->size));
}

static void erase(struct allocation *a)
{
    size_t i = (size_t)(a - heap.items);

    heap.count--;
    memmove(&heap.items[i], &heap.items[i + 1],
            (heap.count - i) * sizeof(heap.items[0]));
}

CUresult memory_free(CUdeviceptr address)
{
    pthread_mutex_lock(&heap.mutex);
    struct allocation *a = find(address);
    if (!a || a->address != address) {
        pthread_mutex_unlock(&heap.mutex);
        fault_misuse("free of %#llx, which is no allocation",
                     (unsigned long long)address);
        return (CUresult)CUDA_INVALID_VALUE;
    }
    struct allocation gone = *a;
    erase(a);
    pthread_mutex_unlock(&heap.mutex);

    release(&gone);
    return CUDA_SUCCESS;
}

void memory_free_all(const struct context *owner)
{
    pthread_mutex_lock(&heap.mutex);
    for (size_t i = heap.count; i-- > 0;) {
        struct allocation gone = heap.items[i];
        if (gone.owner != owner)
            continue;
        erase(&heap.items[i]);
        release(&gone);
    }
    pthread_mutex_unlock(&heap.mutex);
}

size_t memory_count(void)
{
    pthread_mutex_lock(&heap.mutex);
    size_t n = heap.count;
    pthread_mutex_unlock(&heap.mutex);
    return n;
}

bool memory_is_device(CUdeviceptr address)
{
    return memory_at(address, 1) != NULL;
}

uint8_t *memory_at(CUdeviceptr address, size_t size)
{
    uint8_t *content = NULL;

    pthread_mutex_lock(&heap.mutex);
    const struct allocation *a = find(address);
    if (a) {
        size_t offset = (size_t)(address - a->address);
        if (size <= a->size - offset)
            content = a->content + offset;
    }
    pthread_mutex_unlock(&heap.mutex);
    return content;
}

uint8_t *memory_rows(CUdeviceptr address, size_t pitch, size_t width,
                     size_t rows)
{
    size_t span;

    if (!rows || !width || __builtin_mul_overflow(pitch, rows - 1, &span) ||
        __builtin_add_overflow(span, width, &span))
        return NULL;
    return memory_at(address, span);
}
