#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evidence.h"

#include <signal.h>
#include <stdlib.h>

#include "base/memory.h"

/* The worker says that it ended so. */
static void say(struct evidence *v, enum outcome outcome, const char *text)
{
    struct event ev = {.kind = EVENT_OUTCOME,
                       .outcome = {.outcome = outcome, .text = xstrdup(text)}};

    evidence_keep(v, &ev);
    assert_int_equal(ev.kind, EVENT_NONE); // it is no longer the caller's
    assert_null(ev.outcome.text);
}

static void judge__what_is_known__in_words(void **state)
{
    static const struct {
        enum outcome said; // OUTCOME_NONE: nothing
        const char *text;
        enum task_reason reason;
        struct task_exit exit;
        const char *complaint;
        enum outcome outcome;
        const char *words;
    } cases[] = {
        {OUTCOME_DONE,
         "720 frames",
         TASK_NO_REASON,
         {0},
         NULL,
         OUTCOME_DONE,
         "720 frames"},
        {OUTCOME_BAD_INPUT,
         NULL,
         TASK_NO_REASON,
         {0},
         NULL,
         OUTCOME_BAD_INPUT,
         ""},
        // a worker that said how it ended may exit as it likes
        {OUTCOME_BAD_INPUT,
         "no video",
         TASK_NO_REASON,
         {.status = 1},
         NULL,
         OUTCOME_BAD_INPUT,
         "no video"},
        {OUTCOME_NONE,
         NULL,
         TASK_NO_REASON,
         {.signal = SIGSEGV},
         NULL,
         OUTCOME_CRASHED,
         "the worker crashed (signal 11, Segmentation fault)"},
        {OUTCOME_NONE,
         NULL,
         TASK_NO_REASON,
         {.status = 7},
         NULL,
         OUTCOME_CRASHED,
         "the worker failed without a word (exit status 7)"},
        {OUTCOME_NONE,
         NULL,
         TASK_NO_REASON,
         {0},
         NULL,
         OUTCOME_CRASHED,
         "the worker ended without an outcome"},
        {OUTCOME_NONE,
         NULL,
         TASK_NO_REASON,
         {.signal = SIGKILL},
         NULL,
         OUTCOME_KILLED,
         "the worker was killed from outside; perhaps the machine ran out of "
         "memory (signal 9, Killed)"},
        // whom we kill ourselves, nobody wonders about
        {OUTCOME_NONE,
         NULL,
         TASK_TIMED_OUT,
         {.signal = SIGKILL},
         NULL,
         OUTCOME_TIMED_OUT,
         "the job's own time limit ran out"},
        {OUTCOME_INTERRUPTED,
         "stopped",
         TASK_CANCELLED,
         {0},
         NULL,
         OUTCOME_CANCELLED,
         "cancelled"},
        {OUTCOME_DONE,
         "in time",
         TASK_CANCELLED,
         {0},
         NULL,
         OUTCOME_DONE,
         "in time"},
        {OUTCOME_NONE,
         NULL,
         TASK_MISBEHAVED,
         {.signal = SIGKILL},
         "it babbles",
         OUTCOME_CRASHED,
         "the worker broke the protocol: it babbles"},
        {OUTCOME_DONE,
         "all well",
         TASK_MISBEHAVED,
         {0},
         "'ready' at the wrong "
         "time",
         OUTCOME_CRASHED,
         "the worker broke the protocol: 'ready' at the wrong time"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct evidence v = {.exit = cases[i].exit};
        char *text;
        if (cases[i].said != OUTCOME_NONE)
            say(&v, cases[i].said, cases[i].text);
        if (cases[i].complaint)
            evidence_complain(&v, cases[i].complaint);
        evidence_blame(&v, cases[i].reason);
        enum outcome outcome = evidence_judge(&v, &text);
        print_message("case %zu: %s, %s\n", i, outcome_name(outcome), text);
        assert_int_equal(outcome, cases[i].outcome);
        assert_string_equal(text, cases[i].words);
        free(text);
        evidence_fini(&v);
    }
}

static void blame_and_complain__twice__the_first_counts(void **state)
{
    struct evidence v = {0};
    char *text;

    (void)state;
    evidence_blame(&v, TASK_STALLED);
    evidence_blame(&v, TASK_CANCELLED);
    evidence_complain(&v, "first");
    evidence_complain(&v, "second");
    assert_int_equal(evidence_judge(&v, &text), OUTCOME_STALLED);
    assert_string_equal(text, "the worker said nothing for too long: first");
    free(text);
    evidence_fini(&v);
}

static void keep__twice__the_last_counts(void **state)
{
    struct evidence v = {0};
    char *text;

    (void)state;
    say(&v, OUTCOME_INTERRUPTED, "asked to stop");
    say(&v, OUTCOME_DONE, "and done all the same");
    assert_int_equal(evidence_judge(&v, &text), OUTCOME_DONE);
    assert_string_equal(text, "and done all the same");
    free(text);
    evidence_fini(&v);
}

static void fini__twice__is_harmless(void **state)
{
    struct evidence v = {0};

    (void)state;
    say(&v, OUTCOME_DONE, "done");
    evidence_complain(&v, "a word");
    evidence_fini(&v);
    assert_false(v.has_said);
    evidence_fini(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge__what_is_known__in_words),
        cmocka_unit_test(blame_and_complain__twice__the_first_counts),
        cmocka_unit_test(keep__twice__the_last_counts),
        cmocka_unit_test(fini__twice__is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
