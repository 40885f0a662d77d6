#include "attachment.h"
#include "command.h"
#include "session.h"
#include "stream.h"
#include "wire/client.h"
#include "wire/interface.h"

static enum status attend(const struct invocation *v, struct client *c,
                          struct attachment *a)
{
    enum status s = attachment_call(a, c, INTERFACE_SUBMIT);

    if (s != STATUS_GOOD)
        return s;
    const struct stream stream = {.invocation = v,
                                  .client = c,
                                  .files = attachment_files(a),
                                  .channel = attachment_take_channel(a),
                                  .interrupt = STREAM_CANCEL};
    return stream_run(&stream);
}

static enum status run(const struct invocation *v)
{
    struct client *c;
    struct attachment *a;
    enum status s = session_open(&c, v);

    if (s != STATUS_GOOD)
        return s;
    s = attachment_create(&a, v, c, v->operands[0]);
    if (s == STATUS_GOOD) {
        s = attend(v, c, a);
        attachment_destroy(a);
    }
    client_close(c);
    return s;
}

const struct command command_run = {
    .name = "run",
    .operands = "FILE|-",
    .help = "Do a job now, with your own rights; Ctrl-C cancels it",
    .least = 1,
    .most = 1,
    .run = run,
};
