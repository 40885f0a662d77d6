/*
 * journal: log lines to systemd's journal, with the fields of their handles, so
 * that `journalctl TRANSCODED_JOB=17` is the whole story of a job.
 *
 * A journal that reads nothing costs lines, never time: how many is said once
 * it reads again.
 */
#ifndef DAEMON_JOURNAL_H
#define DAEMON_JOURNAL_H

#define JOURNAL_ADDRESS "/run/systemd/journal/socket"

struct journal;

/* From now on, where standard error is the journal, whose socket is @address.
 * Before any second thread. NULL: there is no way to it. */
struct journal *journal_start(const char *address);

/* When no other thread logs any more. NULL is allowed. */
void journal_stop(struct journal *j);

#endif
