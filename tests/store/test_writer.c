#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/database.h"
#include "store/writer.h"
#include "support/database.h"
#include "support/store.h"
#include "support/vfs.h"

#define ALICE    1000

#define PATIENCE (60 * SECOND)

/* A store upon a disk of ours. */
struct bench {
    struct store_fixture *fixture;
    struct vfs *vfs;
};

static int setup(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));
    void *fixture = NULL;

    b->vfs = vfs_create();
    if (store_fixture_setup(&fixture) < 0)
        return -1;
    b->fixture = fixture;
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    void *fixture = b->fixture;

    int r = store_fixture_teardown(&fixture);
    vfs_destroy(b->vfs);
    free(b);
    return r;
}

/* Clients that each ask again as soon as they are answered. */
struct crowd {
    struct store *store;
    size_t waiting; // clients with a request under way
    size_t left;    // requests still to make
    int64_t acknowledged[4096];
    size_t count;
    size_t failed;
    int last_failure;
};

static void on_added(void *user, int result, int64_t id, const struct error *e);

static void ask(struct crowd *c)
{
    if (c->left == 0)
        return;
    c->left--;
    c->waiting++;
    store_add(c->store, &(struct store_new){.uid = ALICE, .document = DOCUMENT},
              on_added, c);
}

static void on_added(void *user, int result, int64_t id, const struct error *e)
{
    struct crowd *c = user;

    c->waiting--;
    if (result == 0) {
        c->acknowledged[c->count++] = id;
    } else {
        c->failed++;
        c->last_failure = result;
        assert_true(e->text[0] != '\0');
    }
    ask(c);
}

static struct crowd *crowd_run(struct bench *b, size_t clients, size_t requests)
{
    struct crowd *c = xcalloc(1, sizeof(*c));

    assert_true(requests <= 4096);
    c->store = b->fixture->store;
    c->left = requests;
    for (size_t i = 0; i < clients; i++)
        ask(c);
    store_fixture_wait(b->fixture, &c->waiting);
    return c;
}

static void writer__eight_clients_on_a_slow_disk__share_each_sync(void **state)
{
    struct bench *b = *state;

    vfs_set_sync_time(b->vfs, 10 * MILLISECOND);
    int64_t syncs = vfs_syncs(b->vfs);
    struct crowd *c = crowd_run(b, 8, 400);
    syncs = vfs_syncs(b->vfs) - syncs;
    print_message("%lld syncs for %zu jobs\n", (long long)syncs, c->count);
    assert_int_equal(c->count, 400);
    // 8 a commit; 400 a second at 10 ms a sync need no more than 100
    assert_in_range(syncs, 400 / 8, 400 / 4);
    free(c);
}

static void writer__one_client__one_sync_a_job(void **state)
{
    struct bench *b = *state;

    int64_t syncs = vfs_syncs(b->vfs);
    struct crowd *c = crowd_run(b, 1, 50);
    assert_in_range(vfs_syncs(b->vfs) - syncs, 50, 55);
    free(c);
}

static void writer__many_at_once__one_sync(void **state)
{
    struct bench *b = *state;

    vfs_set_sync_time(b->vfs, 300 * MILLISECOND); // longer than asking takes
    int64_t syncs = vfs_syncs(b->vfs);
    struct crowd *c = crowd_run(b, 400, 400);
    assert_int_equal(c->count, 400);
    assert_in_range(vfs_syncs(b->vfs) - syncs, 1, 5);
    free(c);
}

static void writer__questions__cost_no_sync(void **state)
{
    struct bench *b = *state;
    struct store_record r;
    int64_t ids[10];

    int64_t id = store_fixture_add(b->fixture, ALICE, NULL, DOCUMENT);
    int64_t changes = vfs_changes(b->vfs);
    assert_int_equal(store_fixture_get(b->fixture, &r, id), 0);
    store_record_fini(&r);
    assert_int_equal(store_fixture_list(b->fixture, ids, 0, 0, 10), 1);
    assert_int_equal(vfs_changes(b->vfs), changes);
}

