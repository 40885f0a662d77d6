#include "backlog.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

struct owner {
    uid_t uid;
    size_t jobs;     // that have not ended
    size_t attempts; // that run
    struct list queues[JOB_PRIORITY_COUNT][BACKLOG_LANES]; // of backlog_job,
                                                           // not owned
};

/* Jobs by id: open addressing, a power of two of slots, at most half full. */
struct backlog {
    struct backlog_job **slots; // the jobs are owned
    size_t room;
    size_t count;
    struct owner **owners; // owned; few
    size_t owner_count;
    size_t owner_room;
    int64_t last_ticket;
};

// clang-format off
static const enum job_priority class_order[] = {
    JOB_REALTIME, JOB_NORMAL, JOB_BATCH,
};
// clang-format on
#define CLASSES (sizeof(class_order) / sizeof(class_order[0]))

struct backlog *backlog_create(void)
{
    struct backlog *b = xcalloc(1, sizeof(*b));

    b->room = 64;
    b->slots = xcalloc(b->room, sizeof(*b->slots));
    return b;
}

void backlog_destroy(struct backlog *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->room; i++)
        free(b->slots[i]);
    for (size_t i = 0; i < b->owner_count; i++)
        free(b->owners[i]);
    free(b->slots);
    free(b->owners);
    free(b);
}

