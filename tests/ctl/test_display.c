#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/memory.h"
#include "display.h"

#define EVENT(rest) "{\"job\":17,\"attempt\":1,\"time\":1," rest "}"
#define PROGRESS(percent) \
    EVENT("\"event\":\"progress\",\"frame\":50,\"fps\":25.0,\"speed\":1.0," \
          "\"out_time\":2.0,\"percent\":" percent ",\"eta\":2.0," \
          "\"size\":1000,\"bitrate\":4000")
#define READY \
    EVENT("\"event\":\"ready\",\"device\":\"cpu\"," \
          "\"plan\":[\"copy\",\"native>libx264\"],\"why\":[\"no GPU\"]")
#define RUNNING EVENT("\"event\":\"state\",\"state\":\"running\"")
#define DONE \
    EVENT("\"event\":\"outcome\",\"outcome\":\"done\",\"text\":\"all well\"," \
          "\"frames\":100,\"errors\":2,\"outputs\":[{\"path\":\"/" \
          "o\\u001b.mp4\"," \
          "\"size\":2048,\"duration\":90.0,\"frames\":100}]")

/* A display into memory. */
struct screen {
    struct terminal terminal;
    struct display *display;
    char *text;
    size_t size;
};

static struct screen *open_screen(enum display_mode mode, size_t width)
{
    struct screen *s = xcalloc(1, sizeof(*s));

    s->terminal.out = open_memstream(&s->text, &s->size);
    s->terminal.live = width > 0;
    s->terminal.width = width;
    s->display = display_create(&s->terminal, mode);
    return s;
}

static void show(struct screen *s, const char *event, int64_t now)
{
    json_t *json = json_loads(event, 0, NULL);

    assert_non_null(json);
    display_event(s->display, json, now);
    json_decref(json);
}

static void assert_shown(struct screen *s, const char *expect)
{
    display_destroy(s->display);
    (void)fclose(s->terminal.out);
    assert_string_equal(s->text, expect);
    free(s->text);
    free(s);
}

static void lines__events__become_sentences(void **state)
{
    struct screen *s = open_screen(DISPLAY_BAR, 0);

    (void)state;
    show(s, RUNNING, 0);
    show(s, READY, 0);
    show(s,
         EVENT("\"event\":\"clamp\",\"field\":\"b_frames\",\"from\":3,"
               "\"to\":0,\"reason\":\"not on this device\""),
         0);
    show(s,
         EVENT("\"event\":\"fallback\",\"from\":\"cuda:0\",\"to\":\"cpu\","
               "\"reason\":\"no session\""),
         0);
    show(s,
         EVENT("\"event\":\"fallback\",\"from\":\"cuda:0\",\"to\":\"cuda:0\","
               "\"reason\":\"it failed\""),
         0);
    show(s,
         EVENT(
             "\"event\":\"log\",\"level\":\"warning\",\"text\":\"odd\\u0007\""),
         0);
    show(s, DONE, 0);
    assert_int_equal(display_state(s->display), STATE_SUCCEEDED);
    assert_int_equal(display_job(s->display), 17);
    assert_shown(s, "job 17: running\n"
                    "job 17: plan on cpu: copy\n"
                    "job 17: plan on cpu: native>libx264\n"
                    "job 17: because no GPU\n"
                    "job 17: b_frames is 0 instead of 3: not on this device\n"
                    "job 17: goes on on cpu instead of cuda:0: no session\n"
                    "job 17: goes on without a part of cuda:0: it failed\n"
                    "job 17: warning: odd\\x07\n"
                    "job 17: /o\\x1b.mp4, 2.0K, 1min 30s\n"
                    "job 17: 2 errors in the input were survived\n"
                    "job 17: done: all well\n");
}

static void lines__progress__comes_every_few_seconds(void **state)
{
    struct screen *s = open_screen(DISPLAY_LINES, 0);

    (void)state;
    show(s, RUNNING, 0);
    for (int i = 1; i <= 10; i++)
        show(s, i < 6 ? PROGRESS("10.0") : PROGRESS("50.0"), i * SECOND);
    assert_shown(s, "job 17: running\n"
                    "job 17: 10.0%, 25 fps, 1.00x, ETA 0:02\n"
                    "job 17: 50.0%, 25 fps, 1.00x, ETA 0:02\n");
}

