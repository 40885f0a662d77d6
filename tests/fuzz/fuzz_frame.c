/*
 * A stream of bytes from anybody, in chunks of any size, some with descriptors.
 * The first byte is the limit of a document; then chunks, each behind a byte
 * that says its size (6 bits) and descriptors (2 bits). What comes out must be
 * the stream parted at its NULs, each descriptor exactly once, and none stays
 * open.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "wire/frame.h"

#define MOST_FDS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was pushed, for comparison. */
struct stream {
    char bytes[1 << 16];
    size_t pushed;
    size_t taken;
    size_t fds_pushed;
    size_t fds_taken;
};

static int lowest_free_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int number = fd;

    assert(fd >= 0);
    fd_close(&fd);
    return number;
}

static void take_all(struct frame_reader *r, struct stream *s)
{
    const char *text;
    size_t size;
    int fds[MOST_FDS];
    size_t fd_count;

    while (frame_next(r, &text, &size, fds, &fd_count) == 1) {
        assert(s->taken + size < s->pushed);
        assert(memcmp(text, s->bytes + s->taken, size + 1) == 0);
        assert(fd_count <= MOST_FDS);
        s->taken += size + 1;
        s->fds_taken += fd_count;
        while (fd_count)
            fd_close(&fds[--fd_count]);
    }
}

/* 0, or what frame_push() says. */
static int push(struct frame_reader *r, struct stream *s, const uint8_t *chunk,
                size_t size, size_t fd_count)
{
    int fds[3];

    for (size_t i = 0; i < fd_count; i++)
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int code = frame_push(r, chunk, size, fds, fd_count);
    if (code < 0)
        return code;
    memcpy(s->bytes + s->pushed, chunk, size);
    s->pushed += size;
    s->fds_pushed += fd_count;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stream s;
    int free_before = lowest_free_fd();

    if (size == 0 || size > sizeof(s.bytes))
        return 0;
    s.pushed = s.taken = s.fds_pushed = s.fds_taken = 0;
    struct frame_reader *r = frame_reader_create(data[0], MOST_FDS);
    int code = 0;
    for (size_t at = 1; at < size && code == 0;) {
        size_t chunk = data[at] & 0x3f;
        size_t fds = data[at] >> 6;
        at++;
        if (chunk > size - at)
            chunk = size - at;
        code = push(r, &s, data + at, chunk, fds);
        assert(code == 0 || code == -EMSGSIZE || code == -E2BIG);
        if (chunk % 2) // else they wait for others
            take_all(r, &s);
        at += chunk;
    }
    take_all(r, &s);
    // nothing that was whole may be left, and no document passed the limit
    assert(!memchr(s.bytes + s.taken, '\0', s.pushed - s.taken));
    assert(s.pushed - s.taken <= data[0]);
    assert(s.fds_taken <= s.fds_pushed);
    frame_reader_destroy(r);
    assert(lowest_free_fd() == free_before);
    return 0;
}
