/*
 * job_check: what the rows of the job table cannot say: paths that are none,
 * values that contradict each other, codecs that a container does not take.
 *
 * Profiles are checked by the same functions; what they leave out (paths, and
 * with them often the container) is no fault there.
 */
#ifndef MODEL_JOB_CHECK_H
#define MODEL_JOB_CHECK_H

struct error;
struct job;

/* 0, or -EINVAL with field and words. @job is a struct job. */
int job_check(const void *job, struct error *e);

/* Checks of single texts, for the rows: 0, or -EINVAL with words. */
int job_check_path(const char *path, struct error *e);
int job_check_text(const char *text, struct error *e); // no control characters
int job_check_name(const char *name, struct error *e); // of a profile
int job_check_device(const char *id, struct error *e); // of a GPU

#endif
