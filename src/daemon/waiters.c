#include "waiters.h"

#include "base/list.h"
#include "connection.h"
#include "reply.h"

/* The first call of the list, which it leaves; NULL: none is left. */
static struct call *next_call(struct list *calls)
{
    if (list_empty(calls))
        return NULL;
    struct list *link = calls->next;
    list_remove(link);
    return list_entry(link, struct call, link);
}

void waiters_reply(struct list *calls)
{
    struct call *call;

    while ((call = next_call(calls)))
        call_reply(call, NULL);
}

void waiters_refuse(struct list *calls, enum state state)
{
    struct call *call;

    while ((call = next_call(calls)))
        reply_wrong_state(call, state);
}

void waiters_fail(struct list *calls, const struct error *e)
{
    struct call *call;

    while ((call = next_call(calls)))
        reply_unavailable(call, e);
}

void waiters_end(struct list *calls)
{
    struct call *call;

    while ((call = next_call(calls)))
        call_end(call);
}
