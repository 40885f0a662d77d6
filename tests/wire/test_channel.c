#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "wire/channel.h"

static void request__each_kind__survives_the_journey(void **state)
{
    static const struct {
        struct channel_request request;
        const char *packet;
    } cases[] = {
        {{CHANNEL_ATTEMPT, CHANNEL_INPUT, 3, -1}, "attempt 3"},
        {{CHANNEL_OPEN, CHANNEL_INPUT, 0, -1}, "input 0"},
        {{CHANNEL_OPEN, CHANNEL_OUTPUT, 15, -1}, "output 15"},
        {{CHANNEL_OPEN, CHANNEL_SUBTITLE, 1, -1}, "subtitle 1"},
        {{CHANNEL_OPEN, CHANNEL_FONT, 2147483647, -1}, "font 2147483647"},
        {{CHANNEL_OPEN, CHANNEL_SEGMENT, 0, 12}, "segment 0 12"},
        {{CHANNEL_OPEN, CHANNEL_INIT, 0, -1}, "init 0"},
        {{CHANNEL_OPEN, CHANNEL_PLAYLIST, 0, -1}, "playlist 0"},
        {{CHANNEL_DONE, CHANNEL_OUTPUT, 0, -1}, "done output 0"},
        {{CHANNEL_DONE, CHANNEL_SEGMENT, 1, 0}, "done segment 1 0"},
        {{CHANNEL_ABORT, CHANNEL_PLAYLIST, 2, -1}, "abort playlist 2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct channel_request q;
        char packet[CHANNEL_MOST];
        struct error e = {0};

        print_message("%s\n", cases[i].packet);
        size_t size = channel_format_request(&cases[i].request, packet);
        assert_int_equal(size, strlen(cases[i].packet));
        assert_memory_equal(packet, cases[i].packet, size);
        assert_int_equal(channel_parse_request(&q, packet, size, &e), 0);
        assert_int_equal(q.verb, cases[i].request.verb);
        assert_int_equal(q.role, cases[i].request.role);
        assert_int_equal(q.number, cases[i].request.number);
        assert_int_equal(q.second, cases[i].request.second);
    }
}

static void request__invalid__is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "input",
        "input ",
        "input x",
        "input -1",
        "input +1",
        "input 01",
        "input 00",
        "input 0 ",
        " input 0",
        "input  0",
        "input 0\n",
        "input 2147483648",
        "input 99999999999999999999999999",
        "input 0 1",
        "segment 0",
        "segment 0 ",
        "segment 0 -1",
        "segment 0 1 2",
        "film 0",
        "done",
        "done ",
        "done attempt 1",
        "done done output 0",
        "doneoutput 0",
        "abort input",
        "attempt",
        "attempt -1",
        "attempt 1 2",
        "INPUT 0",
        "output 0 /etc/passwd",
        "inputs 0",
        "ok input 0",
    };
    char large[CHANNEL_MOST + 1];
    struct channel_request q;
    struct error e = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("'%s'\n", cases[i]);
        assert_int_equal(
            channel_parse_request(&q, cases[i], strlen(cases[i]), &e), -EPROTO);
        assert_non_null(strstr(e.text, "not a request"));
    }
    assert_int_equal(channel_parse_request(&q, "input 0\0", 8, &e), -EPROTO);
    memset(large, '1', sizeof(large));
    assert_int_equal(channel_parse_request(&q, large, sizeof(large), &e),
                     -EPROTO);
    assert_int_equal(channel_parse_request(&q, NULL, 0, &e), -EPROTO);
}

