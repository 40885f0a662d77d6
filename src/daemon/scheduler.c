#include "scheduler.h"

#include <stdio.h>
#include <string.h>

struct backlog_job *scheduler_next(const struct scheduler_load *load,
                                   const struct limits *limits,
                                   const struct backlog *backlog, int64_t now)
{
    if (load->attempts >= limits->attempts)
        return NULL;

    struct backlog_job *j = backlog_next(backlog, now - limits->batch_age,
                                         limits->attempts_per_uid);
    if (!j || j->job.priority == JOB_REALTIME)
        return j;
    // inspected jobs hold a process each: not more of them than can go on soon
    return load->ungranted < limits->cpu_jobs ? j : NULL;
}

bool scheduler_has_room(const struct scheduler_load *load,
                        const struct limits *limits, int64_t own,
                        int64_t *ret_limit)
{
    if (own >= limits->attempts_per_uid) {
        *ret_limit = limits->attempts_per_uid;
        return false;
    }
    *ret_limit = limits->attempts;
    return load->attempts < limits->attempts;
}

bool scheduler_takes_slot(const struct need *need)
{
    return need->rendition_count > 0;
}

bool scheduler_grant(const struct scheduler_load *load,
                     const struct limits *limits, enum job_priority priority,
                     const struct need *need, struct grant *ret)
{
    if (scheduler_takes_slot(need) && priority != JOB_REALTIME &&
        load->cpu_jobs >= limits->cpu_jobs)
        return false;

    memset(ret, 0, sizeof(*ret));
    (void)snprintf(ret->device, sizeof(ret->device), "cpu");
    ret->threads = (int32_t)limits->cpu_threads;
    return true;
}
