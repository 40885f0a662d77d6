/*
 * memory: small allocations that cannot fail, and arrays that grow.
 *
 * When memory is out the process aborts: a failed worker is one job, a failed
 * daemon is restarted with its store. Whatever input decides the size of has a
 * maximum of its own, checked before it comes here.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* Never return NULL; the caller frees with free(). */
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t count, size_t size);
void *xmemdup(const void *p, size_t size);
char *xstrndup(const char *s, size_t length);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A copy of @s; NULL stays NULL. */
char *xstrdup(const char *s);

/*
 * Make room for @need elements of @size bytes in @array with room for
 * *@capacity: returns the array, moved perhaps, and updates *@capacity. New
 * elements are not initialised.
 */
void *xgrow(void *array, size_t *capacity, size_t need, size_t size);

#endif
