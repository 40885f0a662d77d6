#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "child.h"

#include <errno.h>
#include <jansson.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"

/* A shell as a child: its control socket is descriptor 3. */
struct scene {
    uv_loop_t loop;
    struct child *child;
    char said[256]; // documents, each followed by '|'
    bool hung_up;
    bool exited;
    struct task_exit exit;
};

static void on_said(void *user, const char *text, size_t size)
{
    struct scene *s = user;

    assert_false(s->exited); // that is the last call
    assert_int_equal(strlen(text), size);
    (void)strcat(strcat(s->said, text), "|");
}

static void on_hung_up(void *user, const struct error *e)
{
    struct scene *s = user;

    assert_int_equal(e->code, 0);
    s->hung_up = true;
}

static void on_exited(void *user, struct task_exit exit)
{
    struct scene *s = user;

    s->exited = true;
    s->exit = exit;
    uv_stop(&s->loop);
}

static const struct child_ops ops = {on_said, on_hung_up, on_exited};

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));

    assert_int_equal(uv_loop_init(&s->loop), 0);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    child_destroy(s->child);
    (void)uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    free(s);
    return 0;
}

static void spawn(struct scene *s, const char *script)
{
    const char *const arguments[] = {"-c", script, NULL};
    const struct child_config config = {.program = "/bin/sh",
                                        .arguments = arguments,
                                        .input = -1,
                                        .output = -1,
                                        .channel = -1,
                                        .log_lines = 3};

    assert_int_equal(child_spawn(&s->child, &s->loop, &config, NULL, NULL), 0);
    child_attach(s->child, &ops, s);
}

static void run_to_end(struct scene *s)
{
    while (!s->exited)
        (void)uv_run(&s->loop, UV_RUN_DEFAULT);
}

static void exit__status_words_and_log__are_complete(void **state)
{
    struct scene *s = *state;

    spawn(s, "printf 'one\\0two\\0' >&3; echo to stdout; echo to stderr >&2; "
             "exit 7");
    run_to_end(s);
    assert_string_equal(s->said, "one|two|");
    assert_int_equal(s->exit.status, 7);
    assert_int_equal(s->exit.signal, 0);
    json_t *log = child_log_to_json(s->child);
    char *text = json_dumps(log, JSON_COMPACT);
    assert_string_equal(text, "[\"to stdout\",\"to stderr\"]");
    free(text);
    json_decref(log);
}

static void exit__by_a_signal__is_told(void **state)
{
    struct scene *s = *state;

    spawn(s, "kill -SEGV $$");
    run_to_end(s);
    assert_int_equal(s->exit.signal, SIGSEGV);
}

static void hang_up__before_the_exit__is_an_event_of_its_own(void **state)
{
    struct scene *s = *state;

    spawn(s, "exec 3>&-; sleep 10");
    while (!s->hung_up)
        (void)uv_run(&s->loop, UV_RUN_ONCE);
    assert_false(s->exited);
    child_kill(s->child);
    run_to_end(s);
    assert_int_equal(s->exit.signal, SIGKILL);
}

static void press__climbs_from_a_word_to_sigkill(void **state)
{
    struct scene *s = *state;

    // deaf on purpose: it says when it is, and ignores SIGTERM
    spawn(s, "trap 'printf term\\\\0 >&3' TERM; printf ready\\\\0 >&3; "
             "while :; do sleep 0.01; done");
    while (!s->said[0])
        (void)uv_run(&s->loop, UV_RUN_ONCE);
    child_press(s->child); // the word, which it does not read
    child_press(s->child); // SIGTERM
    while (!strstr(s->said, "term|"))
        (void)uv_run(&s->loop, UV_RUN_ONCE);
    assert_false(s->exited);
    child_press(s->child); // SIGKILL
    child_press(s->child); // there is no higher rung
    run_to_end(s);
    assert_int_equal(s->exit.signal, SIGKILL);
}

