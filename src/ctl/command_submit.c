#include <stdio.h>

#include <jansson.h>

#include "base/error.h"
#include "command.h"
#include "jobfile.h"
#include "session.h"
#include "stream.h"
#include "wire/interface.h"

static void print_id(const json_t *answer)
{
    (void)printf("%" JSON_INTEGER_FORMAT "\n",
                 json_integer_value(json_object_get(answer, "id")));
}

static enum status run(const struct invocation *v)
{
    struct error e = {0};
    json_t *job;

    if (jobfile_read(&job, v->operands[0], &e) < 0) {
        status_complain(&e);
        return STATUS_REFUSED;
    }
    if (v->settings.priority)
        (void)json_object_set_new(job, "priority",
                                  json_string(v->settings.priority));

    json_t *parameters = json_pack("{soso}", "job", job, "detach", json_true());
    if (v->settings.follow)
        return stream_call(v, INTERFACE_SUBMIT, parameters, STREAM_ONE_JOB);
    return session_query(v, INTERFACE_SUBMIT, parameters, print_id);
}

// clang-format off
static const struct flag flags[] = {
    FLAG_SWITCH(follow, 'f', "Show how it goes, and end as the job ends"),
    FLAG_TEXT(priority, 0, "CLASS", "realtime, normal or batch"),
    FLAG_END
};
// clang-format on

const struct command command_submit = {
    .name = "submit",
    .operands = "FILE|-",
    .help = "Hand in a job that outlives this command, and print its id",
    .least = 1,
    .most = 1,
    .flags = flags,
    .run = run,
};
