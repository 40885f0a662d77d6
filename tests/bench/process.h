/*
 * process: other programs, and what they cost.
 */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

struct error;

/* What one run cost. */
struct sample {
    double wall; // s
    double cpu;  // s, user and system
    double rss;  // bytes at the peak, of the largest process
};

/* A command is words with single blanks between them; there is no shell. */

/* Start @command in the folder @folder with standard output and error in
 * @log (NULL: as ours), and @preload (NULL: nothing) under LD_PRELOAD. */
int process_start(pid_t *ret, const char *folder, const char *command,
                  const char *log, const char *preload, struct error *e);

/* Run @count commands at once, until the last one has ended; each must end
 * with 0. @ret is their sum, but for rss. */
int process_run(struct sample *ret, const char *folder,
                const char *const *commands, size_t count, struct error *e);

/* What it writes on standard output; the caller frees. */
int process_output(char **ret, const char *folder, const char *command,
                   struct error *e);

// What the kernel says of a process; negative when it is gone.
double process_cpu(pid_t pid); // s, with the children it has waited for
double process_memory(pid_t pid, const char *key); // bytes, "VmHWM", "VmRSS"
/* Its children's ids into @ret, at most @room; how many. */
size_t process_children(pid_t pid, pid_t *ret, size_t room);

#endif
