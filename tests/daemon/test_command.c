#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command.h"
#include "model/configuration.h"
#include "model/quote.h"

static void read_configuration(struct configuration *ret, const char *text)
{
    json_t *json = quote(text);
    struct error e = {0};

    assert_int_equal(configuration_from_json(ret, json, &e), 0);
    json_decref(json);
}

/* The words with blanks between them; lives until the next call. */
static const char *words_of(const struct command *c)
{
    static char all[1024];

    (void)snprintf(all, sizeof(all), "%s", c->program);
    for (size_t i = 0; c->arguments[i]; i++) {
        strncat(all, " ", sizeof(all) - strlen(all) - 1);
        strncat(all, c->arguments[i], sizeof(all) - strlen(all) - 1);
    }
    return all;
}

static void command_init__configuration__becomes_words(void **state)
{
    static const struct {
        const char *configuration;
        const char *device;
        enum command_ahead ahead;
        const char *uuid;
        const char *expected;
    } cases[] = {
        {"{'worker':'/w'}", "cpu", 0, NULL,
         "/w --device cpu --sandbox auto --memory 8589934592"},
        {"{'worker':'/w','sandbox':'required','sandbox_debug':true,"
         "'limits':{'worker_memory':'1G'}}",
         "cuda:0", 0, NULL,
         "/w --device cuda:0 --sandbox required --memory 1073741824 "
         "--sandbox-debug"},
        {"{'worker':'/w','sandbox':'off','sandbox_paths':['/a','/b/']}", "cpu",
         0, NULL,
         "/w --device cpu --sandbox off --memory 8589934592 "
         "--sandbox-path /a --sandbox-path /b/"},
        {"{'worker':'/w'}", "cuda:0", COMMAND_WARM, "GPU-1",
         "/w --device cuda:0 --warm GPU-1 --sandbox auto --memory 8589934592"},
        {"{'worker':'/w'}", "cuda", COMMAND_DRIVER, "GPU-1",
         "/w --device cuda --driver --sandbox auto --memory 8589934592"},
        {"{'worker':'/w'}", "cuda", COMMAND_OPEN, "GPU-1",
         "/w --device cuda --open GPU-1 --sandbox auto --memory 8589934592"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct configuration c;
        struct command command;
        read_configuration(&c, cases[i].configuration);
        command_init(&command, &c, cases[i].device, cases[i].ahead,
                     cases[i].uuid);
        assert_string_equal(words_of(&command), cases[i].expected);
        assert_true(command_is_same(&command, &command));
        command_fini(&command);
        configuration_fini(&c);
    }
}

static void command_is_same__anything_else__is_another(void **state)
{
    static const char *const cases[] = {
        "{'worker':'/w'}",
        "{'worker':'/other'}",
        "{'worker':'/w','sandbox':'off'}",
        "{'worker':'/w','sandbox_paths':['/a']}",
        "{'worker':'/w','sandbox_paths':['/a','/b']}",
    };
    struct command commands[sizeof(cases) / sizeof(cases[0])];
    const size_t count = sizeof(cases) / sizeof(cases[0]);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct configuration c;
        read_configuration(&c, cases[i]);
        command_init(&commands[i], &c, "cpu", COMMAND_NOTHING, NULL);
        configuration_fini(&c);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++)
            assert_int_equal(command_is_same(&commands[i], &commands[j]),
                             i == j);
    }
    for (size_t i = 0; i < count; i++)
        command_fini(&commands[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_init__configuration__becomes_words),
        cmocka_unit_test(command_is_same__anything_else__is_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
