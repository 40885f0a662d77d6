#include "media/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/mem.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "media/compat.h"

/* Large enough that system calls do not show in a profile, small enough not to
 * show in the memory of a job with a dozen outputs. */
#define BUFFER (256 << 10)

/* So many bytes are handed to the disk at a time, and so many may be on their
 * way: else a slow disk would get gigabytes at once with the final fsync, and
 * nothing would be heard of the job for minutes. */
#define CHUNK       (INT64_C(8) << 20)
#define CHUNK_EARLY (INT64_C(1) << 20)
#define WINDOW      (INT64_C(64) << 20)

struct file_io {
    AVIOContext *context; // owned
    int fd;               // owned
    bool regular;
    bool truncated;
    int error;      // first -errno
    int64_t offset; // of the next read or write
    int64_t chunk;  // what the disk is told of at a time
    int64_t begun;  // from here on the disk has not been told of what is new
    atomic_llong size;
    atomic_llong moved;
};

/* What a reader of an output keeps: its own offset. */
struct reader {
    const struct file_io *file; // not owned
    int64_t offset;
};

static int keep_error(struct file_io *f, int error)
{
    if (!f->error)
        f->error = -error;
    return AVERROR(error);
}

/* A FIFO that no writer has opened yet would say that it has ended. */
static void wait_for_writer(const struct file_io *f)
{
    struct pollfd p = {.fd = f->fd, .events = POLLIN};

    while (poll(&p, 1, -1) < 0 && errno == EINTR)
        ;
}

