#include "command.h"
#include "session.h"
#include "wire/interface.h"

static enum status run(const struct invocation *v)
{
    return session_query(v, INTERFACE_UNDRAIN, NULL, NULL);
}

const struct command command_undrain = {
    .name = "undrain",
    .operands = "",
    .help = "Start jobs again",
    .run = run,
};
