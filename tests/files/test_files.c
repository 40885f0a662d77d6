#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "files/files.h"
#include "model/job.h"
#include "support/folder.h"
#include "wire/channel.h"

/* A job from film to a and b, its opener, and a channel whose other end the
 * test holds as the worker. */
struct fixture {
    char *folder;
    struct job job;
    struct job_output outputs[2];
    struct files *files;
    int channel; // the opener's end
    int worker;
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    int pair[2];

    f->folder = folder_create();
    folder_put(f->folder, "film", "film");
    f->outputs[0].path = xasprintf("%s/a", f->folder);
    f->outputs[1].path = xasprintf("%s/b", f->folder);
    f->job.input.path = xasprintf("%s/film", f->folder);
    f->job.outputs = f->outputs;
    f->job.output_count = 2;
    f->files = files_create(&f->job, NULL);
    assert_int_equal(fd_socketpair(SOCK_SEQPACKET, pair), 0);
    f->channel = pair[0];
    f->worker = pair[1];
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    files_destroy(f->files);
    fd_close(&f->channel);
    fd_close(&f->worker);
    free(f->outputs[0].path);
    free(f->outputs[1].path);
    free(f->job.input.path);
    folder_remove(f->folder);
    free(f);
    return 0;
}

/* The opener of the same job anew, after a change of it. */
static void renew(struct fixture *f)
{
    files_destroy(f->files);
    f->files = files_create(&f->job, NULL);
}

static void send_request(const struct fixture *f, const char *request)
{
    ssize_t size = (ssize_t)strlen(request);

    assert_int_equal(fd_send(f->worker, request, (size_t)size, NULL, 0), size);
}

/* The reply's packet in @ret, its descriptor or -1. */
static int receive_reply(const struct fixture *f, char ret[CHANNEL_MOST + 1])
{
    int fd = -1;
    size_t count;

    ssize_t n = fd_receive(f->worker, ret, CHANNEL_MOST, &fd, 1, &count);
    assert_true(n > 0);
    ret[n] = '\0';
    return count ? fd : -1;
}

/* One request, served in place, and its answer, which must begin with @expect.
 * The descriptor that came with it, or -1. */
static int ask(struct fixture *f, const char *request, const char *expect)
{
    char packet[CHANNEL_MOST + 1];
    struct error e = {0};

    send_request(f, request);
    assert_int_equal(files_serve(f->files, f->channel, &e), 1);
    int fd = receive_reply(f, packet);
    print_message("%s -> %s\n", request, packet);
    assert_memory_equal(packet, expect, strlen(expect));
    if (strncmp(packet, "error ", 6) != 0) // only good ones have no more words
        assert_string_equal(packet, expect);
    return fd;
}

/* A request that is answered without a descriptor. */
static void tell(struct fixture *f, const char *request, const char *expect)
{
    assert_int_equal(ask(f, request, expect), -1);
}

/* Begin output @number and write @text to it. */
static void begin(struct fixture *f, int number, const char *text)
{
    char request[32];
    char reply[40];

    (void)snprintf(request, sizeof(request), "output %d", number);
    (void)snprintf(reply, sizeof(reply), "ok %s", request);
    int fd = ask(f, request, reply);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    fd_close(&fd);
}

static void job__as_a_worker_does_it__ends_with_its_outputs(void **state)
{
    struct fixture *f = *state;
    char text[8] = "";

    tell(f, "attempt 1", "ok attempt 1");
    int fd = ask(f, "input 0", "ok input 0");
    assert_int_equal(pread(fd, text, sizeof(text), 0), 4);
    assert_string_equal(text, "film");
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    fd_close(&fd);
    begin(f, 0, "first");
    begin(f, 1, "second");
    assert_string_equal(folder_list(f->folder), "film");
    tell(f, "done output 1", "ok done output 1");
    assert_string_equal(folder_list(f->folder), "b film");
    tell(f, "done output 0", "ok done output 0");
    assert_string_equal(folder_get(f->folder, "a"), "first");
    assert_string_equal(folder_get(f->folder, "b"), "second");
    assert_string_equal(folder_list(f->folder), "a b film");
}

