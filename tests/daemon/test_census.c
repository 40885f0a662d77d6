#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "census.h"

#include <string.h>

#include "account.h"
#include "base/clock.h"
#include "support/books.h"

#define MIB BOOKS_MIB

static const struct grant second = {
    .device = "cuda:1", .sessions = 1, .vram = 500 * MIB};

static int set_up(void **state)
{
    static struct books b;

    books_open(&b);
    books_survey(&b, BOOKS_CARDS);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    books_close(*state);
    return 0;
}

static int32_t foreign(struct books *b)
{
    return books_look(b, 0).use.foreign;
}

/* The loan has had its sessions open for so long (µs). */
static void opened(struct books *b, struct loan *loan, int64_t ago)
{
    lending_flow(b->lending, loan, 1);
    loan->opened -= ago;
}

/* NVML may name processes as nobody here does: what must be ours is not taken
 * for somebody else's. */
static void sessions__that_no_pid_explains(void **state)
{
    static const struct {
        const char *device;
        int64_t opened;   // s ago, -1: not yet
        int32_t sessions; // in the sample
        int32_t foreign;
    } cases[] = {
        {"cuda:0", 10, 1, 0},
        {"cuda:0", 10, 2, 1},
        {"cuda:0", 10, 0, 0}, // less than there must be
        {"cuda:0", 3, 1, 0},
        {"cuda:0", 0, 1, 1}, // the sample may be older than the session
        {"cuda:0", -1, 1, 1},
        {"cuda:1", 10, 1, 1}, // it is on another card
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample s = books_sample(0);
        struct grant grant = {.sessions = 1};
        struct loan loan;
        struct books b;
        print_message("case %zu\n", i);
        books_open(&b);
        books_survey(&b, BOOKS_CARDS);
        strcpy(grant.device, cases[i].device);
        books_lend(&b, &loan, 10, &grant, 1080);
        if (cases[i].opened >= 0)
            opened(&b, &loan, cases[i].opened * SECOND);
        if (cases[i].opened == 0)
            loan.opened += SECOND; // however slow this machine
        for (int32_t n = 0; n < cases[i].sessions; n++)
            books_add_session(&s, 4000 + n);
        books_take(&b, &s);
        assert_int_equal(foreign(&b), cases[i].foreign);
        lending_leave(b.lending, &loan);
        books_close(&b);
    }
}

/* A driver tells how many there are, or whose, or both. */
static void sessions__by_number_or_by_name(void **state)
{
    static const struct {
        int32_t total;
        int named; // of them, strangers'
        int32_t foreign;
    } cases[] = {
        {0, 0, 0},
        {3, 0, 3},
        {3, 1, 3},
        {SAMPLE_UNKNOWN, 2, 2},
        {SAMPLE_UNKNOWN, 0, 0},
        {1, 2, 2},
    };
    struct books *b = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample s = books_sample(0);
        print_message("case %zu\n", i);
        for (int n = 0; n < cases[i].named; n++)
            books_add_session(&s, 4000 + n);
        s.session_total = cases[i].total;
        books_take(b, &s);
        assert_int_equal(foreign(b), cases[i].foreign);
    }
}

/* Whoever has ended a moment ago may be in samples still, and is ours; later
 * the number is somebody else's. */
static void sessions__of_the_dead__are_ours_for_a_moment(void **state)
{
    struct sample s = books_sample(0);
    struct books *b = *state;
    struct loan loans[3];

    for (int i = 0; i < 3; i++) {
        books_lend_one(b, &loans[i], 10 + i);
        books_add_session(&s, 10 + i);
    }
    for (int i = 0; i < 3; i++)
        lending_leave(b->lending, &loans[i]);
    for (size_t i = 0; i < 3; i++)
        b->lending->gone[i].when += 60 * SECOND; // however slow this machine
    books_take(b, &s);
    assert_int_equal(foreign(b), 0);
    for (size_t i = 0; i < 2; i++)
        b->lending->gone[i].when = clock_now() - 6 * SECOND;
    books_take(b, &s);
    assert_int_equal(foreign(b), 2);
}

static void vram__that_no_pid_explains(void **state)
{
    struct sample s = books_sample(0);
    struct books *b = *state;
    struct loan here;
    struct loan there;
    struct loan waiting;

    books_lend_one(b, &here, 10); // 320 MiB
    books_lend(b, &there, 11, &second, 1080);
    books_lend_one(b, &waiting, 12);
    opened(b, &here, 10 * SECOND);
    opened(b, &there, 10 * SECOND);
    s.vram_used = 1000 * MIB;
    books_take(b, &s);
    assert_int_equal(books_look(b, 0).use.foreign_vram, 680 * MIB);
    // less than there must be, and not known at all
    s.vram_used = 100 * MIB;
    books_take(b, &s);
    assert_int_equal(books_look(b, 0).use.foreign_vram, 0);
    s.vram_used = SAMPLE_UNKNOWN;
    books_take(b, &s);
    assert_int_equal(books_look(b, 0).use.foreign_vram, 0);
    lending_leave(b->lending, &here);
    lending_leave(b->lending, &there);
    lending_leave(b->lending, &waiting);
}

static void vram__of_a_job__is_its_peak(void **state)
{
    static const int64_t seen[] = {200, 700, 500}; // MiB
    static const int64_t counted[] = {320, 700, 700};
    struct books *b = *state;
    struct loan loan;

    books_lend_one(b, &loan, 10); // 320 MiB
    for (size_t i = 0; i < 3; i++) {
        struct sample s = books_sample(0);
        books_add_process(&s, 10, seen[i] * MIB);
        books_take(b, &s);
        assert_int_equal(books_look(b, 0).use.own_vram, counted[i] * MIB);
        assert_int_equal(books_look(b, 0).use.foreign_vram, 0);
    }
    lending_leave(b->lending, &loan);
}

/* A context of a worker that is granted nothing there: ours, and part of what
 * it would take. */
static void vram__of_a_worker_without_a_grant__is_known(void **state)
{
    struct sample s = books_sample(0);
    struct books *b = *state;
    const char *device = NULL;
    struct loan waiting;
    struct loan there;

    lending_join(b->lending, &waiting, 10);
    books_lend(b, &there, 11, &second, 1080); // it was this card's, once
    books_add_process(&s, 10, 80 * MIB);
    books_add_process(&s, 11, 90 * MIB);
    for (int n = 0; n < 2; n++) { // each sample tells it all
        books_take(b, &s);
        assert_int_equal(lending_held(&waiting, &device), 80 * MIB);
        assert_string_equal(device, "cuda:0");
        assert_int_equal(lending_held(&there, &device), 90 * MIB);
        assert_int_equal(books_look(b, 0).use.own_vram, 170 * MIB);
        assert_int_equal(books_look(b, 0).use.foreign_vram, 0);
    }
    assert_int_equal(there.peak, 0);

    // another card's sample says nothing of it, the next one of this does
    s = books_sample(1);
    books_take(b, &s);
    assert_int_equal(lending_held(&waiting, &device), 80 * MIB);
    s = books_sample(0);
    books_take(b, &s);
    assert_int_equal(lending_held(&waiting, &device), 0);
    assert_null(device);
    assert_int_equal(books_look(b, 0).use.own_vram, 0);
    lending_leave(b->lending, &waiting);
    lending_leave(b->lending, &there);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sessions__that_no_pid_explains),
        TEST(sessions__by_number_or_by_name),
        TEST(sessions__of_the_dead__are_ours_for_a_moment),
        TEST(vram__that_no_pid_explains),
        TEST(vram__of_a_job__is_its_peak),
        TEST(vram__of_a_worker_without_a_grant__is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
