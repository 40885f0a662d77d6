#include "command.h"
#include "session.h"
#include "wire/interface.h"

static enum status run(const struct invocation *v)
{
    return session_each_id(v, INTERFACE_PAUSE);
}

const struct command command_pause = {
    .name = "pause",
    .operands = "ID",
    .help = "Hold a job where it is",
    .least = 1,
    .most = 1,
    .run = run,
};
