/*
 * journal: log lines to systemd's journal, with the fields of their handles, so
 * that `journalctl TRANSCODED_JOB=17` is the whole story of a job.
 */
#ifndef DAEMON_JOURNAL_H
#define DAEMON_JOURNAL_H

/* From now on, where standard error is the journal. Before any second thread.
 */
void journal_start(void);

#endif