static void bar__lines__stand_above_it(void **state)
{
    struct screen *s = open_screen(DISPLAY_BAR, 30);

    (void)state;
    show(s, PROGRESS("50.0"), 0);
    show(s, RUNNING, 0);
    show(s, PROGRESS("75.0"), 0);
    show(s, DONE, 0);
    assert_shown(s, "\r 50.0%  ETA 0:02  1.00x\033[K"
                    "\r\033[Kjob 17: running\n"
                    "\r 75.0%  ETA 0:02  1.00x\033[K"
                    "\r\033[Kjob 17: /o\\x1b.mp4, 2.0K, 1min 30s\n"
                    "job 17: 2 errors in the input were survived\n"
                    "job 17: done: all well\n");
}

static void bar__plan__is_that_of_the_stream_that_is_made(void **state)
{
    struct screen *s = open_screen(DISPLAY_BAR, 60);

    (void)state;
    show(s, READY, 0);
    show(s, PROGRESS("50.0"), 0);
    assert_shown(s, "job 17: plan on cpu: copy\n"
                    "job 17: plan on cpu: native>libx264\n"
                    "job 17: because no GPU\n"
                    "\r 50.0%  [####----]  ETA 0:02  1.00x  25 fps  "
                    "native>libx264\033[K"
                    "\r\033[K");
}

static void bar__colours__mark_how_it_ends(void **state)
{
    struct screen *s = open_screen(DISPLAY_BAR, 80);

    (void)state;
    s->terminal.colour = true;
    show(s,
         EVENT("\"event\":\"outcome\",\"outcome\":\"bad_input\","
               "\"text\":\"empty\",\"frames\":0,\"errors\":0,\"outputs\":[]"),
         0);
    assert_int_equal(display_state(s->display), STATE_FAILED);
    assert_shown(s, "\033[31mjob 17: bad_input: empty\033[m\n");
}

static void json__events__are_printed_as_they_came(void **state)
{
    struct screen *s = open_screen(DISPLAY_JSON, 80);

    (void)state;
    show(s, RUNNING, 0);
    show(s, "{\"job\":17,\"event\":\"invented\",\"later\":[1]}", 0);
    show(s, DONE, 0);
    assert_int_equal(display_state(s->display), STATE_SUCCEEDED);
    char *expect =
        xasprintf("%s\n%s\n%s\n", RUNNING,
                  "{\"job\":17,\"event\":\"invented\",\"later\":[1]}", DONE);
    char *escape = strstr(expect, "\\u001b"); // jansson writes it in capitals
    memcpy(escape, "\\u001B", 6);
    assert_shown(s, expect);
    free(expect);
}

static void lines__unknown_events__are_passed_over(void **state)
{
    struct screen *s = open_screen(DISPLAY_LINES, 0);

    (void)state;
    show(s, "{\"job\":17,\"event\":\"invented\"}", 0);
    show(s, "[]", 0);
    assert_shown(s, "");
}

static void state__new_attempt__takes_an_outcome_back(void **state)
{
    struct screen *s = open_screen(DISPLAY_LINES, 0);

    (void)state;
    show(s,
         EVENT("\"event\":\"outcome\",\"outcome\":\"crashed\",\"text\":\"\","
               "\"frames\":0,\"errors\":0,\"outputs\":[]"),
         0);
    assert_int_equal(display_state(s->display), STATE_FAILED);
    show(s, EVENT("\"event\":\"state\",\"state\":\"queued\""), 0);
    assert_int_equal(display_state(s->display), STATE_QUEUED);
    assert_shown(s, "job 17: crashed\njob 17: queued\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines__events__become_sentences),
        cmocka_unit_test(lines__progress__comes_every_few_seconds),
        cmocka_unit_test(lines__unknown_events__are_passed_over),
        cmocka_unit_test(bar__lines__stand_above_it),
        cmocka_unit_test(bar__plan__is_that_of_the_stream_that_is_made),
        cmocka_unit_test(bar__colours__mark_how_it_ends),
        cmocka_unit_test(json__events__are_printed_as_they_came),
        cmocka_unit_test(state__new_attempt__takes_an_outcome_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
