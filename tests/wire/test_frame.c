#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "wire/frame.h"

#define MOST     16 // bytes of a document
#define MOST_FDS 2

static int new_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* All documents that are there, as "[one][two]", with '*' for a descriptor. */
static void take_all(struct frame_reader *r, char *ret, size_t size)
{
    const char *text;
    size_t length;
    int fds[MOST_FDS];
    size_t fd_count;
    size_t used = 0;

    ret[0] = '\0';
    while (frame_next(r, &text, &length, fds, &fd_count)) {
        assert_int_equal(strlen(text), length);
        used += (size_t)snprintf(ret + used, size - used, "[%s", text);
        for (size_t i = 0; i < fd_count; i++) {
            assert_true(is_open(fds[i]));
            fd_close(&fds[i]);
            used += (size_t)snprintf(ret + used, size - used, "*");
        }
        used += (size_t)snprintf(ret + used, size - used, "]");
    }
}

static void documents__any_chunks__come_out_whole(void **state)
{
    static const char stream[] = "one\0\0two and three\0x\0rest";
    const size_t size = sizeof(stream) - 1;

    (void)state;
    for (size_t chunk = 1; chunk <= size; chunk++) {
        struct frame_reader *r = frame_reader_create(MOST, 0);
        char all[64] = "";
        char some[64];

        print_message("chunks of %zu\n", chunk);
        for (size_t at = 0; at < size; at += chunk) {
            size_t n = size - at < chunk ? size - at : chunk;
            assert_int_equal(frame_push(r, stream + at, n, NULL, 0), 0);
            take_all(r, some, sizeof(some));
            strcat(all, some);
        }
        assert_string_equal(all, "[one][][two and three][x]");
        frame_reader_destroy(r);
    }
}

static void documents__taken_late__wait_in_order(void **state)
{
    struct frame_reader *r = frame_reader_create(MOST, 0);
    const char *text;
    char all[64];
    size_t size;
    size_t fds;

    (void)state;
    assert_int_equal(frame_push(r, "one\0tw", 6, NULL, 0), 0);
    assert_int_equal(frame_next(r, &text, &size, NULL, &fds), 1);
    assert_string_equal(text, "one");
    assert_int_equal(frame_push(r, "o\0three\0", 8, NULL, 0), 0);
    take_all(r, all, sizeof(all));
    assert_string_equal(all, "[two][three]");
    frame_reader_destroy(r);
}

