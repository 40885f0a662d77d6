#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "media/driver_trouble.h"

static void explain__what_is_seen__is_said_with_a_remedy(void **state)
{
    static const struct {
        struct driver_facts facts;
        int code;
        const char *expect[3]; // words that must be there, ended by NULL
    } cases[] = {
        {{.result = 100, .words = "none", .nodes = {-ENOENT, -ENOENT, -ENOENT}},
         -ENOENT,
         {"the kernel has no driver", "none"}},
        {{.result = 803,
          .words = "mismatch",
          .kernel = "470.223.02",
          .library = "470.256.02"},
         -ENODEV,
         {"470.256.02", "470.223.02", "restart"}},
        // seen before CUDA says it in a word of its own
        {{.result = 999,
          .words = "unknown",
          .kernel = "470.223.02",
          .library = "470.256.02"},
         -ENODEV,
         {"470.256.02", "470.223.02", "restart"}},
        {{.result = 803, .words = "mismatch"}, -ENODEV, {"version unknown"}},
        {{.result = 100,
          .words = "none",
          .kernel = "470.256.02",
          .nodes = {-EPERM, -EPERM, -EPERM}},
         -EACCES,
         {"'/dev/nvidiactl'", "DeviceAllow="}},
        {{.result = 999,
          .words = "unknown",
          .kernel = "470.256.02",
          .nodes = {0, 0, -EPERM}},
         -EACCES,
         {"'/dev/nvidia-uvm'", "DeviceAllow="}},
        {{.result = 100,
          .words = "none",
          .kernel = "470.256.02",
          .nodes = {0, -EACCES, 0}},
         -EACCES,
         {"'/dev/nvidia0'", "group or mode"}},
        {{.result = 999,
          .words = "unknown",
          .kernel = "470.256.02",
          .nodes = {0, 0, -ENOENT}},
         -ENOENT,
         {"'/dev/nvidia-uvm' is missing", "nvidia-modprobe"}},
        {{.result = 999,
          .words = "unknown",
          .kernel = "470.256.02",
          .nodes = {0, -EIO, 0}},
         -ENODEV,
         {"'/dev/nvidia0'", "Input/output"}},
        {{.result = 100,
          .words = "none",
          .kernel = "470.256.02",
          .library = "470.256.02"},
         -ENOENT,
         {"no card", "CUDA_VISIBLE_DEVICES"}},
        {{.result = 999, .words = "unknown error", .kernel = "470.256.02"},
         -ENODEV,
         {"does not work", "unknown error, 999"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        int code = driver_trouble_explain(&cases[i].facts, &e);
        print_message("%zu: %s\n", i, e.text);
        assert_int_equal(code, cases[i].code);
        for (int w = 0; w < 3 && cases[i].expect[w]; w++)
            assert_non_null(strstr(e.text, cases[i].expect[w]));
    }
}

static void look__this_machine__fills_all(void **state)
{
    struct driver_facts f = {.nodes = {1, 1, 1}};

    (void)state;
    driver_trouble_look(&f);
    for (int i = 0; i < NODE_COUNT; i++)
        assert_true(f.nodes[i] <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explain__what_is_seen__is_said_with_a_remedy),
        cmocka_unit_test(look__this_machine__fills_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
