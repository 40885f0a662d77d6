#include "support/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "address.h"

int mailbox_open(const char *path)
{
    struct address a;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_int_equal(address_parse(&a, path), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a.name, a.size), 0);
    return fd;
}

const char *mailbox_next(int fd)
{
    static char text[16384];
    ssize_t n = read(fd, text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    return text;
}