static void reply__each_kind__survives_the_journey(void **state)
{
    static const struct {
        struct channel_reply reply;
        const char *packet;
    } cases[] = {
        {{{CHANNEL_ATTEMPT, CHANNEL_INPUT, 1, -1}, 0, ""}, "ok attempt 1"},
        {{{CHANNEL_OPEN, CHANNEL_INPUT, 0, -1}, 0, ""}, "ok input 0"},
        {{{CHANNEL_DONE, CHANNEL_SEGMENT, 0, 7}, 0, ""}, "ok done segment 0 7"},
        {{{CHANNEL_OPEN, CHANNEL_INPUT, 0, -1}, -2, "no such file: '/ü x'"},
         "error input 0 2 no such file: '/ü x'"},
        {{{CHANNEL_OPEN, CHANNEL_INPUT, 0, -1}, -4095, ""},
         "error input 0 4095 "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct channel_reply p;
        char packet[CHANNEL_MOST];
        struct error e = {0};

        print_message("%s\n", cases[i].packet);
        size_t size = channel_format_reply(&cases[i].reply, packet);
        assert_int_equal(size, strlen(cases[i].packet));
        assert_memory_equal(packet, cases[i].packet, size);
        assert_int_equal(channel_parse_reply(&p, packet, size, &e), 0);
        assert_int_equal(p.request.verb, cases[i].reply.request.verb);
        assert_int_equal(p.request.role, cases[i].reply.request.role);
        assert_int_equal(p.request.number, cases[i].reply.request.number);
        assert_int_equal(p.request.second, cases[i].reply.request.second);
        assert_int_equal(p.code, cases[i].reply.code);
        assert_string_equal(p.text, cases[i].reply.text);
    }
}

static void reply__words_of_any_kind__are_one_line_of_utf8(void **state)
{
    struct channel_reply p = {.request = {CHANNEL_OPEN, CHANNEL_INPUT, 0, -1},
                              .code = -2};
    char packet[CHANNEL_MOST];
    struct channel_reply again;
    struct error e = {0};

    (void)state;
    // a name of a file, cut in the middle of a character
    (void)snprintf(p.text, sizeof(p.text), "cannot open '/a\nb\x1b[31m\xc3");
    size_t size = channel_format_reply(&p, packet);
    assert_int_equal(channel_parse_reply(&again, packet, size, &e), 0);
    assert_string_equal(again.text, "cannot open '/a\\nb\\x1b[31m\\xc3");

    // each byte becomes four, and then they do not fit
    memset(p.text, 1, sizeof(p.text) - 1);
    size = channel_format_reply(&p, packet);
    assert_int_equal(channel_parse_reply(&again, packet, size, &e), 0);
    assert_true(strlen(again.text) > sizeof(again.text) - 8);
}

static void reply__invalid__is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "ok",
        "ok ",
        "okinput 0",
        "ok input 0 ",
        "ok input 0 2 words",
        "error input 0",
        "error input 0 2",
        "error input 0 0 words",
        "error input 0 4096 words",
        "error input 0 -2 words",
        "error input 0 02 words",
        "error input 0 2 a\nb",
        "error input 0 2 \xc3",
        "error input 0 2 \x7f",
        "input 0",
    };
    char large[CHANNEL_MOST];
    struct channel_reply p;
    struct error e = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("'%s'\n", cases[i]);
        assert_int_equal(
            channel_parse_reply(&p, cases[i], strlen(cases[i]), &e), -EPROTO);
        assert_non_null(strstr(e.text, "not a reply"));
    }
    // longer words than a reply has room for
    memset(large, 'x', sizeof(large));
    memcpy(large, "error input 0 2 ", 16);
    assert_int_equal(channel_parse_reply(&p, large, 16 + sizeof(p.text), &e),
                     -EPROTO);
    assert_int_equal(
        channel_parse_reply(&p, large, 16 + sizeof(p.text) - 1, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request__each_kind__survives_the_journey),
        cmocka_unit_test(request__invalid__is_refused),
        cmocka_unit_test(reply__each_kind__survives_the_journey),
        cmocka_unit_test(reply__words_of_any_kind__are_one_line_of_utf8),
        cmocka_unit_test(reply__invalid__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
