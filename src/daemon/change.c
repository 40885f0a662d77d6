#include "change.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "connection.h"
#include "daemon.h"
#include "dispatcher.h"
#include "reply.h"
#include "store/store.h"

struct change {
    struct dispatcher *dispatcher; // not owned
    struct call *call;             // owned
    int64_t id;
    change_undo *undo;
};

static void on_stored(void *user, int result, const struct error *e)
{
    struct change *c = user;
    struct backlog_job *row = dispatcher_find(c->dispatcher, c->id);

    if (result < 0 && row)
        c->undo(c->dispatcher, row);
    if (result < 0)
        reply_unavailable(c->call, e);
    else
        call_reply(c->call, NULL);
    free(c);
}

void change_save(struct dispatcher *j, const struct backlog_job *row,
                 struct call *call, change_undo *undo)
{
    struct change *c = xcalloc(1, sizeof(*c));

    c->dispatcher = j;
    c->call = call;
    c->id = row->job.id;
    c->undo = undo;
    store_update(j->daemon->store, &row->job, OUTCOME_NONE, on_stored, c);
    dispatcher_tell_state(j, row);
}
