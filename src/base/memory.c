#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
    if (!p) {
        (void)fputs("<2>out of memory\n", stderr);
        abort();
    }
    return p;
}

void *xcalloc(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = (size_t)-1; // realloc refuses it, and checked() says so
    return checked(realloc(p, bytes ? bytes : 1));
}

void *xmemdup(const void *p, size_t size)
{
    void *copy = xcalloc(1, size);

    if (size)
        memcpy(copy, p, size);
    return copy;
}

char *xstrdup(const char *s)
{
    return s ? xmemdup(s, strlen(s) + 1) : NULL;
}

char *xstrndup(const char *s, size_t length)
{
    return checked(strndup(s, length));
}

char *xasprintf(const char *format, ...)
{
    va_list ap;
    char *s = NULL;

    va_start(ap, format);
    int length = vasprintf(&s, format, ap);
    va_end(ap);
    return checked(length < 0 ? NULL : s);
}

void *xgrow(void *array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity)
        return array;

    size_t wanted = *capacity ? *capacity : 8;
    while (wanted < need && !__builtin_mul_overflow(wanted, 2, &wanted))
        ;
    if (wanted < need)
        wanted = need;
    array = xrealloc(array, wanted, size);
    *capacity = wanted;
    return array;
}
