#include "version.h"

#include <stdlib.h>

int version_compare(const char *a, const char *b)
{
    for (;;) {
        char *after_a;
        char *after_b;
        long x = strtol(a, &after_a, 10);
        long y = strtol(b, &after_b, 10);

        if (x != y)
            return x < y ? -1 : 1;
        if (*after_a != '.' && *after_b != '.')
            return 0;
        a = after_a + (*after_a == '.');
        b = after_b + (*after_b == '.');
    }
}

int version_first(const char *s)
{
    return (int)strtol(s, NULL, 10);
}
