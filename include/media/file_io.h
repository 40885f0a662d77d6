/*
 * file_io: libav reads and writes one open descriptor, and nothing else.
 *
 * Regular files are read with pread and written with pwrite at an offset of
 * our own: the descriptor came from somebody else, who may share its offset.
 * Anything else (a pipe for live input) is read in sequence.
 *
 * One thread uses the context at a time; file_io_size() and file_io_moved()
 * may be called by any.
 */
#ifndef MEDIA_FILE_IO_H
#define MEDIA_FILE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavformat/avio.h>

struct error;
struct file_io;

/* Both consume @fd, on failure too. 0 or -errno. */
int file_io_open_input(struct file_io **ret, int fd, struct error *e);
int file_io_open_output(struct file_io **ret, int fd, struct error *e);

/* Writes nothing that libav has not flushed. NULL is allowed. */
void file_io_close(struct file_io *f);

/* What libav takes; lives as long as @f. */
AVIOContext *file_io_context(struct file_io *f);

/* Another context that reads what was written to @f from its beginning, for
 * muxers that move their index to the front. The caller frees it with
 * file_io_close_reader(). NULL when memory is out. */
AVIOContext *file_io_open_reader(struct file_io *f);
void file_io_close_reader(AVIOContext *reader);

/* Nothing of this output will be written a second time: so the disk begins
 * early, and little is left to wait for at the end. */
void file_io_write_once(struct file_io *f);

/* Cut an output off behind @size bytes. Nothing may be waiting in its context.
 * 0 or -errno, which file_io_error() keeps. */
int file_io_truncate(struct file_io *f, int64_t size);

/* Bytes: of an input when it was opened, -1 where that means nothing; of an
 * output the end of what has been written. */
int64_t file_io_size(const struct file_io *f);

/* Bytes that have gone in or out, whether or not they were new. */
int64_t file_io_moved(const struct file_io *f);

/* The first bytes of an input that can be read at any place, without moving
 * it; how many, 0 of a pipe. */
size_t file_io_peek(const struct file_io *f, void *ret, size_t size);

/* The first -errno that the system gave to a read or write, or 0. libav
 * sometimes goes on, and sometimes says something else. */
int file_io_error(const struct file_io *f);

/* Has an input ended before the size that it had when it was opened? */
bool file_io_was_truncated(const struct file_io *f);

#endif
