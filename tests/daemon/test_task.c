#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "task.h"

#include <signal.h>
#include <string.h>

#define S(name) TASK_##name

static void next__life_of_a_good_worker(void **state)
{
    static const struct {
        enum task_event event;
        enum task_action action;
        enum task_state to;
    } steps[] = {
        {S(SPOKE), S(RELAY), S(INSPECTING)},
        {S(NEED), S(ASK_GRANT), S(WAITING)},
        {S(GRANT), S(SEND_GRANT), S(PLANNING)},
        {S(READY), S(ANNOUNCE), S(RUNNING)},
        {S(SPOKE), S(RELAY), S(RUNNING)},
        {S(PAUSE), S(SEND_PAUSE), S(PAUSED)},
        {S(RESUME), S(SEND_RESUME), S(RUNNING)},
        {S(OUTCOME), S(KEEP), S(ENDING)},
        {S(HUNG_UP), S(IGNORE), S(ENDING)},
        {S(EXITED), S(SETTLE), S(DONE)},
    };
    enum task_state now = TASK_INSPECTING;

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        print_message("step %zu\n", i);
        assert_int_equal(task_next(&now, steps[i].event), steps[i].action);
        assert_int_equal(now, steps[i].to);
    }
}

/* Nobody waits for the system to take a process apart that holds nothing. */
static void next__released__is_the_end(void **state)
{
    enum task_state now = TASK_RUNNING;

    (void)state;
    assert_int_equal(task_next(&now, TASK_OUTCOME), TASK_KEEP);
    assert_int_equal(task_next(&now, TASK_RELEASED), TASK_SETTLE);
    assert_int_equal(now, TASK_DONE);
}

/* It was told to stop, and is to be seen gone. */
static void next__released_while_stopping__is_waited_for(void **state)
{
    enum task_state now = TASK_STOPPING;

    (void)state;
    assert_int_equal(task_next(&now, TASK_RELEASED), TASK_IGNORE);
    assert_int_equal(task_next(&now, TASK_EXITED), TASK_SETTLE);
}

/* Only what was killed is given up, and not what ends by itself. */
static void next__give_up__only_on_the_last_rung(void **state)
{
    (void)state;
    for (int s = 0; s < TASK_STATE_COUNT; s++) {
        enum task_state now = (enum task_state)s;
        enum task_action expect =
            s == TASK_STOPPING ? TASK_ABANDON : TASK_REFUSE;

        print_message("state %d\n", s);
        assert_int_equal(task_next(&now, TASK_GIVE_UP), expect);
        assert_int_equal(now, s == TASK_STOPPING ? TASK_DONE : s);
    }
}

