#include "journal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

#define ENTRY_MOST 8192 // bytes; a longer one is cut
#define VALUE_MOST 96   // of all but the message
#define WARNING    4    // of syslog(3)

struct journal {
    int fd; // owned
    struct address to;
    atomic_llong lost; // lines that are to be told of
};

/* NAME=VALUE lines, as systemd's documentation of its native protocol has them:
 * no value of ours has a line's end in it. */
struct entry {
    char text[ENTRY_MOST];
    size_t used;
};

static void add(struct entry *e, const char *name, const char *value, int most)
{
    size_t room = sizeof(e->text) - e->used;

    if (!value || !value[0])
        return;
    int n = snprintf(e->text + e->used, room, "%s=%.*s\n", name, most, value);
    if (n > 0 && (size_t)n < room)
        e->used += (size_t)n;
}

static void begin(struct entry *e, int priority, const char *line)
{
    char number[4];

    e->used = 0;
    (void)snprintf(number, sizeof(number), "%d", priority);
    add(e, "MESSAGE", line, ENTRY_MOST / 2);
    add(e, "PRIORITY", number, VALUE_MOST);
    add(e, "SYSLOG_IDENTIFIER", "transcoded", VALUE_MOST);
}

/* 0 or -errno. */
static int send_entry(const struct journal *j, const struct entry *e)
{
    ssize_t n = sendto(j->fd, e->text, e->used, MSG_NOSIGNAL,
                       (const struct sockaddr *)&j->to.name, j->to.size);

    return n < 0 ? -errno : 0;
}

static void tell_lost(struct journal *j)
{
    long long lost = atomic_exchange(&j->lost, 0);
    struct entry e;
    char line[96];

    if (lost == 0)
        return;
    (void)snprintf(line, sizeof(line),
                   "%lld lines were lost: the journal did not take them", lost);
    begin(&e, WARNING, line);
    if (send_entry(j, &e) < 0)
        (void)atomic_fetch_add(&j->lost, lost);
}

static int send_line(void *user, const struct log *l, int priority,
                     const char *line)
{
    struct journal *j = user;
    struct entry e;

    tell_lost(j);
    begin(&e, priority, line);
    for (; l; l = l->parent) {
        for (const struct log_field *f = l->fields; f && f->name; f++)
            add(&e, f->name, f->value, VALUE_MOST);
    }
    int r = send_entry(j, &e);
    if (r != -EAGAIN && r != -ENOBUFS)
        return r;
    // nor to standard error: who reads that is the same
    (void)atomic_fetch_add(&j->lost, 1);
    return 0;
}

struct journal *journal_start(const char *address)
{
    struct journal *j = xcalloc(1, sizeof(*j));

    j->fd = -1;
    if (address_parse(&j->to, address) == 0)
        j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (j->fd < 0) {
        free(j);
        return NULL;
    }
    log_set_sink(send_line, j);
    return j;
}

void journal_stop(struct journal *j)
{
    if (!j)
        return;
    log_set_sink(NULL, NULL);
    fd_close(&j->fd);
    free(j);
}
