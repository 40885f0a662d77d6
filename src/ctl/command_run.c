#include "attachment.h"
#include "command.h"
#include "stream.h"
#include "wire/interface.h"

static enum status attend(const struct invocation *v, struct client *c,
                          struct files *files, int channel, void *user)
{
    const struct stream stream = {.invocation = v,
                                  .client = c,
                                  .files = files,
                                  .channel = channel,
                                  .interrupt = STREAM_CANCEL};

    (void)user;
    return stream_run(&stream);
}

static enum status run(const struct invocation *v)
{
    return attachment_run(v, INTERFACE_SUBMIT, attend);
}

const struct command command_run = {
    .name = "run",
    .operands = "FILE|-",
    .help = "Do a job now, with your own rights; Ctrl-C cancels it",
    .least = 1,
    .most = 1,
    .run = run,
};
