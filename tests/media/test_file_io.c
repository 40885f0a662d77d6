#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavformat/avio.h>

#include "base/error.h"
#include "media/file_io.h"
#include "support/folder.h"

static int open_file(const char *folder, const char *name, int flags)
{
    int fd = open(folder_path(folder, name), flags | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

static void file_io_input__shared_offset__is_left_alone(void **state)
{
    char *folder = folder_create();
    struct file_io *f = NULL;
    struct error e = {0};
    unsigned char text[5];

    (void)state;
    folder_put(folder, "a", "0123456789");
    int fd = open_file(folder, "a", O_RDONLY);
    int shared = dup(fd);
    assert_int_equal(lseek(shared, 7, SEEK_SET), 7);
    assert_int_equal(file_io_open_input(&f, fd, &e), 0);
    assert_int_equal(file_io_size(f), 10);
    assert_int_equal(avio_read(file_io_context(f), text, 5), 5);
    assert_memory_equal(text, "01234", 5);
    assert_int_equal(avio_seek(file_io_context(f), 8, SEEK_SET), 8);
    assert_int_equal(avio_read(file_io_context(f), text, 5), 2);
    assert_memory_equal(text, "89", 2);
    assert_int_equal(lseek(shared, 0, SEEK_CUR), 7);
    assert_false(file_io_was_truncated(f));
    close(shared);
    file_io_close(f);
    folder_remove(folder);
}

static void file_io_input__becomes_shorter__is_noticed(void **state)
{
    char *folder = folder_create();
    struct file_io *f = NULL;
    struct error e = {0};
    unsigned char text[5];

    (void)state;
    folder_put(folder, "a", "0123456789");
    assert_int_equal(
        file_io_open_input(&f, open_file(folder, "a", O_RDONLY), &e), 0);
    assert_int_equal(truncate(folder_path(folder, "a"), 3), 0);
    assert_int_equal(avio_read(file_io_context(f), text, 5), 3);
    assert_true(avio_read(file_io_context(f), text, 5) < 0);
    assert_true(file_io_was_truncated(f));
    file_io_close(f);
    folder_remove(folder);
}

static void file_io_input__pipe__is_read_in_sequence(void **state)
{
    struct file_io *f = NULL;
    struct error e = {0};
    unsigned char text[8];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "live", 4), 4);
    close(ends[1]);
    assert_int_equal(file_io_open_input(&f, ends[0], &e), 0);
    assert_int_equal(file_io_size(f), -1);
    assert_int_equal(file_io_peek(f, text, sizeof(text)), 0);
    assert_int_equal(avio_read(file_io_context(f), text, 8), 4);
    assert_memory_equal(text, "live", 4);
    assert_false(file_io_context(f)->seekable);
    file_io_close(f);
}

static void file_io_output__patched_and_read_again(void **state)
{
    char *folder = folder_create();
    struct file_io *f = NULL;
    struct error e = {0};
    unsigned char text[16];

    (void)state;
    assert_int_equal(
        file_io_open_output(&f, open_file(folder, "a", O_RDWR | O_CREAT), &e),
        0);
    AVIOContext *pb = file_io_context(f);
    avio_write(pb, (const unsigned char *)"....index", 9);
    avio_flush(pb);
    assert_int_equal(file_io_size(f), 9);
    assert_int_equal(avio_seek(pb, 0, SEEK_SET), 0);
    avio_write(pb, (const unsigned char *)"head", 4);
    avio_flush(pb);
    assert_int_equal(file_io_size(f), 9);

    AVIOContext *reader = file_io_open_reader(f);
    assert_non_null(reader);
    assert_int_equal(avio_read(reader, text, sizeof(text)), 9);
    assert_memory_equal(text, "headindex", 9);
    file_io_close_reader(reader);
    file_io_close(f);
    assert_string_equal(folder_get(folder, "a"), "headindex");
    folder_remove(folder);
}

static void file_io_output__disk_full__keeps_the_reason(void **state)
{
    struct file_io *f = NULL;
    struct error e = {0};
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    if (fd < 0)
        skip();
    assert_int_equal(file_io_open_output(&f, fd, &e), 0);
    avio_write(file_io_context(f), (const unsigned char *)"x", 1);
    avio_flush(file_io_context(f));
    assert_int_equal(file_io_error(f), -ENOSPC);
    file_io_close(f);
}

