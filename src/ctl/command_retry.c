#include "command.h"
#include "session.h"
#include "wire/interface.h"

static enum status run(const struct invocation *v)
{
    return session_each_id(v, INTERFACE_RETRY);
}

const struct command command_retry = {
    .name = "retry",
    .operands = "ID",
    .help = "Queue a job that has ended once more",
    .least = 1,
    .most = 1,
    .run = run,
};
