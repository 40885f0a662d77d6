#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "opener.h"

/* Plays the other side: waits for one request, and answers with these packets
 * one after the other; a descriptor goes with the last one. */
struct script {
    int fd;
    const char *expect;
    const char *answers[3];
    int pass; // a descriptor, or -1
    char got[CHANNEL_MOST];
};

static void *play(void *opaque)
{
    struct script *s = opaque;
    size_t none = 0;

    ssize_t n = fd_receive(s->fd, s->got, sizeof(s->got) - 1, NULL, 0, &none);
    if (n > 0)
        s->got[n] = '\0';
    for (size_t i = 0; i < 3 && s->answers[i]; i++) {
        bool last = i == 2 || !s->answers[i + 1];
        (void)fd_send(s->fd, s->answers[i], strlen(s->answers[i]), &s->pass,
                      last && s->pass >= 0);
    }
    fd_close(&s->fd);
    return NULL;
}

static int ask(struct script *s,
               int (*question)(int fd, int *ret, struct error *e), int *ret_fd,
               struct error *e)
{
    pthread_t thread;
    int pair[2];

    assert_int_equal(fd_socketpair(SOCK_SEQPACKET, pair), 0);
    s->fd = pair[1];
    assert_int_equal(pthread_create(&thread, NULL, play, s), 0);
    int r = question(pair[0], ret_fd, e);
    pthread_join(thread, NULL);
    fd_close(&pair[0]);
    assert_string_equal(s->got, s->expect);
    return r;
}

static int ask_input(int fd, int *ret, struct error *e)
{
    return opener_open(fd, CHANNEL_INPUT, 0, ret, e);
}

static int ask_attempt(int fd, int *ret, struct error *e)
{
    (void)ret;
    return opener_attempt(fd, 3, e);
}

static int ask_done(int fd, int *ret, struct error *e)
{
    (void)ret;
    return opener_done(fd, CHANNEL_OUTPUT, 1, e);
}

static void opener__answers__are_understood(void **state)
{
    static const struct {
        int (*question)(int fd, int *ret, struct error *e);
        struct script script;
        bool passes;
        int code;
        const char *text;
    } cases[] = {
        {ask_attempt,
         {.expect = "attempt 3", .answers = {"ok attempt 3"}},
         false,
         0,
         ""},
        {ask_input,
         {.expect = "input 0", .answers = {"ok input 0"}},
         true,
         0,
         ""},
        {ask_input,
         {.expect = "input 0", .answers = {"ok input 0"}},
         false,
         -EPROTO,
         "no descriptor came for input 0"},
        {ask_input,
         {.expect = "input 0", .answers = {"error input 0 2 cannot open '/x'"}},
         false,
         -ENOENT,
         "cannot open '/x'"},
        // an answer to a worker that died is not ours
        {ask_done,
         {.expect = "done output 1",
          .answers = {"ok done output 0", "ok done output 1"}},
         false,
         0,
         ""},
        {ask_done,
         {.expect = "done output 1"},
         false,
         -ECONNRESET,
         "whoever opened the files is gone"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct script s = cases[i].script;
        struct error e = {0};
        int fd = -1;
        print_message("%zu: %s\n", i, s.expect);
        s.pass = cases[i].passes ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
        assert_int_equal(ask(&s, cases[i].question, &fd, &e), cases[i].code);
        assert_string_equal(e.text, cases[i].text);
        assert_int_equal(fd >= 0, cases[i].passes);
        fd_close(&fd);
        fd_close(&s.pass);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opener__answers__are_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