static int count_open(void)
{
    int n = 0;

    for (int fd = 0; fd < 64; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void input__asked_twice__has_offsets_of_its_own(void **state)
{
    struct fixture *f = *state;
    char text[8];

    int before = count_open();
    int one = ask(f, "input 0", "ok input 0");
    int other = ask(f, "input 0", "ok input 0");
    assert_int_equal(read(one, text, sizeof(text)), 4);
    assert_int_equal(read(other, text, sizeof(text)), 4);
    fd_close(&one);
    fd_close(&other);
    assert_int_equal(count_open(), before); // the opener has kept none
}

static void role__that_the_job_has_not__is_refused(void **state)
{
    static const char *const requests[] = {
        "input 1",          "output 2",     "output 2147483647",
        "subtitle 0",       "font 0",       "segment 0 0",
        "init 0",           "playlist 0",   "done output 2",
        "done segment 0 0", "done input 0", "abort input 0",
        "abort output 2",   "abort init 0",
    };
    struct fixture *f = *state;
    char expect[64];

    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        (void)snprintf(expect, sizeof(expect), "error %s %d this job has no ",
                       requests[i], ENOENT);
        tell(f, requests[i], expect);
    }
    assert_string_equal(folder_list(f->folder), "film");
}

static void output__out_of_turn__is_refused(void **state)
{
    struct fixture *f = *state;

    tell(f, "done output 0", "error done output 0 22 ");
    tell(f, "abort output 0", "ok abort output 0");
    begin(f, 0, "half");
    tell(f, "output 0", "error output 0 16 ");
    tell(f, "abort output 0", "ok abort output 0");
    begin(f, 0, "whole");
    tell(f, "done output 0", "ok done output 0");
    tell(f, "output 0", "error output 0 16 ");
    tell(f, "abort output 0", "error abort output 0 22 ");
    tell(f, "done output 0", "error done output 0 22 ");
    assert_string_equal(folder_get(f->folder, "a"), "whole");
}

static void attempt__after_another__clears_what_that_left(void **state)
{
    struct fixture *f = *state;

    tell(f, "attempt 1", "ok attempt 1");
    begin(f, 0, "whole");
    begin(f, 1, "half");
    tell(f, "done output 0", "ok done output 0");
    tell(f, "attempt 2", "ok attempt 2");
    assert_string_equal(folder_list(f->folder), "a film");
    begin(f, 0, "again");
    begin(f, 1, "again");
    tell(f, "done output 0", "ok done output 0");
    tell(f, "done output 1", "ok done output 1");
    assert_string_equal(folder_get(f->folder, "a"), "again");
    assert_string_equal(folder_get(f->folder, "b"), "again");
}

static void open__what_cannot_be__says_why(void **state)
{
    struct fixture *f = *state;
    char expect[4096];

    assert_int_equal(unlink(f->job.input.path), 0);
    (void)snprintf(expect, sizeof(expect),
                   "error input 0 2 cannot open '%s': No such file",
                   f->job.input.path);
    tell(f, "input 0", expect);
    folder_put(f->folder, "a", "old");
    (void)snprintf(expect, sizeof(expect),
                   "error output 0 17 cannot write '%s': it exists",
                   f->outputs[0].path);
    tell(f, "output 0", expect);
    assert_string_equal(folder_get(f->folder, "a"), "old");
}

static void output__that_is_the_input__is_refused(void **state)
{
    struct fixture *f = *state;

    f->job.overwrite = true;
    assert_int_equal(link(f->job.input.path, folder_path(f->folder, "a")), 0);
    renew(f);
    tell(f, "output 0", "error output 0 22 cannot write");
    assert_string_equal(folder_get(f->folder, "a"), "film");
}

static void outputs__that_are_one__are_refused(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};

    f->job.overwrite = true;
    free(f->outputs[1].path);
    f->outputs[1].path = xasprintf("%s/./a", f->folder);
    renew(f);
    assert_int_equal(files_check(f->files, &e), -EINVAL);
    assert_string_equal(e.field, "outputs[1].path");
    begin(f, 0, "new");
    tell(f, "output 1", "error output 1 22 ");
}

static void paths__left_to_a_profile__are_refused_not_fatal(void **state)
{
    struct fixture *f = *state;
    char *input = f->job.input.path;
    char *output = f->outputs[0].path;

    f->job.input.path = NULL;
    f->outputs[0].path = NULL;
    renew(f);
    tell(f, "input 0", "error input 0 2 ");
    tell(f, "output 0", "error output 0 21 ");
    files_destroy(f->files);
    f->files = NULL;
    f->job.input.path = input;
    f->outputs[0].path = output;
}

static void worker__breaks_the_protocol__is_left(void **state)
{
    static const char *const packets[] = {
        "output /etc/passwd",
        "GET / HTTP/1.1",
        "\x01\x02",
    };
    struct fixture *f = *state;
    char large[CHANNEL_MOST + 1];
    struct error e = {0};

    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        send_request(f, packets[i]);
        assert_int_equal(files_serve(f->files, f->channel, &e), -EPROTO);
        print_message("%s\n", e.text);
        assert_int_not_equal(strlen(e.text), 0);
    }
    memset(large, 'x', sizeof(large));
    assert_int_equal(fd_send(f->worker, large, sizeof(large), NULL, 0),
                     sizeof(large));
    assert_int_equal(files_serve(f->files, f->channel, &e), -EPROTO);
    // descriptors have no business in this direction
    assert_int_equal(fd_send(f->worker, "input 0", 7, &f->worker, 1), 7);
    assert_int_equal(files_serve(f->files, f->channel, &e), -EPROTO);
}

static void worker__reads_no_replies__is_left(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    int r = 1;

    for (int i = 0; i < 100000 && r == 1; i++) {
        send_request(f, "font 0");
        r = files_serve(f->files, f->channel, &e);
    }
    assert_int_equal(r, -EPROTO);
    assert_non_null(strstr(e.text, "does not read"));
}

static void serve__nothing_there__does_not_wait(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};

    assert_int_equal(files_serve(f->files, f->channel, &e), 1);
    fd_close(&f->worker);
    assert_int_equal(files_serve(f->files, f->channel, &e), 0);
}

