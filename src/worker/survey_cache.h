/*
 * survey_cache: what earlier surveys found, in a file of the service's. Whoever
 * can write it can write the jobs, too; all the same it is read as a stranger's
 * bytes, and one that makes no sense is none.
 */
#ifndef WORKER_SURVEY_CACHE_H
#define WORKER_SURVEY_CACHE_H

struct error;
struct survey;

/* 0, and the caller calls survey_fini(), or -errno: there is nothing in it. */
int survey_cache_read(const char *path, struct survey *ret, struct error *e);

/* Keeps those devices of @s that are lasting. The file is replaced as a whole
 * or not at all. 0 or -errno with words. */
int survey_cache_write(const char *path, const struct survey *s,
                       struct error *e);

#endif