/* In each case requests fail with words while the disk is ill, questions are
 * answered, and everything works again when it is well. */
static void writer__ill_disk__fails_with_words_and_goes_on(void **state)
{
    static const struct {
        enum vfs_fault fault;
        int result;
        const char *words;
    } cases[] = {
        {VFS_FULL, -ENOSPC, "disk is full"},
        {VFS_READ_ONLY, -EROFS, "read-only"},
        {VFS_BROKEN, -EIO, "disk I/O error"},
    };
    struct bench *b = *state;
    struct store_fixture *f = b->fixture;
    int64_t ids[10];
    int64_t counts[STATE_COUNT];

    for (int i = 0; i < 3; i++) {
        print_message("%s\n", cases[i].words);
        int64_t id = store_fixture_add(f, ALICE, NULL, DOCUMENT);
        assert_true(id > 0);
        vfs_set_fault(b->vfs, cases[i].fault);
        assert_int_equal(store_fixture_add(f, ALICE, NULL, DOCUMENT),
                         cases[i].result);
        print_message("%s\n", f->error.text);
        assert_non_null(strstr(f->error.text, cases[i].words));
        assert_int_equal(store_fixture_list(f, ids, 0, 0, 10), 2 * i + 1);

        struct crowd *c = crowd_run(b, 8, 40);
        assert_int_equal(c->count, 0);
        assert_int_equal(c->failed, 40);
        assert_int_equal(c->last_failure, cases[i].result);
        free(c);

        vfs_set_fault(b->vfs, VFS_HEALTHY);
        assert_true(store_fixture_add(f, ALICE, NULL, DOCUMENT) > id);
        store_counts(f->store, counts);
        assert_int_equal(counts[STATE_QUEUED], 2 * (i + 1));
    }
    store_fixture_reopen(f);
    assert_int_equal(store_fixture_list(f, ids, 0, 0, 10), 6);
}

struct mixed {
    size_t waiting;
    int listed;
    int added;
};

static void on_mixed_added(void *user, int result, int64_t id,
                           const struct error *e)
{
    struct mixed *m = user;

    (void)id;
    (void)e;
    m->added = result;
    m->waiting--;
}

static void on_mixed_listed(void *user, int result,
                            const struct store_record *records, size_t count,
                            const struct error *e)
{
    struct mixed *m = user;

    (void)records;
    (void)e;
    m->listed = result < 0 ? result : (int)count;
    m->waiting--;
}

static void writer__question_in_a_failing_group__is_answered(void **state)
{
    struct bench *b = *state;
    struct store_fixture *f = b->fixture;
    struct mixed m = {.waiting = 2};

    (void)store_fixture_add(f, ALICE, NULL, DOCUMENT);
    vfs_set_fault(b->vfs, VFS_FULL);
    store_add(f->store, &(struct store_new){.uid = ALICE, .document = DOCUMENT},
              on_mixed_added, &m);
    store_list(f->store, 0, 0, 10, on_mixed_listed, &m);
    store_fixture_wait(f, &m.waiting);
    assert_int_equal(m.added, -ENOSPC);
    assert_int_equal(m.listed, 1);
}

static void
writer__one_wrong_request__others_of_its_group_go_through(void **state)
{
    struct bench *b = *state;
    struct store_fixture *f = b->fixture;
    struct mixed wrong = {.waiting = 1};
    struct mixed right = {.waiting = 2};
    int64_t counts[STATE_COUNT];

    (void)store_fixture_add(f, ALICE, "k", DOCUMENT);
    vfs_set_sync_time(b->vfs, 20 * MILLISECOND); // all below: one group
    store_add(f->store, &(struct store_new){.uid = ALICE, .document = DOCUMENT},
              on_mixed_added, &right);
    store_add(f->store,
              &(struct store_new){.uid = ALICE, .key = "k", .document = "{}"},
              on_mixed_added, &wrong);
    store_add(f->store, &(struct store_new){.uid = ALICE, .document = DOCUMENT},
              on_mixed_added, &right);
    store_fixture_wait(f, &right.waiting);
    store_fixture_wait(f, &wrong.waiting);
    assert_int_equal(right.added, 0);
    assert_int_equal(wrong.added, -EEXIST);
    store_counts(f->store, counts);
    assert_int_equal(counts[STATE_QUEUED], 3);
}

