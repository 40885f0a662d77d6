/*
 * diagnose: what a worker can see and reach where it was started: its user,
 * nodes, libraries, the driver, this libav. For `Diagnose`.
 *
 * Everything is tried in the way in which a job would use it, and told after
 * each step: whoever reads knows how far it came, should the driver hang.
 */
#ifndef WORKER_DIAGNOSE_H
#define WORKER_DIAGNOSE_H

struct sandbox_config;

/* Writes documents of model/diagnosis.h's process, each ended by NUL, to @fd;
 * the last one is whole. @config: how workers for jobs are confined. The exit
 * status of the program. */
int diagnose_run(int fd, const struct sandbox_config *config);

#endif
