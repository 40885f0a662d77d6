#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arguments.h"
#include "base/error.h"
#include "model/configuration.h"

#define WORDS_MOST 8

static void arguments_parse__words__are_taken(void **state)
{
    static const struct {
        char *words[WORDS_MOST];
        struct arguments expected;
    } cases[] = {
        {{NULL},
         {.action = ARGUMENTS_WORK,
          .device = "cpu",
          .sandbox = {.memory = INT64_C(8) << 30}}},
        {{"--standalone", "--memory", "0"},
         {.action = ARGUMENTS_STANDALONE,
          .device = "cpu",
          .sandbox = {.memory = 0}}},
        {{"--device", "cuda:1", "--memory", "1G", "--sandbox", "required"},
         {.action = ARGUMENTS_WORK,
          .device = "cuda:1",
          .sandbox = {.mode = SANDBOX_REQUIRED,
                      .device = SANDBOX_GPU,
                      .memory = 1 << 30}}},
        {{"--device", "cuda", "--memory", "0"},
         {.action = ARGUMENTS_WORK,
          .device = "cuda",
          .sandbox = {.device = SANDBOX_GPU}}},
        {{"--device", "cuda:0", "--device", "cpu", "--sandbox-debug"},
         {.action = ARGUMENTS_WORK,
          .device = "cpu",
          .sandbox = {.names_calls = true, .memory = INT64_C(8) << 30}}},
        {{"--probe-sandbox", "--sandbox", "off", "--memory", "512M"},
         {.action = ARGUMENTS_PROBE,
          .device = "cpu",
          .sandbox = {.mode = SANDBOX_OFF, .memory = 512 << 20}}},
        {{"--help", "--memory", "1"},
         {.action = ARGUMENTS_HELP, .device = "cpu", .sandbox = {.memory = 1}}},
        {{"--version", "--memory", "1"},
         {.action = ARGUMENTS_VERSION,
          .device = "cpu",
          .sandbox = {.memory = 1}}},
        {{"--device", "cuda:0", "--warm", "GPU-1", "--memory", "1"},
         {.action = ARGUMENTS_WORK,
          .device = "cuda:0",
          .warm = "GPU-1",
          .sandbox = {.device = SANDBOX_GPU, .memory = 1}}},
        {{"--device", "cuda", "--open", "GPU-1", "--memory", "1"},
         {.action = ARGUMENTS_WORK,
          .device = "cuda",
          .starts_driver = true,
          .open = "GPU-1",
          .sandbox = {.device = SANDBOX_GPU, .memory = 1}}},
        {{"--device", "cuda", "--driver", "--memory", "1"},
         {.action = ARGUMENTS_WORK,
          .device = "cuda",
          .starts_driver = true,
          .sandbox = {.device = SANDBOX_GPU, .memory = 1}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct arguments a;
        char *words[WORDS_MOST];
        memcpy(words, cases[i].words, sizeof(words));
        const struct arguments *x = &cases[i].expected;
        print_message("%s\n", words[0] ? words[0] : "nothing");
        assert_int_equal(arguments_parse(&a, words, &e), 0);
        assert_int_equal(a.action, x->action);
        assert_string_equal(a.device, x->device);
        assert_string_equal(a.warm ? a.warm : "", x->warm ? x->warm : "");
        assert_int_equal(a.starts_driver, x->starts_driver);
        assert_string_equal(a.open ? a.open : "", x->open ? x->open : "");
        assert_int_equal(a.sandbox.mode, x->sandbox.mode);
        assert_int_equal(a.sandbox.device, x->sandbox.device);
        assert_int_equal(a.sandbox.names_calls, x->sandbox.names_calls);
        assert_true(a.sandbox.memory == x->sandbox.memory);
        assert_int_equal(a.sandbox.path_count, 0);
        arguments_fini(&a);
    }
}

static void arguments_parse__paths__are_all_kept(void **state)
{
    char *words[] = {"--sandbox-path", "/a", "--sandbox-path", "/b", NULL};
    struct arguments a;
    struct error e = {0};

    (void)state;
    assert_int_equal(arguments_parse(&a, words, &e), 0);
    assert_int_equal(a.sandbox.path_count, 2);
    assert_string_equal(a.sandbox.paths[0], "/a");
    assert_string_equal(a.sandbox.paths[1], "/b");
    arguments_fini(&a);
}

static void arguments_parse__wrong_word__is_named(void **state)
{
    static const struct {
        char *words[WORDS_MOST];
        const char *text;
    } cases[] = {
        {{"--nothing"}, "unknown option '--nothing'"},
        {{"cuda:0"}, "unknown option 'cuda:0'"},
        {{"--sandbox-path", "/a", "--device"}, "'--device' wants a value"},
        {{"--device", "cudart"}, "'cudart' is no value of '--device'"},
        {{"--device", "vulkan"}, "'vulkan' is no value of '--device'"},
        {{"--sandbox", "on"}, "'on' is no value of '--sandbox'"},
        {{"--memory", "much"}, "'much' is no value of '--memory'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct arguments a;
        char *words[WORDS_MOST];
        memcpy(words, cases[i].words, sizeof(words));
        assert_int_equal(arguments_parse(&a, words, &e), -EINVAL);
        assert_string_equal(e.text, cases[i].text);
    }
}

/* What the daemon passes on from its configuration. */
static void arguments_parse__modes__are_the_configurations(void **state)
{
    (void)state;
    for (int i = 0; i < CONFIGURATION_SANDBOX_COUNT; i++) {
        char *words[] = {"--sandbox", (char *)configuration_sandbox_names[i],
                         NULL};
        struct arguments a;
        struct error e = {0};
        assert_int_equal(arguments_parse(&a, words, &e), 0);
        assert_int_equal(a.sandbox.mode, i);
        arguments_fini(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_parse__words__are_taken),
        cmocka_unit_test(arguments_parse__paths__are_all_kept),
        cmocka_unit_test(arguments_parse__wrong_word__is_named),
        cmocka_unit_test(arguments_parse__modes__are_the_configurations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
