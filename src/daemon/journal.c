// The message is data here: no macro shall add where in the source we are.
#define SD_JOURNAL_SUPPRESS_LOCATION

#include "journal.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "base/log.h"

#define FIELDS_MOST 16
#define VALUE_MOST  96 // a longer one is cut

struct entry {
    struct iovec parts[FIELDS_MOST];
    int count;
    char texts[FIELDS_MOST][VALUE_MOST];
};

static void add_part(struct entry *e, const char *text)
{
    // sd_journal_sendv() only reads it
    e->parts[e->count++] = (struct iovec){(char *)text, strlen(text)};
}

static void add(struct entry *e, const char *name, const char *value)
{
    if (e->count == FIELDS_MOST || !value || !value[0])
        return;
    char *text = e->texts[e->count];
    (void)snprintf(text, VALUE_MOST, "%s=%s", name, value);
    add_part(e, text);
}

static int send_line(const struct log *l, int priority, const char *line)
{
    char message[8192];
    char number[4];
    struct entry e;

    e.count = 0;
    (void)snprintf(message, sizeof(message), "MESSAGE=%s", line);
    (void)snprintf(number, sizeof(number), "%d", priority);
    add_part(&e, message);
    add(&e, "PRIORITY", number);
    add(&e, "SYSLOG_IDENTIFIER", "transcoded");
    for (; l; l = l->parent) {
        for (const struct log_field *f = l->fields; f && f->name; f++)
            add(&e, f->name, f->value);
    }
    return sd_journal_sendv(e.parts, e.count);
}

void journal_start(void)
{
    log_set_sink(send_line);
}
