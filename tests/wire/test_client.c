#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "wire/client.h"

#define NOBODY 65534

/* A folder with a socket that listens. */
struct fixture {
    char folder[64];
    char path[80];
    int listener;
};

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(
        bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(f->folder, sizeof(f->folder), "%s/client-XXXXXX",
                   tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    assert_int_equal(chmod(f->folder, 0755), 0);
    (void)snprintf(f->path, sizeof(f->path), "%s/socket", f->folder);
    f->listener = listen_at(f->path);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    fd_close(&f->listener);
    (void)unlink(f->path);
    (void)rmdir(f->folder);
    free(f);
    return 0;
}

static struct client *connect_to(const struct fixture *f, int *ret_daemon)
{
    struct error e = {0};
    struct client *c;

    assert_int_equal(client_connect(&c, f->path, &e), 0);
    *ret_daemon = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(*ret_daemon >= 0);
    return c;
}

static void path__from_argument_environment_or_default(void **state)
{
    static const struct {
        const char *named;
        const char *variable;
        const char *runtime;
        const char *root;  // what it is for root
        const char *other; // and for anybody else
    } cases[] = {
        {"/a", "/b", "/c", "/a", "/a"},
        {NULL, "/b", "/c", "/b", "/b"},
        {NULL, "", "/c", "/run/transcoded/io.transcoded",
         "/c/transcoded/io.transcoded"},
        {NULL, NULL, "/c", "/run/transcoded/io.transcoded",
         "/c/transcoded/io.transcoded"},
        {NULL, NULL, "relative", "/run/transcoded/io.transcoded",
         "/run/transcoded/io.transcoded"},
        {NULL, NULL, NULL, "/run/transcoded/io.transcoded",
         "/run/transcoded/io.transcoded"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("case %zu\n", i);
        (void)unsetenv("TRANSCODED_SOCKET");
        (void)unsetenv("XDG_RUNTIME_DIR");
        if (cases[i].variable)
            (void)setenv("TRANSCODED_SOCKET", cases[i].variable, 1);
        if (cases[i].runtime)
            (void)setenv("XDG_RUNTIME_DIR", cases[i].runtime, 1);
        char *path = client_socket_path(cases[i].named);
        assert_string_equal(path,
                            geteuid() == 0 ? cases[i].root : cases[i].other);
        free(path);
    }
}

static void assert_cannot_connect(const char *path, int code, const char *words)
{
    struct error e = {0};
    struct client *c;

    assert_int_equal(client_connect(&c, path, &e), code);
    print_message("%s\n", e.text);
    assert_non_null(strstr(e.text, path));
    assert_non_null(strstr(e.text, words));
}

static void connect__fails__says_what_to_do(void **state)
{
    struct fixture *f = *state;
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/none", f->folder);
    assert_cannot_connect(path, -ENOENT, "is transcoded running?");

    fd_close(&f->listener); // the socket's file stays, as after a crash
    assert_cannot_connect(f->path, -ECONNREFUSED, "start it");

    (void)snprintf(path, sizeof(path), "/%0150d", 0);
    assert_cannot_connect(path, -ENAMETOOLONG, "107 bytes");

    assert_cannot_connect(f->folder, -ECONNREFUSED, "listens");
}

/* In a child as nobody: 0 when the words name @group. */
static int try_as_nobody(const char *path, const char *group)
{
    struct error e = {0};
    struct client *c;

    if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) < 0)
        return 2;
    if (client_connect(&c, path, &e) != -EACCES)
        return 3;
    return strstr(e.text, group) ? 0 : 4;
}

