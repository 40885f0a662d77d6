#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assignment.h"
#include "base/error.h"
#include "base/fd.h"

#define JOB \
    "\"job\":{\"input\":{\"path\":\"/in/a\"},\"outputs\":[{\"path\":\"/out/" \
    "b.mp4\"}]}"

static void document__valid__is_read(void **state)
{
    static const char text[] =
        "{" JOB ",\"read_roots\":[\"/in\",\"/x\"],\"write_roots\":[\"/out\"],"
        "\"any\":true,\"mark\":\"job 17\",\"group\":44,\"mode\":436}";
    struct assignment a;
    struct error e = {0};

    (void)state;
    assert_int_equal(assignment_from_text(&a, text, strlen(text), &e), 0);
    assert_string_equal(a.job.input.path, "/in/a");
    assert_string_equal(a.job.outputs[0].path, "/out/b.mp4");
    assert_int_equal(a.roots.read_count, 2);
    assert_string_equal(a.roots.read[1], "/x");
    assert_int_equal(a.roots.write_count, 1);
    assert_true(a.any);
    assert_string_equal(a.mark, "job 17");
    assert_int_equal(a.group, 44);
    assert_int_equal(a.mode, 0664);
    assignment_fini(&a);
}

static void document__job_alone__may_open_nothing(void **state)
{
    struct assignment a;
    struct error e = {0};

    (void)state;
    assert_int_equal(
        assignment_from_text(&a, "{" JOB "}", strlen("{" JOB "}"), &e), 0);
    assert_int_equal(a.roots.read_count, 0);
    assert_int_equal(a.roots.write_count, 0);
    assert_false(a.any);
    assert_null(a.mark);
    assert_int_equal(a.group, -1);
    assert_int_equal(a.mode, -1);
    assignment_fini(&a);
}

static void document__invalid__names_the_field(void **state)
{
    static const struct {
        const char *text;
        const char *field;
    } cases[] = {
        {"", ""},
        {"[]", ""},
        {"{}", "job"},
        {"{\"job\":{}}", "job.input"},
        {"{" JOB ",\"any\":\"yes\"}", "any"},
        {"{" JOB ",\"read_roots\":\"/in\"}", "read_roots"},
        {"{" JOB ",\"write_roots\":[7]}", "write_roots[0]"},
        {"{" JOB ",\"mark\":7}", "mark"},
        {"{" JOB ",\"group\":4294967295}", "group"},
        {"{" JOB ",\"mode\":512}", "mode"},
        {"{" JOB ",\"mode\":\"0664\"}", "mode"},
        {"{" JOB ",\"roots\":[]}", "roots"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct assignment a;
        struct error e = {0};

        print_message("%s\n", cases[i].text);
        assert_int_equal(
            assignment_from_text(&a, cases[i].text, strlen(cases[i].text), &e),
            -EINVAL);
        assert_string_equal(e.field, cases[i].field);
        assert_int_not_equal(strlen(e.text), 0);
    }
}

static void read__until_nul_or_end__is_the_same(void **state)
{
    static const char *const ends[] = {"\0", "\0rest", ""};
    static const size_t sizes[] = {1, 5, 0};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct assignment a;
        struct error e = {0};
        int pair[2];

        print_message("end %zu\n", i);
        assert_int_equal(pipe(pair), 0);
        assert_int_equal(
            fd_write_all(pair[1], "{" JOB "}", strlen("{" JOB "}")), 0);
        assert_int_equal(fd_write_all(pair[1], ends[i], sizes[i]), 0);
        if (sizes[i] == 0)
            fd_close(&pair[1]); // else the NUL is all that ends it
        assert_int_equal(assignment_read(&a, pair[0], &e), 0);
        assert_string_equal(a.job.input.path, "/in/a");
        assignment_fini(&a);
        fd_close(&pair[0]);
        fd_close(&pair[1]);
    }
}

static void *write_without_end(void *user)
{
    int *fd = user;
    char chunk[4096];

    memset(chunk, ' ', sizeof(chunk));
    while (fd_write_all(*fd, chunk, sizeof(chunk)) == 0)
        ;
    return NULL;
}

static void read__without_end__is_bounded(void **state)
{
    struct assignment a;
    struct error e = {0};
    pthread_t writer;
    int pair[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_STREAM, pair), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_without_end, &pair[1]),
                     0);
    assert_int_equal(assignment_read(&a, pair[0], &e), -EMSGSIZE);
    fd_close(&pair[0]);
    assert_int_equal(pthread_join(writer, NULL), 0);
    fd_close(&pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(document__valid__is_read),
        cmocka_unit_test(document__job_alone__may_open_nothing),
        cmocka_unit_test(document__invalid__names_the_field),
        cmocka_unit_test(read__until_nul_or_end__is_the_same),
        cmocka_unit_test(read__without_end__is_bounded),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
