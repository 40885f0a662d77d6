/*
 * leave: the end of a process whose work is done.
 */
#ifndef WORKER_LEAVE_H
#define WORKER_LEAVE_H

struct reporter;

/*
 * Say that nothing is held any more that was lent (to @reporter, NULL: nobody
 * asks), and end the process: the system takes memory back faster than it can
 * be freed, and who waits for the job's end need not wait for that. Does
 * nothing where leaks are looked for:
 * there everything is freed as it should be.
 */
void leave_early(struct reporter *reporter);

#endif