static bool is_there(struct store_fixture *f, int64_t id)
{
    struct store_record r;

    int result = store_fixture_get(f, &r, id);
    if (result < 0)
        return false;
    store_record_fini(&r);
    return true;
}

/* The power goes after so many writes and syncs; what no sync had covered is
 * lost, kept or torn as the seed decides. */
static void power_cut(struct bench *b, int64_t after, unsigned seed)
{
    struct store_fixture *f = b->fixture;

    store_fixture_reopen(f);
    vfs_cut_power_after(b->vfs, after);
    struct crowd *c = crowd_run(b, 4, 120);
    store_fixture_close(f);
    vfs_restore(b->vfs, seed);
    store_fixture_reopen(f);
    for (size_t i = 0; i < c->count; i++) {
        if (!is_there(f, c->acknowledged[i]))
            fail_msg("cut after %lld: job %lld was acknowledged and is lost",
                     (long long)after, (long long)c->acknowledged[i]);
    }
    free(c);
}

static void
writer__power_cut_at_any_moment__nothing_acknowledged_is_lost(void **state)
{
    struct bench *b = *state;

    for (int64_t after = 0; after < 400; after += after < 40 ? 1 : 13) {
        for (unsigned seed = 1; seed <= 3; seed++)
            power_cut(b, after, seed * 7919 + (unsigned)after);
    }
}

/* A request that takes until somebody writes into its pipe. */
struct gate {
    struct request base;
    int pipe[2];
    bool is_delivered;
};

static int gate_carry_out(struct request *q, struct database *db,
                          struct error *e)
{
    char c;

    (void)db;
    (void)e;
    return read(((struct gate *)q)->pipe[0], &c, 1) == 1 ? 0 : -EIO;
}

static void gate_deliver(struct request *q)
{
    ((struct gate *)q)->is_delivered = true;
}

static void gate_destroy(struct request *q)
{
    (void)q; // the test's own
}

static const struct request_kind gate_kind = {gate_carry_out, gate_deliver,
                                              gate_destroy};

static void wait_until_busy(struct writer *w)
{
    int64_t end = clock_now() + PATIENCE;

    while (writer_busy_since(w) < 0) {
        assert_true(clock_now() < end);
        (void)poll(NULL, 0, 1);
    }
}

static void writer_busy_since__while_it_works__says_since_when(void **state)
{
    struct database_fixture *f = *state;
    struct gate gate = {.base = {.kind = &gate_kind}};
    struct writer *w;

    assert_int_equal(pipe(gate.pipe), 0);
    assert_int_equal(writer_start(&w, f->db, &f->error), 0);
    int64_t before = clock_now();
    writer_submit(w, &gate.base);
    wait_until_busy(w);
    assert_in_range(writer_busy_since(w), before, clock_now());
    assert_false(gate.is_delivered);
    assert_int_equal(write(gate.pipe[1], "x", 1), 1);
    writer_wait(w);
    writer_deliver(w);
    assert_true(gate.is_delivered);
    writer_stop(w);
    (void)close(gate.pipe[0]);
    (void)close(gate.pipe[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writer__eight_clients_on_a_slow_disk__share_each_sync),
        TEST(writer__one_client__one_sync_a_job),
        TEST(writer__many_at_once__one_sync),
        TEST(writer__questions__cost_no_sync),
        TEST(writer__ill_disk__fails_with_words_and_goes_on),
        TEST(writer__question_in_a_failing_group__is_answered),
        TEST(writer__one_wrong_request__others_of_its_group_go_through),
        TEST(writer__power_cut_at_any_moment__nothing_acknowledged_is_lost),
        cmocka_unit_test_setup_teardown(
            writer_busy_since__while_it_works__says_since_when,
            database_fixture_setup, database_fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
