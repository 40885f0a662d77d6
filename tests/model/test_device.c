#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/device.h"
#include "model/quote.h"

static void device_to_json__cpu__is_shown(void **state)
{
    const struct device d = {
        .id = "cpu",
        .name = "Some CPU @ 3.40GHz",
        .cores = 8,
        .running = 1,
        .limit = 2,
        .load = 0.25,
        .health = "ok",
    };

    (void)state;
    assert_json(device_to_json(&d),
                "{'id':'cpu','name':'Some CPU @ 3.40GHz','cores':8,"
                "'running':1,'limit':2,'load':0.25,'health':'ok'}");
}

static void device_to_json__load_not_available__is_null(void **state)
{
    const struct device d = {.id = "cuda:0", .load = -1};
    json_t *json = device_to_json(&d);

    (void)state;
    assert_true(json_is_null(json_object_get(json, "load")));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_to_json__cpu__is_shown),
        cmocka_unit_test(device_to_json__load_not_available__is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
