#include "followers.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>

#include "access.h"
#include "base/list.h"
#include "base/memory.h"
#include "connection.h"

#define BEHIND (64 << 10) // unread bytes from which on progress is left out

struct followers {
    struct list all;                  // of followers, owned
    const struct access_rules *rules; // not owned
};

struct follower {
    struct list link;  // followers.all
    struct call *call; // owned
    int64_t id;        // of the job, 0: all
    void (*gone)(void *user);
    void *user;
};

struct followers *followers_create(const struct access_rules *rules)
{
    struct followers *f = xcalloc(1, sizeof(*f));

    list_init(&f->all);
    f->rules = rules;
    return f;
}

static void follower_free(struct follower *one)
{
    list_remove(&one->link);
    free(one);
}

void followers_destroy(struct followers *f)
{
    if (!f)
        return;
    list_foreach (link, next, &f->all) {
        struct follower *one = list_entry(link, struct follower, link);
        call_end(one->call);
        follower_free(one);
    }
    free(f);
}

static void on_hung_up(void *user)
{
    struct follower *one = user;
    void (*gone)(void *) = one->gone;
    void *gone_user = one->user;

    call_end(one->call);
    follower_free(one);
    if (gone)
        gone(gone_user);
}

void followers_add(struct followers *f, struct call *call, int64_t id,
                   void (*gone)(void *user), void *user)
{
    struct follower *one = xcalloc(1, sizeof(*one));

    one->call = call;
    one->id = id;
    one->gone = gone;
    one->user = user;
    list_append(&f->all, &one->link);
    call->hung_up = on_hung_up;
    call->user = one;
    if (!call_is_heard(call)) // it was faster
        on_hung_up(one);
}

static bool concerns(const struct followers *f, const struct follower *one,
                     uid_t owner, int64_t id)
{
    if (one->id)
        return one->id == id;
    return access_role(f->rules, &one->call->peer, owner) != ACCESS_STRANGER;
}

void followers_tell(struct followers *f, uid_t owner, int64_t id,
                    enum event_kind kind, const struct json_t *event)
{
    json_t *parameters = json_object();

    json_object_set(parameters, "event", (json_t *)(size_t)event);
    list_foreach (link, next, &f->all) {
        struct follower *one = list_entry(link, struct follower, link);
        if (!concerns(f, one, owner, id))
            continue;
        if (kind == EVENT_PROGRESS && call_unread(one->call) > BEHIND)
            continue;
        if (one->id && kind == EVENT_OUTCOME) {
            call_reply(one->call, json_incref(parameters));
            follower_free(one);
        } else {
            call_continue(one->call, parameters);
        }
    }
    json_decref(parameters);
}
