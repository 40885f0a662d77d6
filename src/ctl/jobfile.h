/*
 * jobfile: a job's JSON document from a file, read bounded and checked as JSON.
 *
 * What its fields mean is model/job's affair and the daemon's.
 */
#ifndef CTL_JOBFILE_H
#define CTL_JOBFILE_H

struct error;
struct json_t;

/*
 * Read @path, "-" being standard input. *@ret is a new reference to an object.
 * 0, or -errno with words that name the file, and line and column of what is
 * no JSON.
 */
int jobfile_read(struct json_t **ret, const char *path, struct error *e);

#endif
