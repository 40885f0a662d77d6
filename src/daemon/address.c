#include "address.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

int address_parse(struct address *ret, const char *text)
{
    struct address a = {.name.sun_family = AF_UNIX};
    size_t length = strlen(text);

    if (text[0] != '/' && (text[0] != '@' || !text[1]))
        return -EINVAL;
    if (length >= sizeof(a.name.sun_path))
        return -ENAMETOOLONG;
    memcpy(a.name.sun_path, text, length);
    a.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (text[0] == '@')
        a.name.sun_path[0] = '\0'; // and its length is part of it
    else
        a.size++;
    *ret = a;
    return 0;
}
