#include "wire/frame.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/memory.h"

#define KEEP (64 << 10) // bytes of buffer that an empty reader may keep

/* A descriptor that waits for its document to be taken. */
struct passenger {
    uint64_t document; // its number, from 0
    int fd;            // owned
};

struct frame_reader {
    size_t most;
    size_t most_fds;
    char *data; // owned; what has been pushed and not yet taken
    size_t room;
    size_t start;   // of the first document in @data
    size_t end;     // of all bytes in @data
    size_t partial; // bytes of the last document, which has no NUL yet
    uint64_t whole; // documents that have been completed
    uint64_t taken; // of them, by frame_next()
    struct passenger *waiting; // owned; in the order of their documents
    size_t waiting_room;
    size_t waiting_count;
    int broken; // -errno once a limit was passed
};

struct frame_reader *frame_reader_create(size_t most, size_t most_fds)
{
    struct frame_reader *r = xcalloc(1, sizeof(*r));

    r->most = most;
    r->most_fds = most_fds;
    return r;
}

void frame_reader_destroy(struct frame_reader *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->waiting_count; i++)
        fd_close(&r->waiting[i].fd);
    free(r->waiting);
    free(r->data);
    free(r);
}

/*
 * Count the documents that end in the chunk. -EMSGSIZE when one is too large;
 * *@ret_whole and *@ret_partial are what r->whole and r->partial become.
 */
static int measure(const struct frame_reader *r, const char *data, size_t size,
                   uint64_t *ret_whole, size_t *ret_partial)
{
    uint64_t whole = r->whole;
    size_t partial = r->partial;

    while (size) {
        const char *nul = memchr(data, '\0', size);
        size_t length = nul ? (size_t)(nul - data) : size;

        if (length > r->most - partial)
            return -EMSGSIZE;
        partial += length;
        if (nul) {
            whole++;
            partial = 0;
            length++;
        }
        data += length;
        size -= length;
    }
    *ret_whole = whole;
    *ret_partial = partial;
    return 0;
}

static void append(struct frame_reader *r, const void *data, size_t size)
{
    if (r->start) {
        memmove(r->data, r->data + r->start, r->end - r->start);
        r->end -= r->start;
        r->start = 0;
    }
    if (size == 0)
        return;
    r->data = xgrow(r->data, &r->room, r->end + size, 1);
    memcpy(r->data + r->end, data, size);
    r->end += size;
}

static size_t count_waiting(const struct frame_reader *r, uint64_t document)
{
    size_t n = 0;

    for (size_t i = r->waiting_count; i > 0; i--) {
        if (r->waiting[i - 1].document != document)
            break;
        n++;
    }
    return n;
}

static int board(struct frame_reader *r, uint64_t document, const int *fds,
                 size_t count)
{
    if (count == 0)
        return 0;
    if (count + count_waiting(r, document) > r->most_fds)
        return -E2BIG;

    r->waiting = xgrow(r->waiting, &r->waiting_room, r->waiting_count + count,
                       sizeof(*r->waiting));
    for (size_t i = 0; i < count; i++) {
        struct passenger p = {.document = document, .fd = fds[i]};
        r->waiting[r->waiting_count++] = p;
    }
    return 0;
}

static int refuse(struct frame_reader *r, int code, const int *fds,
                  size_t fd_count)
{
    for (size_t i = 0; i < fd_count; i++) {
        int fd = fds[i];
        fd_close(&fd);
    }
    r->broken = code;
    return code;
}

int frame_push(struct frame_reader *r, const void *data, size_t size,
               const int *fds, size_t fd_count)
{
    uint64_t whole;
    size_t partial;

    if (r->broken)
        return refuse(r, r->broken, fds, fd_count);
    int code = measure(r, data, size, &whole, &partial);
    if (code < 0)
        return refuse(r, code, fds, fd_count);

    // a chunk that ends with a NUL ends with the document it completes
    bool complete = size && ((const char *)data)[size - 1] == '\0';
    code = board(r, complete ? whole - 1 : whole, fds, fd_count);
    if (code < 0)
        return refuse(r, code, fds, fd_count);

    append(r, data, size);
    r->whole = whole;
    r->partial = partial;
    return 0;
}

/* Moves the first document's descriptors to @ret_fds. */
static size_t alight(struct frame_reader *r, int *ret_fds)
{
    size_t n = 0;

    while (n < r->waiting_count && r->waiting[n].document == r->taken) {
        ret_fds[n] = r->waiting[n].fd;
        n++;
    }
    if (n) {
        r->waiting_count -= n;
        memmove(r->waiting, r->waiting + n,
                r->waiting_count * sizeof(*r->waiting));
    }
    return n;
}

/* One large document must not cost its memory for as long as a client stays. */
static void release(struct frame_reader *r)
{
    if (r->start < r->end || r->room <= KEEP)
        return;
    free(r->data);
    r->data = NULL;
    r->room = 0;
    r->start = 0;
    r->end = 0;
}

int frame_next(struct frame_reader *r, const char **ret_text, size_t *ret_size,
               int *ret_fds, size_t *ret_fd_count)
{
    if (r->taken == r->whole) {
        release(r);
        return 0;
    }

    const char *text = r->data + r->start;
    size_t size = strlen(text); // there is a NUL: the document is whole
    *ret_text = text;
    *ret_size = size;
    *ret_fd_count = alight(r, ret_fds);
    r->start += size + 1;
    r->taken++;
    return 1;
}
