/*
 * folders: can this process use the folders that the service is to read and to
 * write? For `Diagnose`. Nothing is left behind in them.
 */
#ifndef OPENER_FOLDERS_H
#define OPENER_FOLDERS_H

struct error;

/*
 * Read {"store": "/var/lib/transcoded", "read_roots": […], "write_roots": […]}
 * from @from, and write a document of model/diagnosis.h's folder, ended by NUL,
 * to @to for each, as soon as it is known: one may never answer. 0, or -errno
 * with words.
 */
int folders_run(int from, int to, struct error *e);

#endif