static size_t home_of(const struct backlog *b, int64_t id)
{
    // ids count up: neighbours would otherwise form one long run
    return (size_t)(((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
           (b->room - 1);
}

/* Where @id is, or where it would go. */
static size_t slot_of(const struct backlog *b, int64_t id)
{
    size_t i = home_of(b, id);

    while (b->slots[i] && b->slots[i]->job.id != id)
        i = (i + 1) & (b->room - 1);
    return i;
}

static void grow(struct backlog *b)
{
    struct backlog_job **old = b->slots;
    size_t old_room = b->room;

    b->room *= 2;
    b->slots = xcalloc(b->room, sizeof(*b->slots));
    for (size_t i = 0; i < old_room; i++) {
        if (old[i])
            b->slots[slot_of(b, old[i]->job.id)] = old[i];
    }
    free(old);
}

/* Empty slot @hole, and move up what would not be found behind it. */
static void close_gap(struct backlog *b, size_t hole)
{
    size_t mask = b->room - 1;

    for (size_t i = (hole + 1) & mask; b->slots[i]; i = (i + 1) & mask) {
        size_t home = home_of(b, b->slots[i]->job.id);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            b->slots[hole] = b->slots[i];
            hole = i;
        }
    }
    b->slots[hole] = NULL;
}

static struct owner *find_owner(const struct backlog *b, uid_t uid)
{
    for (size_t i = 0; i < b->owner_count; i++) {
        if (b->owners[i]->uid == uid)
            return b->owners[i];
    }
    return NULL;
}

static struct owner *want_owner(struct backlog *b, uid_t uid)
{
    struct owner *o = find_owner(b, uid);

    if (o)
        return o;
    o = xcalloc(1, sizeof(*o));
    o->uid = uid;
    for (size_t p = 0; p < JOB_PRIORITY_COUNT; p++) {
        for (size_t l = 0; l < BACKLOG_LANES; l++)
            list_init(&o->queues[p][l]);
    }
    b->owners = xgrow(b->owners, &b->owner_room, b->owner_count + 1,
                      sizeof(*b->owners));
    b->owners[b->owner_count++] = o;
    return o;
}

static struct list *queue_of(const struct backlog_job *j)
{
    return &j->owner->queues[j->job.priority][j->lane];
}

static void enqueue(struct backlog_job *j)
{
    list_append(queue_of(j), &j->in_queue);
}

struct backlog_job *backlog_add(struct backlog *b, const struct store_job *job)
{
    struct backlog_job *j = xcalloc(1, sizeof(*j));

    if (2 * (b->count + 1) > b->room)
        grow(b);
    j->job = *job;
    j->owner = want_owner(b, job->uid);
    j->owner->jobs++;
    j->ticket = ++b->last_ticket;
    j->lane = (uint8_t)job->hardware;
    list_init(&j->in_queue);
    if (!job->held)
        enqueue(j);

    size_t slot = slot_of(b, job->id);
    assert(!b->slots[slot]);
    b->slots[slot] = j;
    b->count++;
    return j;
}

void backlog_remove(struct backlog *b, struct backlog_job *j)
{
    list_remove(&j->in_queue);
    j->owner->jobs--;
    if (j->started)
        j->owner->attempts--;
    close_gap(b, slot_of(b, j->job.id));
    b->count--;
    free(j);
}

struct backlog_job *backlog_find(const struct backlog *b, int64_t id)
{
    return b->slots[slot_of(b, id)];
}

void backlog_start(struct backlog *b, struct backlog_job *j)
{
    (void)b;
    assert(!j->started);
    list_remove(&j->in_queue);
    j->started = true;
    j->owner->attempts++;
}

void backlog_requeue(struct backlog *b, struct backlog_job *j)
{
    (void)b;
    assert(j->started);
    j->started = false;
    j->owner->attempts--;
    if (j->job.held)
        return;

    // it was first once: only jobs that started beside it can be before it
    struct list *queue = queue_of(j);
    struct list *before = queue;
    while (before->next != queue &&
           list_entry(before->next, struct backlog_job, in_queue)->ticket <
               j->ticket)
        before = before->next;
    list_insert(before, &j->in_queue);
}

void backlog_set_aside(struct backlog *b, struct backlog_job *j)
{
    (void)b;
    list_remove(&j->in_queue);
}

void backlog_hold(struct backlog *b, struct backlog_job *j)
{
    (void)b;
    assert(!j->started);
    j->job.held = true;
    list_remove(&j->in_queue);
}

void backlog_release(struct backlog *b, struct backlog_job *j)
{
    assert(!j->started);
    j->job.held = false;
    // at the end: to find its old place would be a walk over all others
    j->ticket = ++b->last_ticket;
    enqueue(j);
}

/* Of two jobs the earlier one; each may be NULL. */
static struct backlog_job *earlier(struct backlog_job *a, struct backlog_job *b)
{
    if (!a || !b)
        return a ? a : b;
    return a->ticket < b->ticket ? a : b;
}

/* The first of class @p in one of @lanes. */
static struct backlog_job *head_of(const struct owner *o, enum job_priority p,
                                   unsigned lanes)
{
    struct backlog_job *best = NULL;

    for (size_t l = 0; l < BACKLOG_LANES; l++) {
        const struct list *queue = &o->queues[p][l];
        if ((lanes & BACKLOG_LANE(l)) && !list_empty(queue))
            best = earlier(
                best, list_entry(queue->next, struct backlog_job, in_queue));
    }
    return best;
}

/* The first of class @p that @o has to offer. */
static struct backlog_job *first_of(const struct owner *o, enum job_priority p,
                                    int64_t aged, unsigned lanes)
{
    struct backlog_job *j =
        head_of(o, p, p == JOB_REALTIME ? BACKLOG_ANY : lanes);

    if (p != JOB_NORMAL)
        return j;
    struct backlog_job *old = head_of(o, JOB_BATCH, lanes);
    return earlier(j, old && old->job.created < aged ? old : NULL);
}

struct backlog_job *backlog_next(const struct backlog *b, int64_t aged,
                                 int64_t per_owner, unsigned lanes)
{
    for (size_t i = 0; i < CLASSES; i++) {
        struct backlog_job *best = NULL;
        for (size_t k = 0; k < b->owner_count; k++) {
            const struct owner *o = b->owners[k];
            if ((int64_t)o->attempts < per_owner)
                best = earlier(best, first_of(o, class_order[i], aged, lanes));
        }
        if (best)
            return best;
    }
    return NULL;
}

static int rank(enum job_priority p)
{
    int i = 0;

    while (class_order[i] != p)
        i++;
    return i;
}

int backlog_compare_class(enum job_priority a, enum job_priority b)
{
    return rank(a) - rank(b);
}

static enum job_priority class_of(const struct store_job *job, int64_t aged)
{
    return job->priority == JOB_BATCH && job->created < aged ? JOB_NORMAL
                                                             : job->priority;
}

bool backlog_is_before(const struct backlog_job *a, const struct backlog_job *b,
                       int64_t aged)
{
    int classes =
        backlog_compare_class(class_of(&a->job, aged), class_of(&b->job, aged));

    return classes ? classes < 0 : a->ticket < b->ticket;
}

size_t backlog_count(const struct backlog *b)
{
    return b->count;
}

size_t backlog_jobs_of(const struct backlog *b, uid_t uid)
{
    const struct owner *o = find_owner(b, uid);

    return o ? o->jobs : 0;
}

size_t backlog_attempts_of(const struct backlog *b, uid_t uid)
{
    const struct owner *o = find_owner(b, uid);

    return o ? o->attempts : 0;
}