static ssize_t read_some(const struct file_io *f, void *buffer, size_t size,
                         int64_t offset)
{
    ssize_t n;

    if (!f->regular)
        wait_for_writer(f);
    do {
        n = f->regular ? pread(f->fd, buffer, size, offset)
                       : read(f->fd, buffer, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

static int on_read(void *opaque, uint8_t *buffer, int size)
{
    struct file_io *f = opaque;
    ssize_t n = read_some(f, buffer, (size_t)size, f->offset);

    if (n < 0)
        return keep_error(f, errno);
    if (n == 0) {
        f->truncated |= f->regular && f->offset < f->size;
        return AVERROR_EOF;
    }
    f->offset += n;
    atomic_fetch_add(&f->moved, n);
    return (int)n;
}

/* Hints, which not every file system takes. Waiting for the end of the window
 * makes the pipeline as slow as the disk is. */
static void write_behind(struct file_io *f)
{
    const unsigned wait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                          SYNC_FILE_RANGE_WAIT_AFTER;
    int64_t size = f->offset - f->begun;

    if (!f->regular || size < f->chunk)
        return;
    (void)sync_file_range(f->fd, f->begun, size, SYNC_FILE_RANGE_WRITE);
    if (f->begun >= WINDOW)
        (void)sync_file_range(f->fd, f->begun - WINDOW, size, wait);
    f->begun = f->offset;
}

static int on_write(void *opaque, compat_write_byte *buffer, int size)
{
    struct file_io *f = opaque;

    for (int done = 0; done < size;) {
        size_t rest = (size_t)(size - done);
        ssize_t n = f->regular ? pwrite(f->fd, buffer + done, rest, f->offset)
                               : write(f->fd, buffer + done, rest);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return keep_error(f, n < 0 ? errno : EIO);
        f->offset += n;
        atomic_fetch_add(&f->moved, n);
        done += (int)n;
    }
    if (f->offset > f->size)
        f->size = f->offset;
    write_behind(f);
    return size;
}

/* The new offset as fseek() would have it; @size where libav asks for it. */
static int64_t seek(int64_t *offset, int64_t size, int64_t to, int whence)
{
    switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
        return size;
    case SEEK_CUR:
        to += *offset;
        break;
    case SEEK_END:
        to += size;
        break;
    case SEEK_SET:
        break;
    }
    if (to < 0)
        return AVERROR(EINVAL);
    return *offset = to;
}

static int64_t on_seek(void *opaque, int64_t to, int whence)
{
    struct file_io *f = opaque;
    int64_t before = f->offset;
    int64_t r = seek(&f->offset, f->size, to, whence);

    if (f->offset != before)
        f->begun = f->offset;
    return r;
}

static int open_file(struct file_io **ret, int fd, int writes, struct error *e)
{
    struct file_io *f = xcalloc(1, sizeof(*f));
    struct stat st;
    int r;

    f->fd = fd;
    f->chunk = CHUNK;
    if (fstat(fd, &st) < 0) {
        r = error_set_errno(e, -errno, "cannot look at the file");
        goto fail;
    }
    f->regular = S_ISREG(st.st_mode);
    if (!writes && !f->regular && !S_ISFIFO(st.st_mode)) {
        r = error_set(e, -EBADMSG, "the input is neither a file nor a pipe");
        goto fail;
    }
    f->size = f->regular && !writes ? st.st_size : 0;

    uint8_t *buffer = av_malloc(BUFFER);
    if (buffer)
        f->context = avio_alloc_context(
            buffer, BUFFER, writes, f, writes ? NULL : on_read,
            writes ? on_write : NULL, f->regular ? on_seek : NULL);
    if (!f->context) {
        av_free(buffer);
        r = error_set(e, -ENOMEM, "out of memory");
        goto fail;
    }
    // else libav writes each packet by itself
    f->context->min_packet_size = writes ? BUFFER : 0;
    *ret = f;
    return 0;

fail:
    file_io_close(f);
    return r;
}

int file_io_open_input(struct file_io **ret, int fd, struct error *e)
{
    return open_file(ret, fd, 0, e);
}

int file_io_open_output(struct file_io **ret, int fd, struct error *e)
{
    return open_file(ret, fd, 1, e);
}

void file_io_write_once(struct file_io *f)
{
    f->chunk = CHUNK_EARLY;
}

int file_io_truncate(struct file_io *f, int64_t size)
{
    int error = ftruncate(f->fd, size) < 0 ? errno : 0;

    if (error)
        (void)keep_error(f, error);
    else
        f->size = size;
    return -error;
}

static void free_context(AVIOContext **context)
{
    if (!*context)
        return;
    av_freep(&(*context)->buffer); // libav may have put another in its place
    avio_context_free(context);
}

void file_io_close(struct file_io *f)
{
    if (!f)
        return;
    free_context(&f->context);
    fd_close(&f->fd);
    free(f);
}

AVIOContext *file_io_context(struct file_io *f)
{
    return f->context;
}

static int on_reader_read(void *opaque, uint8_t *buffer, int size)
{
    struct reader *reader = opaque;
    ssize_t n = read_some(reader->file, buffer, (size_t)size, reader->offset);

    if (n <= 0)
        return n < 0 ? AVERROR(errno) : AVERROR_EOF;
    reader->offset += n;
    return (int)n;
}

static int64_t on_reader_seek(void *opaque, int64_t to, int whence)
{
    struct reader *reader = opaque;

    return seek(&reader->offset, reader->file->size, to, whence);
}

AVIOContext *file_io_open_reader(struct file_io *f)
{
    if (!f->regular)
        return NULL;

    uint8_t *buffer = av_malloc(BUFFER);
    if (!buffer)
        return NULL;
    struct reader *reader = xcalloc(1, sizeof(*reader));
    reader->file = f;
    AVIOContext *context = avio_alloc_context(
        buffer, BUFFER, 0, reader, on_reader_read, NULL, on_reader_seek);
    if (!context) {
        av_free(buffer);
        free(reader);
    }
    return context;
}

void file_io_close_reader(AVIOContext *context)
{
    if (!context)
        return;
    free(context->opaque);
    free_context(&context);
}

int64_t file_io_size(const struct file_io *f)
{
    return f->regular || f->size ? f->size : -1;
}

int64_t file_io_moved(const struct file_io *f)
{
    return atomic_load(&f->moved);
}

size_t file_io_peek(const struct file_io *f, void *ret, size_t size)
{
    ssize_t n = f->regular ? read_some(f, ret, size, 0) : 0;

    return n > 0 ? (size_t)n : 0;
}

int file_io_error(const struct file_io *f)
{
    return f->error;
}

bool file_io_was_truncated(const struct file_io *f)
{
    return f->truncated;
}