static void connect__without_permission__names_the_group(void **state)
{
    struct fixture *f = *state;
    int status;

    if (geteuid() != 0) {
        print_message("needs root, to become nobody\n");
        skip();
    }
    assert_int_equal(chmod(f->path, 0660), 0);
    for (int hidden = 0; hidden < 2; hidden++) {
        // in a folder that nobody may look into, it is the folder's group
        assert_int_equal(chmod(f->folder, hidden ? 0750 : 0755), 0);
        pid_t child = fork();
        if (child == 0)
            _exit(try_as_nobody(f->path, "group 'root'"));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

static void call__with_a_descriptor__arrives_in_one_piece(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    char text[256];
    int fd[4];
    size_t count;
    int daemon;
    struct client *c = connect_to(f, &daemon);
    json_t *p = json_pack("{s:i}", "id", 7);

    int given = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(client_call(c, "a.b.C", p, true, &given, 1, &e), 0);
    ssize_t n = fd_receive(daemon, text, sizeof(text), fd, 4, &count);
    assert_true(n > 0);
    assert_int_equal(count, 1);
    assert_int_equal(text[n - 1], 0);
    assert_string_equal(
        text, "{\"method\":\"a.b.C\",\"more\":true,\"parameters\":{\"id\":7}}");
    assert_int_equal(fcntl(given, F_GETFD), FD_CLOEXEC); // still the caller's
    fd_close(&fd[0]);
    fd_close(&given);
    fd_close(&daemon);
    json_decref(p);
    client_close(c);
}

static void *read_all(void *user)
{
    int fd = *(int *)user;
    char chunk[4096];
    size_t total = 0;
    ssize_t n;

    while ((n = read(fd, chunk, sizeof(chunk))) > 0)
        total += (size_t)n;
    return (void *)total;
}

static void call__larger_than_the_socket_takes__is_sent_whole(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    char *large = xcalloc(1, 800001);
    pthread_t reader;
    void *total;
    int daemon;
    struct client *c = connect_to(f, &daemon);

    memset(large, 'x', 800000);
    json_t *p = json_pack("{s:s}", "x", large);
    assert_int_equal(pthread_create(&reader, NULL, read_all, &daemon), 0);
    assert_int_equal(client_call(c, "M", p, false, NULL, 0, &e), 0);
    client_close(c);
    assert_int_equal(pthread_join(reader, &total), 0);
    assert_int_equal((size_t)total,
                     800000 + strlen("{'method':'M','parameters':{'x':''}}") +
                         1);
    fd_close(&daemon);
    json_decref(p);
    free(large);
}

static void receive__replies_in_pieces__come_one_by_one(void **state)
{
    static const char two[] = "{\"continues\":true}\0{\"error\":\"a.b.Bad\"}";
    struct fixture *f = *state;
    struct message_reply reply;
    struct error e = {0};
    int daemon;
    struct client *c = connect_to(f, &daemon);

    assert_int_equal(client_receive(c, 0, &reply, &e), -EAGAIN);
    assert_int_equal(fd_write_all(daemon, two, sizeof(two) - 1), 0);
    assert_int_equal(client_receive(c, -1, &reply, &e), 1);
    assert_true(reply.continues);
    message_reply_fini(&reply);
    assert_int_equal(client_receive(c, 1000, &reply, &e), -EAGAIN);
    assert_int_equal(fd_write_all(daemon, "", 1), 0);
    assert_int_equal(client_receive(c, -1, &reply, &e), 1);
    assert_string_equal(reply.error, "a.b.Bad");
    message_reply_fini(&reply);
    fd_close(&daemon);
    assert_int_equal(client_receive(c, -1, &reply, &e), 0);
    client_close(c);
}

static void receive__what_is_no_reply__is_an_error_in_words(void **state)
{
    struct fixture *f = *state;
    struct message_reply reply;
    struct error e = {0};
    int daemon;
    struct client *c = connect_to(f, &daemon);

    assert_int_equal(fd_write_all(daemon, "noise\0", 6), 0);
    assert_int_equal(client_receive(c, -1, &reply, &e), -EINVAL);
    assert_non_null(strstr(e.text, "no valid reply"));
    fd_close(&daemon);
    client_close(c);
}

static void receive__a_descriptor__is_refused(void **state)
{
    struct fixture *f = *state;
    struct message_reply reply;
    struct error e = {0};
    int daemon;
    struct client *c = connect_to(f, &daemon);

    assert_int_equal(fd_send(daemon, "{}\0", 3, &daemon, 1), 3);
    assert_int_equal(client_receive(c, -1, &reply, &e), -EMSGSIZE);
    fd_close(&daemon);
    client_close(c);
}

static void on_alarm(int signal)
{
    (void)signal;
}

static void receive__a_signal_with_a_handler__is_told(void **state)
{
    struct fixture *f = *state;
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 1000}, {0, 1000}}; // one comes while it waits
    struct itimerval never = {{0, 0}, {0, 0}};
    struct message_reply reply;
    struct error e = {0};
    int daemon;
    struct client *c = connect_to(f, &daemon);

    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    int r = client_receive(c, 10 * SECOND, &reply, &e);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(r, -EINTR);
    fd_close(&daemon);
    client_close(c);
}

static void call__after_a_hang_up__is_an_error_and_no_signal(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    int daemon;
    struct client *c = connect_to(f, &daemon);

    fd_close(&daemon);
    assert_int_equal(client_call(c, "M", NULL, false, NULL, 0, &e), -EPIPE);
    assert_non_null(strstr(e.text, "hung up"));
    client_close(c);
}

#define WITH_SOCKET(test) \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path__from_argument_environment_or_default),
        WITH_SOCKET(connect__fails__says_what_to_do),
        WITH_SOCKET(connect__without_permission__names_the_group),
        WITH_SOCKET(call__with_a_descriptor__arrives_in_one_piece),
        WITH_SOCKET(call__larger_than_the_socket_takes__is_sent_whole),
        WITH_SOCKET(receive__replies_in_pieces__come_one_by_one),
        WITH_SOCKET(receive__what_is_no_reply__is_an_error_in_words),
        WITH_SOCKET(receive__a_descriptor__is_refused),
        WITH_SOCKET(receive__a_signal_with_a_handler__is_told),
        WITH_SOCKET(call__after_a_hang_up__is_an_error_and_no_signal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
