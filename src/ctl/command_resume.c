#include "command.h"
#include "session.h"
#include "wire/interface.h"

static enum status run(const struct invocation *v)
{
    return session_each_id(v, INTERFACE_RESUME);
}

const struct command command_resume = {
    .name = "resume",
    .operands = "ID",
    .help = "Let a paused job go on",
    .least = 1,
    .most = 1,
    .run = run,
};