/* Words of a worker that are refused: the attempt is lost then. */
static void next__words_at_the_wrong_time__are_refused(void **state)
{
    static const struct {
        enum task_state state;
        enum task_event event;
    } cases[] = {
        {S(INSPECTING), S(READY)}, {S(WAITING), S(NEED)},
        {S(WAITING), S(READY)},    {S(PLANNING), S(NEED)},
        {S(RUNNING), S(NEED)},     {S(RUNNING), S(READY)},
        {S(PAUSED), S(READY)},     {S(ENDING), S(OUTCOME)},
        {S(ENDING), S(READY)},     {S(ENDING), S(NEED)},
        {S(RUNNING), S(RELEASED)}, {S(WAITING), S(RELEASED)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum task_state now = cases[i].state;

        print_message("case %zu\n", i);
        assert_int_equal(task_next(&now, cases[i].event), TASK_REFUSE);
        assert_int_equal(now, cases[i].state);
    }
}

static void next__any_state__can_be_stopped_killed_and_left(void **state)
{
    (void)state;
    for (int s = 0; s < TASK_DONE; s++) {
        enum task_state now = (enum task_state)s;

        print_message("state %d\n", s);
        assert_int_not_equal(task_next(&now, TASK_STOP), TASK_REFUSE);
        now = (enum task_state)s;
        assert_int_equal(task_next(&now, TASK_KILL), TASK_DESTROY);
        assert_int_equal(now, TASK_STOPPING);
        now = (enum task_state)s;
        assert_int_equal(task_next(&now, TASK_BROKEN), TASK_DESTROY);
        now = (enum task_state)s;
        assert_int_not_equal(task_next(&now, TASK_HUNG_UP), TASK_REFUSE);
        now = (enum task_state)s;
        assert_int_equal(task_next(&now, TASK_EXITED), TASK_SETTLE);
        assert_int_equal(now, TASK_DONE);
    }
}

static void next__done__refuses_everything(void **state)
{
    (void)state;
    for (int e = 0; e < TASK_EVENT_COUNT; e++) {
        enum task_state now = TASK_DONE;

        assert_int_equal(task_next(&now, (enum task_event)e), TASK_REFUSE);
        assert_int_equal(now, TASK_DONE);
    }
}

static void next__silence__stalls_presses_or_is_allowed(void **state)
{
    static const struct {
        enum task_state state;
        enum task_action action;
    } cases[] = {
        {S(INSPECTING), S(STALL)}, {S(PLANNING), S(STALL)},
        {S(RUNNING), S(STALL)},    {S(WAITING), S(REFUSE)},
        {S(PAUSED), S(REFUSE)},    {S(ENDING), S(PRESS)},
        {S(STOPPING), S(PRESS)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum task_state now = cases[i].state;

        print_message("case %zu\n", i);
        assert_int_equal(task_next(&now, TASK_TIMER), cases[i].action);
    }
}

static void patience__is_for_what_it_does(void **state)
{
    const struct limits limits = {
        .start_timeout = 1, .stall_timeout = 2, .stop_grace = 3};
    static const struct {
        enum task_state state;
        enum task_voice voice;
        int64_t expect;
    } cases[] = {
        {S(INSPECTING), S(UNHEARD), 1}, {S(INSPECTING), S(HEARD), 2},
        {S(WAITING), S(HEARD), 0},      {S(PLANNING), S(HEARD), 2},
        {S(RUNNING), S(WAS_READY), 2},  {S(PAUSED), S(WAS_READY), 0},
        {S(ENDING), S(WAS_READY), 3},   {S(STOPPING), S(UNHEARD), 3},
        {S(DONE), S(WAS_READY), 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("case %zu\n", i);
        assert_int_equal(task_patience(cases[i].state, cases[i].voice, &limits),
                         cases[i].expect);
    }
    assert_true(task_patience(TASK_STOPPING, TASK_HEARD,
                              &(struct limits){.stop_grace = 0}) > 0);
}

static void hear__words_are_events(void **state)
{
    static const struct {
        enum event_kind kind;
        enum outcome outcome;
        enum task_voice voice;
        enum task_event expect;
    } cases[] = {
        {EVENT_NEED, OUTCOME_NONE, S(UNHEARD), S(NEED)},
        {EVENT_READY, OUTCOME_NONE, S(HEARD), S(READY)},
        {EVENT_PROGRESS, OUTCOME_NONE, S(WAS_READY), S(SPOKE)},
        {EVENT_LOG, OUTCOME_NONE, S(UNHEARD), S(SPOKE)},
        {EVENT_RELEASED, OUTCOME_NONE, S(WAS_READY), S(RELEASED)},
        {EVENT_OUTCOME, OUTCOME_DONE, S(WAS_READY), S(OUTCOME)},
        {EVENT_OUTCOME, OUTCOME_DONE, S(HEARD), S(BROKEN)},
        {EVENT_OUTCOME, OUTCOME_BAD_INPUT, S(HEARD), S(OUTCOME)},
        {EVENT_STATE, OUTCOME_NONE, S(WAS_READY), S(BROKEN)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event ev = {.kind = cases[i].kind};

        print_message("case %zu\n", i);
        if (ev.kind == EVENT_OUTCOME)
            ev.outcome.outcome = cases[i].outcome;
        assert_int_equal(task_hear(&ev, cases[i].voice), cases[i].expect);
    }
}

// clang-format off
static void judge__believes_what_fits(void **state)
{
    static const struct {
        enum outcome said;
        enum task_reason reason;
        struct task_exit exit;
        enum outcome expect;
        const char *words; // part of them, NULL: it has its own
    } cases[] = {
        {OUTCOME_DONE, S(NO_REASON), {0, 0}, OUTCOME_DONE, NULL},
        {OUTCOME_DONE, S(NO_REASON), {0, SIGSEGV}, OUTCOME_DONE, NULL},
        {OUTCOME_DONE, S(CANCELLED), {0, 0}, OUTCOME_DONE, NULL},
        {OUTCOME_DONE, S(MISBEHAVED), {0, SIGKILL}, OUTCOME_CRASHED, "protocol"},
        {OUTCOME_BAD_INPUT, S(NO_REASON), {0, 0}, OUTCOME_BAD_INPUT, NULL},
        {OUTCOME_BAD_INPUT, S(CANCELLED), {0, 0}, OUTCOME_CANCELLED, "cancelled"},
        {OUTCOME_CANCELLED, S(CANCELLED), {0, 0}, OUTCOME_CANCELLED, "cancelled"},
        {OUTCOME_CANCELLED, S(TIMED_OUT), {0, 0}, OUTCOME_TIMED_OUT, "limit"},
        {OUTCOME_CANCELLED, S(NO_REASON), {0, 0}, OUTCOME_CRASHED, "without an outcome"},
        {OUTCOME_STALLED, S(NO_REASON), {0, 0}, OUTCOME_CRASHED, "without an outcome"},
        {OUTCOME_NONE, S(NO_REASON), {0, 0}, OUTCOME_CRASHED, "without an outcome"},
        {OUTCOME_NONE, S(NO_REASON), {3, 0}, OUTCOME_CRASHED, "without a word"},
        {OUTCOME_NONE, S(NO_REASON), {0, SIGSEGV}, OUTCOME_CRASHED, "crashed"},
        {OUTCOME_NONE, S(NO_REASON), {0, SIGKILL}, OUTCOME_KILLED, "memory"},
        {OUTCOME_NONE, S(CLIENT_GONE), {0, SIGKILL}, OUTCOME_CANCELLED, "hung up"},
        {OUTCOME_NONE, S(STALLED), {0, SIGTERM}, OUTCOME_STALLED, "nothing"},
        {OUTCOME_NONE, S(OPENER_DIED), {0, 0}, OUTCOME_CRASHED, "files"},
        {OUTCOME_NONE, S(SHUTDOWN), {0, SIGTERM}, OUTCOME_INTERRUPTED, "shut down"},
        {OUTCOME_NONE, S(HELD), {0, 0}, OUTCOME_INTERRUPTED, "paused"},
        {OUTCOME_NONE, S(RETURNED), {0, 0}, OUTCOME_INTERRUPTED, "left its place"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text;

        print_message("case %zu\n", i);
        assert_int_equal(
            task_judge(cases[i].said, cases[i].reason, cases[i].exit, &text),
            cases[i].expect);
        if (cases[i].words)
            assert_non_null(strstr(text, cases[i].words));
        else
            assert_null(text);
    }
}

static void verdict__counts_and_bounds(void **state)
{
    static const struct limits limits = {.tries = 3, .interruptions = 2};
    static const struct {
        struct store_job job;
        enum outcome outcome;
        enum task_reason reason;
        enum task_trace trace;
        enum task_cause cause;
        enum task_verdict verdict;
        int failures;
        int interruptions;
    } cases[] = {
        {{0}, OUTCOME_DONE, S(NO_REASON), S(UNSEEN), S(OF_JOB), S(END), 0, 0},
        {{0}, OUTCOME_CANCELLED, S(CANCELLED), S(UNSEEN), S(OF_JOB), S(END), 0, 0},
        {{0}, OUTCOME_BAD_INPUT, S(NO_REASON), S(UNSEEN), S(OF_JOB), S(END), 1, 0},
        {{0}, OUTCOME_BAD_REQUEST, S(NO_REASON), S(UNSEEN), S(OF_JOB), S(END), 1, 0},
        {{0}, OUTCOME_TIMED_OUT, S(TIMED_OUT), S(UNSEEN), S(OF_JOB), S(END), 1, 0},
        {{0}, OUTCOME_CRASHED, S(NO_REASON), S(UNSEEN), S(OF_JOB), S(AGAIN), 1, 0},
        {{.failures = 1}, OUTCOME_KILLED, S(NO_REASON), S(UNSEEN), S(OF_JOB), S(AGAIN), 2, 0},
        {{.failures = 2}, OUTCOME_CRASHED, S(NO_REASON), S(UNSEEN), S(OF_JOB), S(END), 3, 0},
        {{0}, OUTCOME_CRASHED, S(NO_REASON), S(SEEN), S(OF_JOB), S(END), 1, 0},
        {{.attached = true}, OUTCOME_CRASHED, S(NO_REASON), S(UNSEEN), S(OF_JOB), S(AGAIN), 1, 0},
        {{0}, OUTCOME_INTERRUPTED, S(SHUTDOWN), S(UNSEEN), S(OF_JOB), S(AGAIN), 0, 1},
        {{0}, OUTCOME_INTERRUPTED, S(SHUTDOWN), S(SEEN), S(OF_JOB), S(AGAIN), 0, 1},
        {{.interruptions = 2}, OUTCOME_INTERRUPTED, S(SHUTDOWN), S(UNSEEN), S(OF_JOB), S(END), 0, 3},
        {{.attached = true}, OUTCOME_INTERRUPTED, S(SHUTDOWN), S(UNSEEN), S(OF_JOB), S(END), 0, 1},
        {{.interruptions = 2}, OUTCOME_INTERRUPTED, S(HELD), S(UNSEEN), S(OF_JOB), S(AGAIN), 0, 2},
        {{.failures = 2}, OUTCOME_INTERRUPTED, S(HELD), S(UNSEEN), S(OF_JOB), S(AGAIN), 2, 0},
        {{.interruptions = 2}, OUTCOME_INTERRUPTED, S(RETURNED), S(UNSEEN), S(OF_JOB), S(AGAIN), 0, 2},
        {{.attached = true}, OUTCOME_INTERRUPTED, S(RETURNED), S(UNSEEN), S(OF_JOB), S(AGAIN), 0, 0},
        // a device's failure is no try, however many there were
        {{0}, OUTCOME_NO_SESSION, S(NO_REASON), S(UNSEEN), S(OF_DEVICE), S(ELSEWHERE), 0, 0},
        {{.failures = 2}, OUTCOME_CRASHED, S(NO_REASON), S(UNSEEN), S(OF_DEVICE), S(ELSEWHERE), 2, 0},
        {{.attached = true}, OUTCOME_DEVICE_LOST, S(NO_REASON), S(UNSEEN), S(OF_DEVICE), S(ELSEWHERE), 0, 0},
        {{0}, OUTCOME_STALLED, S(STALLED), S(UNSEEN), S(OF_DEVICE), S(ELSEWHERE), 0, 0},
        // what a client has read is not written again
        {{0}, OUTCOME_DEVICE_LOST, S(NO_REASON), S(SEEN), S(OF_DEVICE), S(END), 1, 0},
        // a GPU is required, and nothing of it is left
        {{0}, OUTCOME_DEVICE_LOST, S(NO_REASON), S(UNSEEN), S(OF_NEED), S(END), 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct store_job job = cases[i].job;
        const struct task_ending ending = {cases[i].outcome, cases[i].reason,
                                           cases[i].trace, cases[i].cause};

        print_message("case %zu\n", i);
        assert_int_equal(task_verdict(&job, &ending, &limits),
                         cases[i].verdict);
        assert_int_equal(job.failures, cases[i].failures);
        assert_int_equal(job.interruptions, cases[i].interruptions);
    }
}

// clang-format on

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next__life_of_a_good_worker),
        cmocka_unit_test(next__released__is_the_end),
        cmocka_unit_test(next__released_while_stopping__is_waited_for),
        cmocka_unit_test(next__give_up__only_on_the_last_rung),
        cmocka_unit_test(next__words_at_the_wrong_time__are_refused),
        cmocka_unit_test(next__any_state__can_be_stopped_killed_and_left),
        cmocka_unit_test(next__done__refuses_everything),
        cmocka_unit_test(next__silence__stalls_presses_or_is_allowed),
        cmocka_unit_test(patience__is_for_what_it_does),
        cmocka_unit_test(hear__words_are_events),
        cmocka_unit_test(judge__believes_what_fits),
        cmocka_unit_test(verdict__counts_and_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
