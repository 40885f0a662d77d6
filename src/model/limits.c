#include "model/limits.h"

#include "base/clock.h"

#define MINUTE      (60 * SECOND)
#define HOUR        (60 * MINUTE)
#define DAY         (24 * HOUR)
#define KIB         INT64_C(1024)
#define MIB         (1024 * KIB)

#define AT(f)       .offset = OPTION_FIELD(struct limits, f, int64_t)
#define COUNT(f)    #f, OPTION_COUNT, AT(f)
#define DURATION(f) #f, OPTION_DURATION, AT(f)
#define SIZE(f)     #f, OPTION_SIZE, AT(f)

// clang-format off
const struct option limits_options[] = {
    {COUNT(clients), 1, 65536, "256",
     "Connections at the same time"},
    {COUNT(clients_per_uid), 1, 65536, "64",
     "Connections of one user at the same time"},
    {COUNT(jobs_per_uid), 1, 10000000, "100000",
     "Jobs of one user that have not ended"},
    {COUNT(attempts), 1, 256, "8",
     "Workers at the same time"},
    {COUNT(attempts_per_uid), 1, 256, "8",
     "Workers of one user at the same time"},
    {COUNT(cpu_jobs), 1, 64, "2",
     "Jobs that encode video on the CPU at the same time"},
    {COUNT(cpu_threads), 0, 1024, "0",
     "Threads for each of these jobs; 0 leaves it to the codecs"},
    {COUNT(tries), 1, 100, "3",
     "Attempts of one job that may fail before the job does"},
    {COUNT(interruptions), 1, 1000, "5",
     "Attempts of one job that a shutdown or a crash of the service may end"},
    {SIZE(write_queue), 64 * KIB, 1024 * MIB, "4M",
     "Bytes that a client may leave unread before it is cut off"},
    {DURATION(stall_timeout), SECOND, 600 * SECOND, "30s",
     "Stop a worker that has said nothing for this long"},
    {DURATION(start_timeout), SECOND, 600 * SECOND, "10s",
     "Stop a worker that has not begun to speak after this long"},
    {DURATION(survey_timeout), SECOND, 600 * SECOND, "60s",
     "Stop a survey of the GPUs that takes longer than this"},
    {DURATION(survey_wait), 0, 600 * SECOND, "5s",
     "Let jobs wait this long for the first survey before the CPU does them"},
    {DURATION(survey_again), 100 * MILLISECOND, HOUR, "10s",
     "Survey again after this long, and then longer, what a survey left open"},
    {DURATION(stop_grace), 10 * MILLISECOND, 60 * SECOND, "2s",
     "Wait this long before trying the next way to stop a worker"},
    {DURATION(stop_timeout), 0, HOUR, "20s",
     "Let running jobs end for this long when the service is stopped"},
    {DURATION(prefer_wait), 0, DAY, "1min",
     "Let a job that prefers a GPU wait this long for one"},
    {DURATION(batch_age), SECOND, 365 * DAY, "10min",
     "Treat a batch job that has waited this long as a normal one"},
    {SIZE(probe_size), 32 * KIB, 1024 * MIB, "5M",
     "Read no more than this of an input to find out what it is"},
    {DURATION(history_age), 0, 3650 * DAY, "30d",
     "Forget jobs that ended longer ago than this"},
    {COUNT(history_count), 0, 100000000, "100000",
     "Ended jobs that are kept"},
    {SIZE(worker_memory), 0, 1024 * 1024 * MIB, "8G",
     "Memory of a worker; 0 is no limit"},
    {COUNT(worker_tasks), 0, 1 << 22, "1024",
     "Threads of a worker, where it has a control group; 0 is no limit"},
    {COUNT(log_lines), 0, 1000, "20",
     "Last lines of a worker's log that are kept with its outcome"},
};
// clang-format on

const size_t limits_option_count =
    sizeof(limits_options) / sizeof(limits_options[0]);