static void limit__of_bytes__is_kept_however_they_come(void **state)
{
    static const struct {
        const char *first;
        const char *second; // pushed behind it
        size_t second_size;
        int expect;
    } cases[] = {
        {"0123456789abcdef", "\0", 1, 0},
        {"0123456789abcdef", "0", 1, -EMSGSIZE},
        {"0123456789abcde", "f0\0", 3, -EMSGSIZE},
        {"",
         "x\0"
         "0123456789abcdef0",
         19, -EMSGSIZE},
        {"01234567",
         "89\0"
         "0123456789abcdef\0",
         20, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct frame_reader *r = frame_reader_create(MOST, 0);

        print_message("case %zu\n", i);
        assert_int_equal(
            frame_push(r, cases[i].first, strlen(cases[i].first), NULL, 0), 0);
        assert_int_equal(
            frame_push(r, cases[i].second, cases[i].second_size, NULL, 0),
            cases[i].expect);
        // there is no way back into step once a document was too long
        assert_int_equal(frame_push(r, "\0", 1, NULL, 0), cases[i].expect);
        frame_reader_destroy(r);
    }
}

static void limit__passed__keeps_what_was_whole_before(void **state)
{
    struct frame_reader *r = frame_reader_create(MOST, 0);
    char all[64];

    (void)state;
    assert_int_equal(frame_push(r, "good\0", 5, NULL, 0), 0);
    assert_int_equal(frame_push(r, "0123456789abcdef0", 17, NULL, 0),
                     -EMSGSIZE);
    take_all(r, all, sizeof(all));
    assert_string_equal(all, "[good]");
    frame_reader_destroy(r);
}

static void descriptors__with_a_chunk__belong_to_its_last_document(void **state)
{
    static const struct {
        const char *chunks[3];
        size_t sizes[3];
        size_t fds[3]; // that come with each chunk
        const char *expect;
    } cases[] = {
        {{"one\0two\0"}, {8}, {1}, "[one][two*]"},
        {{"one\0tw", "o\0"}, {6, 2}, {1, 0}, "[one][two*]"},
        {{"one\0", "two\0", "x\0"}, {4, 4, 2}, {0, 2, 0}, "[one][two**][x]"},
        {{"on", "e\0", "two\0"}, {2, 2, 4}, {1, 1, 1}, "[one**][two*]"},
        {{"on", "e\0", "two\0"}, {2, 2, 4}, {0, 1, 0}, "[one*][two]"},
        {{"one\0", "two\0", "x\0"}, {4, 4, 2}, {1, 1, 1}, "[one*][two*][x*]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct frame_reader *r = frame_reader_create(MOST, MOST_FDS);
        char all[64];

        print_message("case %zu\n", i);
        for (size_t c = 0; c < 3 && cases[i].chunks[c]; c++) {
            int fds[MOST_FDS];
            for (size_t n = 0; n < cases[i].fds[c]; n++)
                fds[n] = new_fd();
            assert_int_equal(frame_push(r, cases[i].chunks[c],
                                        cases[i].sizes[c], fds,
                                        cases[i].fds[c]),
                             0);
        }
        take_all(r, all, sizeof(all));
        assert_string_equal(all, cases[i].expect);
        frame_reader_destroy(r);
    }
}

static void descriptors__too_many_for_a_document__are_closed(void **state)
{
    struct frame_reader *r = frame_reader_create(MOST, MOST_FDS);
    int first[] = {new_fd(), new_fd()};
    int second = new_fd();

    (void)state;
    assert_int_equal(frame_push(r, "on", 2, first, 2), 0);
    assert_int_equal(frame_push(r, "e\0", 2, &second, 1), -E2BIG);
    assert_false(is_open(second));
    assert_true(is_open(first[0]));
    frame_reader_destroy(r);
    assert_false(is_open(first[0]));
    assert_false(is_open(first[1]));
}

static void descriptors__after_a_passed_limit__are_closed(void **state)
{
    struct frame_reader *r = frame_reader_create(MOST, MOST_FDS);
    int with = new_fd();
    int after = new_fd();

    (void)state;
    assert_int_equal(frame_push(r, "0123456789abcdef0", 17, &with, 1),
                     -EMSGSIZE);
    assert_int_equal(frame_push(r, "x\0", 2, &after, 1), -EMSGSIZE);
    assert_false(is_open(with));
    assert_false(is_open(after));
    frame_reader_destroy(r);
}

/* What frame.h says of the kernel: reading stops behind the bytes that carried
 * descriptors, and these come with the first of those bytes. */
static void descriptors__through_a_socket__stay_with_their_message(void **state)
{
    (void)state;
    for (size_t room = 1; room <= 32; room++) {
        struct frame_reader *r = frame_reader_create(MOST, MOST_FDS);
        int fd = new_fd();
        char all[64] = "";
        char chunk[32];
        char some[64];
        int pair[2];
        ssize_t n;

        print_message("reading %zu bytes at a time\n", room);
        assert_int_equal(fd_socketpair(SOCK_STREAM, pair), 0);
        assert_int_equal(fd_send(pair[0], "one\0", 4, NULL, 0), 4);
        assert_int_equal(fd_send(pair[0], "two\0", 4, &fd, 1), 4);
        assert_int_equal(fd_send(pair[0], "three\0", 6, NULL, 0), 6);
        assert_int_equal(fd_send(pair[0], "four\0", 5, &fd, 1), 5);
        fd_close(&pair[0]);
        do {
            int fds[MOST_FDS];
            size_t count;
            n = fd_receive(pair[1], chunk, room, fds, MOST_FDS, &count);
            assert_true(n >= 0);
            assert_int_equal(frame_push(r, chunk, (size_t)n, fds, count), 0);
            take_all(r, some, sizeof(some));
            strcat(all, some);
        } while (n > 0);
        assert_string_equal(all, "[one][two*][three][four*]");
        fd_close(&pair[1]);
        fd_close(&fd);
        frame_reader_destroy(r);
    }
}

static void memory__of_a_large_document__is_given_back(void **state)
{
    const size_t size = 1 << 20;
    struct frame_reader *r = frame_reader_create(size, 0);
    char *large = xcalloc(size + 1, 1);
    const char *text;
    size_t length;
    size_t fds;

    (void)state;
    memset(large, 'x', size);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(frame_push(r, large, size + 1, NULL, 0), 0);
        assert_int_equal(frame_next(r, &text, &length, NULL, &fds), 1);
        assert_int_equal(length, size);
        assert_memory_equal(text, large, size + 1);
        assert_int_equal(frame_next(r, &text, &length, NULL, &fds), 0);
    }
    free(large);
    frame_reader_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents__any_chunks__come_out_whole),
        cmocka_unit_test(documents__taken_late__wait_in_order),
        cmocka_unit_test(limit__of_bytes__is_kept_however_they_come),
        cmocka_unit_test(limit__passed__keeps_what_was_whole_before),
        cmocka_unit_test(
            descriptors__with_a_chunk__belong_to_its_last_document),
        cmocka_unit_test(descriptors__too_many_for_a_document__are_closed),
        cmocka_unit_test(descriptors__after_a_passed_limit__are_closed),
        cmocka_unit_test(
            descriptors__through_a_socket__stay_with_their_message),
        cmocka_unit_test(memory__of_a_large_document__is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
