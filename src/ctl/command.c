#include "command.h"

#include <string.h>

// clang-format off
const struct flag command_global_flags[] = {
    FLAG_TEXT(socket, 0, "PATH", "Where the service listens"),
    FLAG_SWITCH(json, 0, "Print JSON, one object a line, as the service sent it"),
    FLAG_SWITCH(help, 'h', "Show what can be said, and exit"),
    FLAG_SWITCH(version, 0, "Show the version, and exit"),
    FLAG_END
};
// clang-format on

const struct command *const commands[] = {
    &command_submit,
    &command_run,
    &command_plan,
    &command_list,
    &command_show,
    &command_follow,
    &command_cancel,
    &command_pause,
    &command_resume,
    &command_retry,
    &command_devices,
    &command_profiles,
    &command_report,
    &command_bench,
    &command_status,
    &command_drain,
    &command_undrain,
    &command_doctor,
    NULL,
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}