static void serve__worker_gone_before_the_reply__is_a_hang_up(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};

    send_request(f, "input 0");
    fd_close(&f->worker);
    assert_int_equal(files_serve(f->files, f->channel, &e), 0);
}

static void check__each_fault__names_its_field(void **state)
{
    static const struct {
        const char *in_the_way; // a name that is made a folder
        bool input_missing;
        int code;
        const char *field;
    } cases[] = {
        {NULL, false, 0, ""},
        {NULL, true, -ENOENT, "input.path"},
        {"a", false, -EISDIR, "outputs[0].path"},
        {"b", false, -EISDIR, "outputs[1].path"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};

        print_message("case %zu\n", i);
        if (cases[i].in_the_way)
            assert_int_equal(
                mkdir(folder_path(f->folder, cases[i].in_the_way), 0755), 0);
        if (cases[i].input_missing)
            assert_int_equal(unlink(f->job.input.path), 0);
        assert_int_equal(files_check(f->files, &e), cases[i].code);
        assert_string_equal(e.field, cases[i].field);
        if (cases[i].in_the_way)
            assert_int_equal(rmdir(folder_path(f->folder, cases[i].in_the_way)),
                             0);
        folder_put(f->folder, "film", "film");
    }
    assert_string_equal(folder_list(f->folder), "film");
    begin(f, 0, "new"); // a check leaves no trace in the opener either
}

static void roots__when_there_are__bound_both_ways(void **state)
{
    struct fixture *f = *state;
    char *none[] = {xasprintf("%s/none", f->folder)};
    const struct files_roots roots = {
        .read = &f->folder, .read_count = 1, .write = none, .write_count = 1};

    files_destroy(f->files);
    f->files = files_create(&f->job, &roots);
    int fd = ask(f, "input 0", "ok input 0");
    fd_close(&fd);
    tell(f, "output 0", "error output 0 13 cannot write");
    files_destroy(f->files);
    f->files = NULL;
    free(none[0]);
}

static void *run(void *user)
{
    struct fixture *f = user;
    struct error e = {0};

    int r = files_run(f->files, f->channel, &e);
    files_destroy(f->files);
    f->files = NULL;
    return (void *)(intptr_t)r;
}

static void run__worker_hangs_up__leaves_nothing(void **state)
{
    struct fixture *f = *state;
    char packet[CHANNEL_MOST + 1];
    pthread_t opener;
    void *result;

    assert_int_equal(pthread_create(&opener, NULL, run, f), 0);
    send_request(f, "output 0");
    int fd = receive_reply(f, packet);
    assert_int_equal(fd_write_all(fd, "half", 4), 0);
    fd_close(&f->worker);
    assert_int_equal(pthread_join(opener, &result), 0);
    assert_int_equal((intptr_t)result, 0);
    fd_close(&fd);
    assert_string_equal(folder_list(f->folder), "film");
}

static void run__opener_is_killed__leaves_nothing(void **state)
{
    struct fixture *f = *state;
    char packet[CHANNEL_MOST + 1];
    int status;

    pid_t opener = fork();
    assert_true(opener >= 0);
    if (opener == 0) {
        fd_close(&f->worker);
        (void)run(f);
        _exit(1);
    }
    fd_close(&f->channel);
    for (int i = 0; i < 2; i++) {
        send_request(f, i ? "output 1" : "output 0");
        int fd = receive_reply(f, packet);
        assert_int_equal(fd_write_all(fd, "half", 4), 0);
        fd_close(&fd);
    }
    assert_int_equal(kill(opener, SIGKILL), 0);
    assert_int_equal(waitpid(opener, &status, 0), opener);
    assert_true(WIFSIGNALED(status));
    assert_string_equal(folder_list(f->folder), "film");
    // the worker is told at once
    assert_int_equal(read(f->worker, packet, sizeof(packet)), 0);
}

#define WITH_JOB(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_JOB(job__as_a_worker_does_it__ends_with_its_outputs),
        WITH_JOB(input__asked_twice__has_offsets_of_its_own),
        WITH_JOB(role__that_the_job_has_not__is_refused),
        WITH_JOB(output__out_of_turn__is_refused),
        WITH_JOB(attempt__after_another__clears_what_that_left),
        WITH_JOB(open__what_cannot_be__says_why),
        WITH_JOB(output__that_is_the_input__is_refused),
        WITH_JOB(outputs__that_are_one__are_refused),
        WITH_JOB(paths__left_to_a_profile__are_refused_not_fatal),
        WITH_JOB(worker__breaks_the_protocol__is_left),
        WITH_JOB(worker__reads_no_replies__is_left),
        WITH_JOB(serve__nothing_there__does_not_wait),
        WITH_JOB(serve__worker_gone_before_the_reply__is_a_hang_up),
        WITH_JOB(check__each_fault__names_its_field),
        WITH_JOB(roots__when_there_are__bound_both_ways),
        WITH_JOB(run__worker_hangs_up__leaves_nothing),
        WITH_JOB(run__opener_is_killed__leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
