#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <libavfilter/avfilter.h>

#include "media/backend.h"

static void backend_cpu__device__is_the_machines_own(void **state)
{
    (void)state;
    assert_string_equal(backend_cpu.name, "cpu");
    assert_int_equal(backend_cpu.memory, MEMORY_SYSTEM);
}

static void backend_cpu__operations__are_all_there(void **state)
{
    static const char *const expect[OP_COUNT] = {
        [OP_DECODE] = "native", [OP_TURN] = "transpose",
        [OP_RATE] = "fps",      [OP_SCALE] = "scale",
        [OP_ENCODE] = NULL, // it is the codec's
    };

    (void)state;
    for (enum op op = OP_NONE; op < OP_COUNT; op++) {
        print_message("operation %d\n", op);
        if (expect[op])
            assert_string_equal(backend_cpu.impl[op], expect[op]);
        else
            assert_null(backend_cpu.impl[op]);
    }
}

static void backend_cpu__filters__are_libavs(void **state)
{
    static const enum op filters[] = {OP_TURN, OP_RATE, OP_SCALE};

    (void)state;
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        const char *name = backend_cpu.impl[filters[i]];
        print_message("%s\n", name);
        assert_non_null(avfilter_get_by_name(name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backend_cpu__device__is_the_machines_own),
        cmocka_unit_test(backend_cpu__operations__are_all_there),
        cmocka_unit_test(backend_cpu__filters__are_libavs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
