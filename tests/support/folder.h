/*
 * folder: a temporary folder of a test's own. All of these assert.
 */
#ifndef SUPPORT_FOLDER_H
#define SUPPORT_FOLDER_H

#include <stddef.h>
#include <sys/types.h>

#define NOBODY 65534

/* A new one below TMPDIR or /tmp, which everybody may enter; its path is the
 * caller's, for folder_remove(). */
char *folder_create(void);

/* With all that is in it; frees @folder. */
void folder_remove(char *folder);

/* "FOLDER/NAME"; lives until the eighth call after this one. */
const char *folder_path(const char *folder, const char *name);

/* Make or replace a file. */
void folder_put(const char *folder, const char *name, const char *text);

/* The names in it, sorted, with a blank between them; lives as above. */
const char *folder_list(const char *folder);

/* The beginning of a file, "(none)" when it is not there; lives as above. */
const char *folder_get(const char *folder, const char *name);

/* Run @body in a child as nobody, in no group of ours: its exit status. -1
 * where the test does not run as root; it should be skipped then. */
int folder_as_nobody(int (*body)(void *user), void *user);

#endif
