/*
 * watch: `transcoded-worker --watch`, which says each second what NVML knows
 * of every card: one sample (model/sample) a card, ended by NUL.
 */
#ifndef WORKER_WATCH_H
#define WORKER_WATCH_H

#define WATCH_ENDLESS 0

/*
 * Samples go to @fd, problems as words to the log. Ends when @fd does, after
 * @rounds of them, or when no card answers any more: the exit status, 1 when
 * there was nothing to watch.
 */
int watch_run(int fd, int rounds);

#endif
