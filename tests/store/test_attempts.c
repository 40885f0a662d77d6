#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/attempts.h"
#include "support/database.h"
#include "support/sql.h"

#define JOB 7

static int setup(void **state)
{
    int r = database_fixture_setup(state);

    if (r == 0)
        database_fixture_put_job(*state, JOB, STATE_RUNNING);
    return r;
}

/* The plan is lent: not for store_attempt_fini(). */
static struct store_attempt attempt(int64_t number, int64_t ended)
{
    static char plan[] = "[\"copy\"]";

    return (struct store_attempt){
        .number = number,
        .device = "cuda:0",
        .started = 100 * number,
        .ended = ended,
        .outcome = ended > 0 ? OUTCOME_CRASHED : OUTCOME_NONE,
        .plan = plan,
    };
}

static void put(struct database_fixture *f, int64_t number, int64_t ended)
{
    struct store_attempt a = attempt(number, ended);

    assert_int_equal(attempts_put(f->db, JOB, &a, &f->error), 0);
}

static struct store_record get(struct database_fixture *f, int64_t id)
{
    struct store_record record = {.job.id = id};

    assert_int_equal(attempts_get(f->db, &record, &f->error), 0);
    return record;
}

/* Both NULL, or the same. */
static void assert_same(const char *is, const char *expect)
{
    assert_int_equal(is == NULL, expect == NULL);
    if (expect)
        assert_string_equal(is, expect);
}

static void assert_attempt(const struct store_attempt *is,
                           const struct store_attempt *expect)
{
    assert_int_equal(is->number, expect->number);
    assert_string_equal(is->device, expect->device);
    assert_int_equal(is->started, expect->started);
    assert_int_equal(is->ended, expect->ended);
    assert_int_equal(is->outcome, expect->outcome);
    assert_same(is->plan, expect->plan);
    assert_same(is->text, expect->text);
    assert_same(is->log, expect->log);
    assert_same(is->detail, expect->detail);
    assert_same(is->given, expect->given);
    assert_same(is->why, expect->why);
    assert_same(is->fallback, expect->fallback);
}

static void attempts_put__whole_and_sparse__come_back_alike(void **state)
{
    char plan[] = "[\"copy\"]";
    char text[] = "the worker crashed";
    char log[] = "[\"last words\"]";
    char detail[] = "{\"errors\":3}";
    char given[] = "{\"device\":\"cuda:15\"}";
    char why[] = "[\"the CPU decodes\"]";
    char fallback[] = "cuda:14 failed";
    const struct store_attempt cases[] = {
        {.number = 1,
         .device = "cuda:15",
         .started = INT64_C(1700000000000000),
         .ended = INT64_C(1700000000000001),
         .outcome = OUTCOME_CRASHED,
         .plan = plan,
         .text = text,
         .log = log,
         .detail = detail,
         .given = given,
         .why = why,
         .fallback = fallback},
        {.number = 2, .device = "cpu", .started = 5, .text = text},
        {.number = 3, .outcome = OUTCOME_OUTPUT_FAILED, .detail = detail},
        {.number = 4, .device = "a device of 15b", .log = log, .why = why},
    };
    const size_t count = sizeof(cases) / sizeof(cases[0]);
    struct database_fixture *f = *state;

    for (size_t i = count; i-- > 0;) // told in order, however they came
        assert_int_equal(attempts_put(f->db, JOB, &cases[i], &f->error), 0);
    struct store_record record = get(f, JOB);
    assert_int_equal(record.attempt_count, count);
    for (size_t i = 0; i < count; i++) {
        print_message("attempt %zu\n", i + 1);
        assert_attempt(&record.attempts[i], &cases[i]);
    }
    store_record_fini(&record);
}

static void attempts_put__same_number__replaces(void **state)
{
    struct database_fixture *f = *state;

    put(f, 1, 0);
    put(f, 1, 900);
    struct store_record record = get(f, JOB);
    assert_int_equal(record.attempt_count, 1);
    assert_int_equal(record.attempts[0].ended, 900);
    assert_int_equal(record.attempts[0].outcome, OUTCOME_CRASHED);
    store_record_fini(&record);
}