static void send__orders__reach_it(void **state)
{
    struct scene *s = *state;
    json_t *order = json_pack("{s:s}", "order", "x");

    spawn(s, "dd bs=1 count=14 <&3 2>/dev/null >&3");
    assert_int_equal(child_send(s->child, order, NULL, 0), 0);
    json_decref(order);
    run_to_end(s);
    assert_string_equal(s->said, "{\"order\":\"x\"}|");
}

static void environment__of_our_service_manager__is_not_inherited(void **state)
{
    struct scene *s = *state;

    setenv("NOTIFY_SOCKET", "/run/x", 1);
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_FDNAMES", "x", 1);
    setenv("TEST_KEPT", "yes", 1);
    spawn(s, "printf "
             "\"$NOTIFY_SOCKET$LISTEN_FDS$LISTEN_FDNAMES$TEST_KEPT\\\\0\" >&3");
    run_to_end(s);
    assert_string_equal(s->said, "yes|");
}

static void descriptors__nothing_else_is_inherited(void **state)
{
    struct scene *s = *state;

    spawn(s, "for f in /proc/self/fd/*; do printf \"${f##*/} \" >&3; done; "
             "printf \\\\0 >&3");
    run_to_end(s);
    // the shell's own look at the folder may be among them, ours are not
    assert_true(strlen(s->said) <= strlen("0 1 2 3 4 |"));
    assert_memory_equal(s->said, "0 1 2 3 ", 8);
}

static void spawn__program_that_is_not_there__fails_with_its_name(void **state)
{
    struct scene *s = *state;
    const struct child_config config = {
        .program = "/no/such/worker", .input = -1, .output = -1, .channel = -1};
    struct error e = {0};

    assert_int_equal(child_spawn(&s->child, &s->loop, &config, NULL, &e),
                     -ENOENT);
    assert_non_null(strstr(e.text, "/no/such/worker"));
    assert_null(s->child);
}

static void spawn__input_and_channel__become_0_and_3(void **state)
{
    struct scene *s = *state;
    const char *const arguments[] = {"-c", "read line; printf \"$line\" >&3",
                                     NULL};
    int input[2];
    int channel[2];
    char text[16] = "";

    assert_int_equal(fd_socketpair(SOCK_STREAM, input), 0);
    assert_int_equal(fd_socketpair(SOCK_SEQPACKET, channel), 0);
    const struct child_config config = {.program = "/bin/sh",
                                        .arguments = arguments,
                                        .input = input[0],
                                        .output = -1,
                                        .channel = channel[0]};
    assert_int_equal(child_spawn(&s->child, &s->loop, &config, NULL, NULL), 0);
    child_attach(s->child, &ops, s);
    assert_int_equal(write(input[1], "hello\n", 6), 6);
    run_to_end(s);
    assert_int_equal(read(channel[1], text, sizeof(text)), 5);
    assert_string_equal(text, "hello");
    for (int i = 0; i < 2; i++) {
        fd_close(&input[i]);
        fd_close(&channel[i]);
    }
}

static void destroy__of_one_that_lives__kills_and_waits(void **state)
{
    struct scene *s = *state;

    spawn(s, "sleep 100");
    int pid = child_pid(s->child);
    child_destroy(s->child);
    s->child = NULL;
    (void)uv_run(&s->loop, UV_RUN_DEFAULT); // ends when it is reaped
    assert_false(s->exited);                // nobody was told
    assert_int_equal(kill(pid, 0), -1);
}

int main(void)
{
    // as transcoded's main() does: what our starter left open is not for ours
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);

#define SCENE(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SCENE(exit__status_words_and_log__are_complete),
        SCENE(exit__by_a_signal__is_told),
        SCENE(hang_up__before_the_exit__is_an_event_of_its_own),
        SCENE(press__climbs_from_a_word_to_sigkill),
        SCENE(send__orders__reach_it),
        SCENE(environment__of_our_service_manager__is_not_inherited),
        SCENE(descriptors__nothing_else_is_inherited),
        SCENE(spawn__program_that_is_not_there__fails_with_its_name),
        SCENE(spawn__input_and_channel__become_0_and_3),
        SCENE(destroy__of_one_that_lives__kills_and_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
