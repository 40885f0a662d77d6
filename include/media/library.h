/*
 * library: a library of NVIDIA's, loaded when it is asked for, never linked.
 *
 * What is used of it is a table: names, and the function pointers of a struct
 * that they go to. Whoever uses one declares what it needs of the library's
 * ABI itself: NVIDIA's headers are not free to ship, and the ABI only grows.
 */
#ifndef MEDIA_LIBRARY_H
#define MEDIA_LIBRARY_H

#include <stddef.h>

struct error;

enum library_want { LIBRARY_NEEDED, LIBRARY_OPTIONAL };

struct library_symbol {
    const char *name;
    size_t offset; // of the pointer in the struct
    enum library_want want;
};

/*
 * Load @file and fill the pointers of the struct at @base; of optional ones
 * that it lacks NULL. *@ret is for library_close(). 0, -ENOENT when it cannot
 * be loaded, -ENODEV when it lacks what is needed, with words.
 */
int library_open(void **ret, const char *file,
                 const struct library_symbol *symbols, size_t count, void *base,
                 struct error *e);
void library_close(void *library); // NULL is allowed

#endif
