#include "reply.h"

#include <jansson.h>

#include "base/error.h"
#include "connection.h"
#include "wire/interface.h"

void reply_invalid_job(struct call *call, const struct error *e)
{
    call_fail(call, INTERFACE_INVALID_JOB,
              json_pack("{s:s, s:s}", "field", e->field, "reason", e->text));
}

void reply_no_such_job(struct call *call, int64_t id)
{
    call_fail(call, INTERFACE_NO_SUCH_JOB,
              json_pack("{s:I}", "id", (json_int_t)id));
}

void reply_wrong_state(struct call *call, enum state state)
{
    call_fail(call, INTERFACE_WRONG_STATE,
              json_pack("{s:s}", "state", state_name(state)));
}

void reply_not_permitted(struct call *call, const char *reason)
{
    call_fail(call, INTERFACE_NOT_PERMITTED,
              json_pack("{s:s}", "reason", reason));
}

void reply_too_many(struct call *call, int64_t limit)
{
    call_fail(call, INTERFACE_TOO_MANY,
              json_pack("{s:I}", "limit", (json_int_t)limit));
}

void reply_shutting_down(struct call *call)
{
    call_fail(call, INTERFACE_SHUTTING_DOWN, NULL);
}

void reply_unavailable(struct call *call, const struct error *e)
{
    call_fail(call, INTERFACE_UNAVAILABLE,
              json_pack("{s:s}", "reason", e->text));
}

void reply_invalid_parameter(struct call *call, const char *name)
{
    call_fail(call, INTERFACE_INVALID_PARAMETER,
              json_pack("{s:s}", "parameter", name));
}
