#include <jansson.h>

#include "command.h"
#include "session.h"
#include "stream.h"
#include "wire/interface.h"

static enum status run(const struct invocation *v)
{
    int64_t id = 0;

    if (v->operand_count == 0)
        return stream_call(v, INTERFACE_FOLLOW, json_object(), STREAM_ALL_JOBS);
    enum status s = session_parse_id(&id, v->operands[0]);
    if (s != STATUS_GOOD)
        return s;
    return stream_call(v, INTERFACE_FOLLOW,
                       json_pack("{sI}", "id", (json_int_t)id), STREAM_ONE_JOB);
}

const struct command command_follow = {
    .name = "follow",
    .operands = "[ID]",
    .help = "Show how a job goes and end as it ends, or how all jobs go",
    .most = 1,
    .run = run,
};
