#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/event.h"
#include "model/limits.h"

#define MUCH (INT64_C(1) << 20) // more than any worker may say

static int read_text(struct words *w, const char *text, struct event *ret,
                     struct error *e)
{
    return words_read(w, text, strlen(text), ret, e);
}

static void read__event__is_what_was_said(void **state)
{
    struct words w;
    struct event ev;
    struct error e = {0};

    (void)state;
    words_init(&w);
    assert_int_equal(read_text(&w,
                               "{\"event\":\"log\",\"level\":\"warning\","
                               "\"text\":\"frame 7 is torn\"}",
                               &ev, &e),
                     0);
    assert_int_equal(ev.kind, EVENT_LOG);
    assert_int_equal(ev.log.level, LOG_LEVEL_WARNING);
    assert_string_equal(ev.log.text, "frame 7 is torn");
    event_fini(&ev);
}

static void read__no_event__says_what_is_wrong(void **state)
{
    static const struct {
        const char *text;
        const char *words; // in what is said about it
    } cases[] = {
        {"", "line 1"},
        {"frame 7 is torn", "line 1"},
        {"[]", "object"},
        {"{\"event\":\"log\",\"level\":\"warning\",\"text\":\"a\"} {}", "line"},
        {"{}", "event: "},
        {"{\"event\":\"gossip\"}", "event: "},
        {"{\"event\":\"log\",\"level\":\"shouting\",\"text\":\"\"}", "level: "},
        {"{\"event\":\"outcome\",\"outcome\":\"splendid\"}", "outcome: "},
        {"[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]", ""},
    };
    struct words w;

    (void)state;
    words_init(&w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event untouched = {.job = 17};
        struct error e = {0};
        int r = read_text(&w, cases[i].text, &untouched, &e);
        print_message("%s\n  %s\n", cases[i].text, e.text);
        assert_int_equal(r, -EBADMSG);
        assert_int_equal(e.code, -EBADMSG);
        assert_true(e.text[0] != '\0');
        assert_non_null(strstr(e.text, cases[i].words));
        assert_int_equal(untouched.job, 17);
    }
}

static void read__larger_than_a_message__is_refused(void **state)
{
    static const char before[] =
        "{\"event\":\"log\",\"level\":\"info\",\"text\":\"";
    struct words w;
    struct event ev;
    struct error e = {0};
    char *text = xcalloc(1, LIMITS_MESSAGE + sizeof(before) + 3);

    (void)state;
    memcpy(text, before, sizeof(before) - 1);
    memset(text + sizeof(before) - 1, 'a', LIMITS_MESSAGE);
    memcpy(text + sizeof(before) - 1 + LIMITS_MESSAGE, "\"}", 2);
    words_init(&w);
    assert_int_equal(read_text(&w, text, &ev, &e), -EBADMSG);
    free(text);
}

/* How many words in a row are heard; what ends them is in @e. */
static int64_t listen_to(struct words *w, struct error *e)
{
    for (int64_t heard = 0; heard < MUCH; heard++) {
        struct event ev;
        if (read_text(w, "{\"event\":\"released\"}", &ev, e) < 0)
            return heard;
        event_fini(&ev);
    }
    return MUCH;
}

/* A busy job says a lot at once, but not without end. */
static void read__babble__is_heard_no_more(void **state)
{
    struct words w;
    struct error e = {0};

    (void)state;
    words_init(&w);
    int64_t heard = listen_to(&w, &e);
    assert_in_range(heard, 2000, MUCH - 1);
    assert_string_equal(e.text, "it babbles");
    assert_int_equal(e.code, -EBADMSG);
}

static void read__time_passes__it_may_speak_again(void **state)
{
    struct words w;
    struct error e = {0};

    (void)state;
    words_init(&w);
    int64_t burst = listen_to(&w, &e);
    w.since -= 2 * SECOND;
    int64_t later = listen_to(&w, &e);
    print_message("%lld at once, %lld after two seconds\n", (long long)burst,
                  (long long)later);
    assert_in_range(later, 200, MUCH - 1);
}

static void read__long_silence__saves_up_no_more_than_a_burst(void **state)
{
    struct words w;
    struct error e = {0};

    (void)state;
    words_init(&w);
    int64_t left = w.left;
    w.since -= 60 * SECOND;
    struct event ev;
    assert_int_equal(read_text(&w, "{\"event\":\"released\"}", &ev, &e), 0);
    assert_int_equal(w.left, left - 1);
    event_fini(&ev);
}

static void read__nonsense__counts_as_words_too(void **state)
{
    struct words w;
    struct event ev;
    struct error e = {0};

    (void)state;
    words_init(&w);
    for (int64_t i = 0; i < MUCH && strcmp(e.text, "it babbles") != 0; i++)
        assert_int_equal(read_text(&w, "?", &ev, &e), -EBADMSG);
    assert_string_equal(e.text, "it babbles");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__event__is_what_was_said),
        cmocka_unit_test(read__no_event__says_what_is_wrong),
        cmocka_unit_test(read__larger_than_a_message__is_refused),
        cmocka_unit_test(read__babble__is_heard_no_more),
        cmocka_unit_test(read__time_passes__it_may_speak_again),
        cmocka_unit_test(read__long_silence__saves_up_no_more_than_a_burst),
        cmocka_unit_test(read__nonsense__counts_as_words_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
