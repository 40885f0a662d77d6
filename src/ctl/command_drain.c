#include "command.h"
#include "session.h"
#include "wire/interface.h"

static enum status run(const struct invocation *v)
{
    return session_query(v, INTERFACE_DRAIN, NULL, NULL);
}

const struct command command_drain = {
    .name = "drain",
    .operands = "",
    .help = "Accept and keep jobs, but start none",
    .run = run,
};
