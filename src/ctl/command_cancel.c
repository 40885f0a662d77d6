#include "command.h"
#include "session.h"
#include "wire/interface.h"

static enum status run(const struct invocation *v)
{
    return session_each_id(v, INTERFACE_CANCEL);
}

const struct command command_cancel = {
    .name = "cancel",
    .operands = "ID...",
    .help = "End jobs",
    .least = 1,
    .most = COMMAND_OPERANDS_MOST,
    .run = run,
};
