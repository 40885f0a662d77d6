#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "support/scene.h"

#define DRAWN_MOST 65536 // bytes

/* transcodectl on a terminal of @columns, whose other end is *@ret_fd. */
static pid_t start_on_terminal(int *ret_fd, unsigned short columns,
                               const char *const *arguments)
{
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    pid_t ctl = forkpty(ret_fd, NULL, NULL, &size);

    if (ctl == 0) {
        (void)setenv("TERM", "xterm", 1);
        scene_exec(arguments);
    }
    return ctl;
}

/* What it draws until @end, or until it ends; the caller frees. */
static char *read_drawn(int fd, const char *end)
{
    char *text = xcalloc(1, DRAWN_MOST);
    size_t used = 0;
    ssize_t n = 1;

    while (n > 0 && used < DRAWN_MOST - 1 && !(end && strstr(text, end))) {
        n = read(fd, text + used, DRAWN_MOST - 1 - used);
        used += n > 0 ? (size_t)n : 0;
    }
    return text;
}

static char *run_on_terminal(const char *script, unsigned short columns,
                             const char *const *arguments)
{
    pid_t daemon = scene_start_daemon(script);
    int fd;

    pid_t ctl = start_on_terminal(&fd, columns, arguments);
    char *text = read_drawn(fd, NULL);
    assert_int_equal(scene_wait(ctl), 0);
    assert_int_equal(scene_wait(daemon), 0);
    fd_close(&fd);
    return text;
}

#define PROGRESS(percent) \
    "{\"event\":{\"job\":17,\"attempt\":1,\"time\":1,\"event\":\"progress\"," \
    "\"frame\":50,\"fps\":25.0,\"speed\":1.0,\"out_time\":2.0," \
    "\"percent\":" percent ",\"eta\":2.0,\"size\":1000,\"bitrate\":4000}}\n"

static void terminal__progress__is_a_bar_of_its_width(void **state)
{
    static const char script[] =
        "call io.transcoded.Follow\n"
        "continue " PROGRESS("50.0") "reply " SCENE_OUTCOME("done", "well");
    static const char *const arguments[] = {"follow", "17", NULL};
    static const struct {
        const char *no_colour;
        unsigned short columns;
        const char *expect;
    } cases[] = {
        {"", 40,
         "\r 50.0%  [######------]  ETA 0:02  1.00x\033[K\r\033[K"
         "\033[32mjob 17: done: well\033[m\r\n"},
        {"1", 30,
         "\r 50.0%  ETA 0:02  1.00x\033[K\r\033[Kjob 17: done: well\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%d columns\n", cases[i].columns);
        (void)setenv("NO_COLOR", cases[i].no_colour, 1);
        char *text = run_on_terminal(script, cases[i].columns, arguments);
        assert_string_equal(text, cases[i].expect);
        free(text);
    }
}

static void terminal__new_width_and_ctrl_c__are_followed(void **state)
{
    static const char script[] =
        "call io.transcoded.Follow\ncontinue " PROGRESS("50.0") "gone\n";
    static const char *const arguments[] = {"follow", "17", NULL};
    static const struct winsize narrow = {.ws_row = 24, .ws_col = 20};
    pid_t daemon = scene_start_daemon(script);
    int fd;

    (void)state;
    pid_t ctl = start_on_terminal(&fd, 40, arguments);
    char *wide = read_drawn(fd, "\033[K");
    assert_string_equal(wide,
                        "\r 50.0%  [######------]  ETA 0:02  1.00x\033[K");
    assert_int_equal(ioctl(fd, TIOCSWINSZ, &narrow), 0);
    char *less = read_drawn(fd, "\033[K");
    assert_string_equal(less, "\r 50.0%  ETA 0:02\033[K");
    assert_int_equal(write(fd, "\003", 1), 1);
    char *rest = read_drawn(fd, NULL);
    assert_non_null(strstr(rest, "\r\033[Ktranscodectl: job 17 goes on, "
                                 "'transcodectl follow 17' shows it\r\n"));
    assert_int_equal(scene_wait(ctl), 130);
    assert_int_equal(scene_wait(daemon), 0);
    fd_close(&fd);
    free(wide);
    free(less);
    free(rest);
}

static void terminal__json__cannot_steer_it(void **state)
{
    static const char *const arguments[] = {"status", "--json", NULL};

    (void)state;
    char *text = run_on_terminal("call io.transcoded.Status\n"
                                 "reply {\"version\":\"\\u009b2J\\u202e\"}\n",
                                 80, arguments);
    assert_string_equal(text, "{\"version\":\"\\u009B2J\\u202E\"}\r\n");
    free(text);
}

static void terminal__reading_out_of_range__is_coloured(void **state)
{
    static const char script[] =
        "call io.transcoded.Devices\n"
        "reply {\"devices\":[{\"id\":\"cuda:0\",\"running\":0,\"gpu\":"
        "{\"temperature\":90,\"power\":30,\"marks\":{\"temperature\":"
        "\"bad\",\"power\":\"ok\"}}}]}\n";
    static const char *const arguments[] = {"devices", NULL};

    (void)state;
    (void)setenv("NO_COLOR", "", 1);
    char *text = run_on_terminal(script, 80, arguments);
    assert_non_null(strstr(text, "  \033[31m90 °C\033[m  30.0 W  "));
    free(text);
    (void)setenv("NO_COLOR", "1", 1);
    text = run_on_terminal(script, 80, arguments);
    assert_non_null(strstr(text, "  90 °C  30.0 W  "));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminal__new_width_and_ctrl_c__are_followed),
        cmocka_unit_test(terminal__json__cannot_steer_it),
        cmocka_unit_test(terminal__reading_out_of_range__is_coloured),
        cmocka_unit_test(terminal__progress__is_a_bar_of_its_width),
    };

    return cmocka_run_group_tests(tests, scene_open, scene_close);
}
