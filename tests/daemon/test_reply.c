#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reply.h"

#include <errno.h>

#include "base/error.h"
#include "connection.h"
#include "support/caller.h"

static void invalid_job(struct call *call)
{
    struct error e = {0};

    error_set_field(&e, -EINVAL, "outputs[0].path", "it must not be empty");
    reply_invalid_job(call, &e);
}

static void unavailable(struct call *call)
{
    struct error e = {0};

    error_set(&e, -EIO, "the store says \"no\"");
    reply_unavailable(call, &e);
}

static void no_such_job(struct call *call)
{
    reply_no_such_job(call, INT64_MAX);
}

static void wrong_state(struct call *call)
{
    reply_wrong_state(call, STATE_PAUSED);
}

static void not_permitted(struct call *call)
{
    reply_not_permitted(call, "it is another user's job");
}

static void too_many(struct call *call)
{
    reply_too_many(call, INT64_C(1) << 40);
}

static void invalid_parameter(struct call *call)
{
    reply_invalid_parameter(call, "id");
}

/* The interface's errors, name by name and parameter by parameter. */
static const struct {
    void (*answer)(struct call *call);
    const char *expect;
} cases[] = {
    {invalid_job, "{\"error\":\"io.transcoded.InvalidJob\",\"parameters\":"
                  "{\"field\":\"outputs[0].path\","
                  "\"reason\":\"it must not be empty\"}}"},
    {no_such_job, "{\"error\":\"io.transcoded.NoSuchJob\",\"parameters\":"
                  "{\"id\":9223372036854775807}}"},
    {wrong_state, "{\"error\":\"io.transcoded.WrongState\",\"parameters\":"
                  "{\"state\":\"paused\"}}"},
    {not_permitted, "{\"error\":\"io.transcoded.NotPermitted\",\"parameters\":"
                    "{\"reason\":\"it is another user's job\"}}"},
    {too_many, "{\"error\":\"io.transcoded.TooMany\",\"parameters\":"
               "{\"limit\":1099511627776}}"},
    {reply_shutting_down, "{\"error\":\"io.transcoded.ShuttingDown\"}"},
    {unavailable, "{\"error\":\"io.transcoded.Unavailable\",\"parameters\":"
                  "{\"reason\":\"the store says \\\"no\\\"\"}}"},
    {invalid_parameter, "{\"error\":\"org.varlink.service.InvalidParameter\","
                        "\"parameters\":{\"parameter\":\"id\"}}"},
};

static void reply__each_error__is_one_document_and_ends_the_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct callers c;
        print_message("%s\n", cases[i].expect);
        callers_init(&c);
        cases[i].answer(c.list[0].call);
        assert_string_equal(callers_hear(&c, 0), cases[i].expect);
        callers_assert_silence(&c, 0);
        assert_null(c.list[0].connection->call);
        call_end(c.list[1].call);
        call_end(c.list[2].call);
        callers_fini(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply__each_error__is_one_document_and_ends_the_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
