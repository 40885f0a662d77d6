#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "pipeline/item.h"
#include "pipeline/queue.h"
#include "pipeline/stage.h"

/* A stage of tests: a source makes packets, one in the middle hands them on, a
 * sink counts them; each may fail or stop at a certain packet. */
struct toy {
    struct stage stage;
    int make;    // of a source: how many
    int fail_at; // the number of the packet, 0: never
    int stop_at;
    int seen;
    bool ended; // process(NULL) was called
};

static int make_packet(struct toy *t)
{
    if (t->seen == t->make)
        return 0;
    t->seen++;
    AVPacket *packet = av_packet_alloc();
    assert_non_null(packet);
    packet->pts = t->seen;
    int r =
        stage_send_all(&t->stage, item_packet(packet, (AVRational){1, 1000}));
    return r < 0 ? r : 1;
}

static int process(struct stage *s, struct item *item, struct error *e)
{
    struct toy *t = (struct toy *)s;

    if (!s->in)
        return make_packet(t);
    if (!item) {
        t->ended = true;
        return 0;
    }
    t->seen++;
    if (t->seen == t->fail_at) {
        item_destroy(item);
        return error_set(e, -EBADMSG, "packet %d is bad", t->seen);
    }
    if (t->seen == t->stop_at) {
        item_destroy(item);
        return 0;
    }
    int r = 0;
    if (s->out_count)
        r = stage_send_all(s, item);
    else
        item_destroy(item);
    return r < 0 ? r : 1;
}

static void destroy(struct stage *s)
{
    stage_fini(s);
}

static const struct stage_ops ops = {
    .kind = "toy",
    .blame = OUTCOME_BAD_INPUT,
    .process = process,
    .destroy = destroy,
};

struct runner {
    pthread_t thread;
    struct toy *toy;
    struct error error;
    int result;
};

static void *run(void *opaque)
{
    struct runner *r = opaque;

    r->result = stage_run(&r->toy->stage, &r->error);
    return NULL;
}

/* source ─► middle ─┬─► sink
 *                   └─► other */
enum { SOURCE, MIDDLE, SINK, OTHER, TOYS };

struct line {
    struct toy toys[TOYS];
    struct runner runners[TOYS];
    struct queue *queues[TOYS]; // what each receives from
};

static void line_run(struct line *l)
{
    static const char *const names[TOYS] = {"source", "middle", "sink",
                                            "other"};

    for (int i = 0; i < TOYS; i++) {
        stage_init(&l->toys[i].stage, &ops, "%s", names[i]);
        if (i == SOURCE)
            continue;
        l->queues[i] = queue_create(2, 1, item_destroy);
        l->toys[i].stage.in = l->queues[i];
        stage_connect(&l->toys[i == MIDDLE ? SOURCE : MIDDLE].stage,
                      l->queues[i]);
    }
    for (int i = 0; i < TOYS; i++) {
        l->runners[i].toy = &l->toys[i];
        assert_int_equal(
            pthread_create(&l->runners[i].thread, NULL, run, &l->runners[i]),
            0);
    }
    for (int i = 0; i < TOYS; i++)
        pthread_join(l->runners[i].thread, NULL);
}

static void line_fini(struct line *l)
{
    for (int i = 0; i < TOYS; i++) {
        stage_destroy(&l->toys[i].stage);
        queue_destroy(l->queues[i]);
    }
}

static void stage_run__end_of_stream__reaches_everybody(void **state)
{
    struct line l = {.toys[SOURCE].make = 100};

    (void)state;
    line_run(&l);
    for (int i = 0; i < TOYS; i++) {
        assert_int_equal(l.runners[i].result, 0);
        assert_int_equal(l.toys[i].seen, 100);
        assert_int_equal(l.toys[i].ended, i != SOURCE);
    }
    line_fini(&l);
}

static void stage_run__middle_fails__sinks_are_not_completed(void **state)
{
    struct line l = {.toys[SOURCE].make = 1000, .toys[MIDDLE].fail_at = 50};

    (void)state;
    line_run(&l);
    assert_int_equal(l.runners[SOURCE].result, 0); // nobody wanted the rest
    assert_true(l.toys[SOURCE].seen < 1000);
    assert_int_equal(l.runners[MIDDLE].result, -EBADMSG);
    assert_string_equal(l.runners[MIDDLE].error.text,
                        "middle: packet 50 is bad");
    for (int i = SINK; i < TOYS; i++) {
        assert_int_equal(l.runners[i].result, -ECANCELED);
        assert_false(l.toys[i].ended);
    }
    line_fini(&l);
}

static void stage_run__one_sink_stops_early__the_other_gets_all(void **state)
{
    struct line l = {.toys[SOURCE].make = 500, .toys[SINK].stop_at = 3};

    (void)state;
    line_run(&l);
    for (int i = 0; i < TOYS; i++)
        assert_int_equal(l.runners[i].result, 0);
    assert_int_equal(l.toys[SINK].seen, 3);
    assert_int_equal(l.toys[OTHER].seen, 500);
    assert_true(l.toys[OTHER].ended);
    line_fini(&l);
}

static void stage_run__all_sinks_stop_early__source_stops_too(void **state)
{
    struct line l = {
        .toys[SOURCE].make = 100000,
        .toys[SINK].stop_at = 3,
        .toys[OTHER].stop_at = 5,
    };

    (void)state;
    line_run(&l);
    for (int i = 0; i < TOYS; i++)
        assert_int_equal(l.runners[i].result, 0);
    assert_true(l.toys[SOURCE].seen < 100000);
    line_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stage_run__end_of_stream__reaches_everybody),
        cmocka_unit_test(stage_run__middle_fails__sinks_are_not_completed),
        cmocka_unit_test(stage_run__one_sink_stops_early__the_other_gets_all),
        cmocka_unit_test(stage_run__all_sinks_stop_early__source_stops_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
