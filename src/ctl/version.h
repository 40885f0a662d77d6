/*
 * version: numbers with dots between them, "470.256.02".
 */
#ifndef CTL_VERSION_H
#define CTL_VERSION_H

/* < 0, 0 or > 0, number by number. */
int version_compare(const char *a, const char *b);

/* The first number; 0 where there is none. */
int version_first(const char *s);

#endif