/* The hints that were given; ours is in the place of libc's. */
static struct {
    int begun;
    int64_t begun_bytes;
    int waited;
    int64_t waited_end;
} hints;

int sync_file_range(int fd, off_t offset, off_t count, unsigned flags)
{
    assert_true(fd >= 0);
    if (flags & SYNC_FILE_RANGE_WAIT_AFTER) {
        hints.waited++;
        hints.waited_end = offset + count;
    } else {
        assert_int_equal(offset, hints.begun_bytes);
        hints.begun++;
        hints.begun_bytes += count;
    }
    return 0;
}

static void write_blocks(struct file_io *f, int count)
{
    enum { BLOCK = 1 << 20 };
    unsigned char *block = calloc(1, BLOCK);

    assert_non_null(block);
    for (int i = 0; i < count; i++)
        avio_write(file_io_context(f), block, BLOCK);
    avio_flush(file_io_context(f));
    assert_int_equal(file_io_error(f), 0);
    free(block);
}

/* What fsync() has left to do at the end is bounded, however much there was. */
static void file_io_output__large__is_written_behind(void **state)
{
    char *folder = folder_create();
    struct file_io *f = NULL;
    struct error e = {0};

    (void)state;
    memset(&hints, 0, sizeof(hints));
    int fd = open_file(folder, "a", O_RDWR | O_CREAT);
    assert_int_equal(file_io_open_output(&f, fd, &e), 0);
    write_blocks(f, 7);
    assert_int_equal(hints.begun, 0); // a small file is left to the system
    write_blocks(f, 93);
    assert_true(hints.begun_bytes >= 92 << 20);
    assert_true(hints.waited > 0);
    assert_true(hints.begun_bytes - hints.waited_end <= 80 << 20);
    file_io_close(f);
    folder_remove(folder);
}

static void file_io_output__written_once__begins_early(void **state)
{
    char *folder = folder_create();
    struct file_io *f = NULL;
    struct error e = {0};

    (void)state;
    memset(&hints, 0, sizeof(hints));
    int fd = open_file(folder, "a", O_RDWR | O_CREAT);
    assert_int_equal(file_io_open_output(&f, fd, &e), 0);
    file_io_write_once(f);
    write_blocks(f, 4);
    assert_int_equal(hints.begun_bytes, 4 << 20);
    assert_int_equal(hints.waited, 0);
    write_blocks(f, 96);
    assert_int_equal(hints.begun_bytes, 100 << 20);
    assert_int_equal(hints.waited_end, 36 << 20);
    file_io_close(f);
    folder_remove(folder);
}

static void file_io_output__truncated__ends_there(void **state)
{
    char *folder = folder_create();
    struct file_io *f = NULL;
    struct error e = {0};
    struct stat st;

    (void)state;
    int fd = open_file(folder, "a", O_RDWR | O_CREAT);
    assert_int_equal(file_io_open_output(&f, fd, &e), 0);
    write_blocks(f, 1);
    assert_int_equal(file_io_truncate(f, 1000), 0);
    assert_int_equal(file_io_size(f), 1000);
    assert_int_equal(stat(folder_path(folder, "a"), &st), 0);
    assert_int_equal(st.st_size, 1000);
    assert_int_equal(file_io_truncate(f, -1), -EINVAL);
    assert_int_equal(file_io_error(f), -EINVAL);
    file_io_close(f);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_io_input__shared_offset__is_left_alone),
        cmocka_unit_test(file_io_input__becomes_shorter__is_noticed),
        cmocka_unit_test(file_io_input__pipe__is_read_in_sequence),
        cmocka_unit_test(file_io_output__patched_and_read_again),
        cmocka_unit_test(file_io_output__disk_full__keeps_the_reason),
        cmocka_unit_test(file_io_output__large__is_written_behind),
        cmocka_unit_test(file_io_output__written_once__begins_early),
        cmocka_unit_test(file_io_output__truncated__ends_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
