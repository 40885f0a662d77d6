#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/error.h"
#include "model/grant.h"
#include "model/quote.h"

static void grant_to_json__grant__is_read_back_the_same(void **state)
{
    static const char text[] = "{'device':'cuda:0','sessions':2,'decode':true,'"
                               "vram':786432000,'threads':0}";
    json_t *json = quote(text);
    struct grant g;
    struct error e = {0};

    (void)state;
    assert_int_equal(grant_from_json(&g, json, &e), 0);
    assert_string_equal(g.device, "cuda:0");
    assert_int_equal(g.vram, 786432000);
    assert_json(grant_to_json(&g), text);
    json_decref(json);
}

static void grant_from_json__device_missing__is_refused(void **state)
{
    json_t *json = quote("{'threads':2}");
    struct grant g;
    struct error e = {0};

    (void)state;
    assert_int_equal(grant_from_json(&g, json, &e), -EINVAL);
    assert_string_equal(e.field, "device");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grant_to_json__grant__is_read_back_the_same),
        cmocka_unit_test(grant_from_json__device_missing__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