static void attempts_put__no_such_job__refused(void **state)
{
    struct database_fixture *f = *state;
    struct store_attempt a = attempt(1, 0);

    assert_int_equal(attempts_put(f->db, 8, &a, &f->error), -ENOENT);
    assert_string_equal(f->error.text, "no such job: 8");
    assert_int_equal(sql_ask(f->handle, "SELECT count(*) FROM attempt"), 0);
}

static void attempts_get__none__nothing_to_free(void **state)
{
    static const int64_t ids[] = {JOB, 8}; // without attempts, and not there
    struct database_fixture *f = *state;

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct store_record record = get(f, ids[i]);
        assert_int_equal(record.attempt_count, 0);
        assert_null(record.attempts);
    }
}

/* The rows before it are the record's, and freed with it. */
static void attempts_get__unknown_outcome__fails_and_can_be_freed(void **state)
{
    struct database_fixture *f = *state;
    struct store_record record = {.job.id = JOB};

    put(f, 1, 0);
    put(f, 2, 0);
    sql_run(f->handle, "UPDATE attempt SET outcome = 'fun' WHERE number = 2");
    assert_int_equal(attempts_get(f->db, &record, &f->error), -EBADMSG);
    assert_non_null(strstr(f->error.text, "'fun' is no outcome"));
    store_record_fini(&record);
    sql_run(f->handle, "DROP TABLE attempt"); // no statement holds it
}

static void attempts_forget__one_job__keeps_the_others(void **state)
{
    struct database_fixture *f = *state;
    struct store_attempt a = attempt(1, 0);

    database_fixture_put_job(f, 8, STATE_RUNNING);
    assert_int_equal(attempts_put(f->db, 8, &a, &f->error), 0);
    put(f, 1, 0);
    put(f, 2, 0);
    assert_int_equal(attempts_forget(f->db, JOB, &f->error), 0);
    assert_int_equal(attempts_forget(f->db, JOB, &f->error), 0); // none left
    assert_int_equal(sql_ask(f->handle, "SELECT sum(job) FROM attempt"), 8);
}

static void attempts_interrupt__open_ones__end_now(void **state)
{
    struct database_fixture *f = *state;

    put(f, 1, 150);
    put(f, 2, 0);
    assert_int_equal(attempts_interrupt(f->db, 777, &f->error), 0);
    struct store_record record = get(f, JOB);
    assert_int_equal(record.attempts[0].ended, 150);
    assert_int_equal(record.attempts[0].outcome, OUTCOME_CRASHED);
    assert_int_equal(record.attempts[1].ended, 777);
    assert_int_equal(record.attempts[1].outcome, OUTCOME_INTERRUPTED);
    assert_string_equal(record.attempts[1].plan, "[\"copy\"]");
    store_record_fini(&record);
}

static void attempts_copy__outlives_its_source(void **state)
{
    char plan[] = "[\"copy\"]";
    char log[] = "[]";
    struct store_attempt a = {
        .number = 3, .device = "cpu", .plan = plan, .log = log};

    (void)state;
    struct store_attempt copy = attempts_copy(&a);
    assert_attempt(&copy, &a);
    assert_ptr_not_equal(copy.plan, a.plan);
    assert_ptr_not_equal(copy.log, a.log);
    store_attempt_fini(&copy);
    assert_null(copy.plan);
    assert_int_equal(copy.number, 0);
    store_attempt_fini(&copy); // again: nothing is left
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, setup, database_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(attempts_put__whole_and_sparse__come_back_alike),
        TEST(attempts_put__same_number__replaces),
        TEST(attempts_put__no_such_job__refused),
        TEST(attempts_get__none__nothing_to_free),
        TEST(attempts_get__unknown_outcome__fails_and_can_be_freed),
        TEST(attempts_forget__one_job__keeps_the_others),
        TEST(attempts_interrupt__open_ones__end_now),
        cmocka_unit_test(attempts_copy__outlives_its_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
