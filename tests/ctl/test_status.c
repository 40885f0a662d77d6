#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/error.h"
#include "status.h"
#include "wire/interface.h"
#include "wire/message.h"

static void status__state_of_the_job__maps(void **state)
{
    (void)state;
    for (int s = 0; s < STATE_COUNT; s++)
        assert_int_equal(status_from_state((enum state)s),
                         s == STATE_SUCCEEDED ? STATUS_GOOD
                                              : STATUS_JOB_FAILED);
}

static void describe__error_replies__become_words(void **state)
{
    static const struct {
        const char *error;
        const char *parameters;
        const char *expect;
    } cases[] = {
        {INTERFACE_INVALID_JOB,
         "{\"field\":\"outputs[0].path\",\"reason\":\"no such folder\"}",
         "invalid job: outputs[0].path: no such folder"},
        {INTERFACE_INVALID_JOB, "{\"field\":\"\",\"reason\":\"too large\"}",
         "invalid job: too large"},
        {INTERFACE_NO_SUCH_JOB, "{\"id\":17}", "no such job: 17"},
        {INTERFACE_WRONG_STATE, "{\"state\":\"succeeded\"}",
         "not possible, the job is: succeeded"},
        {INTERFACE_NOT_PERMITTED, "{\"reason\":\"it is root's\"}",
         "not permitted: it is root's"},
        {INTERFACE_TOO_MANY, "{\"limit\":8}", "too many, the limit is: 8"},
        {INTERFACE_SHUTTING_DOWN, "{}", "the service is shutting down"},
        {INTERFACE_UNAVAILABLE, "{\"reason\":\"disk full\"}",
         "the service cannot do it now: disk full"},
        {INTERFACE_METHOD_NOT_FOUND, "{\"method\":\"a.B\"}",
         "the service has no method: a.B"},
        {"com.example.Odd", "{\"x\":1}",
         "the service answers with com.example.Odd"},
        {INTERFACE_NO_SUCH_JOB, "{\"id\":{}}", "no such job"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct message_reply reply = {
            .error = (char *)(size_t)cases[i].error,
            .parameters = json_loads(cases[i].parameters, 0, NULL)};

        print_message("%s %s\n", cases[i].error, cases[i].parameters);
        status_describe(&reply, &e);
        assert_string_equal(e.text, cases[i].expect);
        json_decref(reply.parameters);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status__state_of_the_job__maps),
        cmocka_unit_test(describe__error_replies__become_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
