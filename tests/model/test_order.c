#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "model/order.h"
#include "model/quote.h"

static int read_order(struct order *ret, const char *text, struct error *e)
{
    json_t *json = quote(text);
    int r = order_from_json(ret, json, e);

    json_decref(json);
    return r;
}

static void order_from_json__job__carries_the_document(void **state)
{
    struct order o, again;
    struct error e = {0};

    (void)state;
    assert_int_equal(
        read_order(&o,
                   "{'order':'job','id':17,'attempt':2,'plan_only':true,"
                   "'probe_size':65536,'job':{'input':{'path':'/i'},"
                   "'outputs':[{'path':'/o.mkv'}]}}",
                   &e),
        0);
    assert_int_equal(o.kind, ORDER_JOB);
    assert_int_equal(o.job.id, 17);
    assert_int_equal(o.job.attempt, 2);
    assert_true(o.job.plan_only);
    assert_int_equal(o.job.probe_size, 65536);
    assert_string_equal(o.job.job.outputs[0].path, "/o.mkv");

    json_t *json = order_to_json(&o);
    assert_int_equal(order_from_json(&again, json, &e), 0);
    json_t *second = order_to_json(&again);
    assert_true(json_equal(json, second));
    json_decref(json);
    json_decref(second);
    order_fini(&o);
    order_fini(&o); // twice is harmless
    order_fini(&again);
}

static void order_to_json__other_orders__are_read_back_the_same(void **state)
{
    static const char *const cases[] = {
        ("{'order':'grant','device':'cuda:0','sessions':3,'decode':true,'vram':"
         "335544320,"
         "'threads':4}"),
        "{'order':'pause'}",
        "{'order':'resume'}",
        "{'order':'stop'}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct order o;
        struct error e = {0};
        assert_int_equal(read_order(&o, cases[i], &e), 0);
        assert_json(order_to_json(&o), cases[i]);
        order_fini(&o);
    }
}

static void order_from_json__bad_orders__are_refused(void **state)
{
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"{}", "order"},
        {"{'order':'dance'}", "order"},
        {"{'order':'job'}", "job"},
        {"{'order':'job','job':{}}", "job.input"},
        {"{'order':'job','attempt':0,'job':{}}", "attempt"},
        {"{'order':'job','job':{'input':{'path':'/i'},"
         "'outputs':[{'path':'/i'}]}}",
         "job.outputs[0].path"},
        {"{'order':'job','job':{'input':{'path':'/i'},"
         "'outputs':[{'path':'/o.mkv','x':1}]}}",
         "job.outputs[0].x"},
        {"{'order':'grant'}", "device"},
        {"{'order':'grant','device':'cpu','sessions':-1}", "sessions"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct order o;
        struct error e = {0};
        print_message("%s\n", cases[i].text);
        assert_int_equal(read_order(&o, cases[i].text, &e), -EINVAL);
        assert_string_equal(e.field, cases[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_from_json__job__carries_the_document),
        cmocka_unit_test(order_to_json__other_orders__are_read_back_the_same),
        cmocka_unit_test(order_from_json__bad_orders__are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
