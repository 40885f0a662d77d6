#include "wire/channel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define CODE_MOST 4095 // the kernel's own bound of an errno

static const struct {
    const char *name;
    bool numbers; // it has a second one
} roles[CHANNEL_ROLE_COUNT] = {
    [CHANNEL_INPUT] = {"input", false},
    [CHANNEL_OUTPUT] = {"output", false},
    [CHANNEL_SUBTITLE] = {"subtitle", false},
    [CHANNEL_FONT] = {"font", false},
    [CHANNEL_SEGMENT] = {"segment", true},
    [CHANNEL_INIT] = {"init", false},
    [CHANNEL_PLAYLIST] = {"playlist", false},
};

/* The word in front of a role; opening has none. */
static const char *const verbs[CHANNEL_VERB_COUNT] = {
    [CHANNEL_ATTEMPT] = "attempt ",
    [CHANNEL_OPEN] = "",
    [CHANNEL_DONE] = "done ",
    [CHANNEL_ABORT] = "abort ",
};

const char *channel_role_name(enum channel_role role)
{
    return roles[role].name;
}

size_t channel_format_request(const struct channel_request *q,
                              char ret[CHANNEL_MOST])
{
    const char *verb = verbs[q->verb];
    int n;

    if (q->verb == CHANNEL_ATTEMPT)
        n = snprintf(ret, CHANNEL_MOST, "%s%" PRId32, verb, q->number);
    else if (!roles[q->role].numbers)
        n = snprintf(ret, CHANNEL_MOST, "%s%s %" PRId32, verb,
                     roles[q->role].name, q->number);
    else
        n = snprintf(ret, CHANNEL_MOST, "%s%s %" PRId32 " %" PRId32, verb,
                     roles[q->role].name, q->number, q->second);
    return (size_t)n;
}

size_t channel_format_reply(const struct channel_reply *p,
                            char ret[CHANNEL_MOST])
{
    char request[CHANNEL_MOST];
    char text[sizeof(p->text)];
    int n;

    channel_format_request(&p->request, request);
    if (p->code == 0) {
        n = snprintf(ret, CHANNEL_MOST, "ok %s", request);
        return (size_t)n;
    }
    // words hold names of files: one line, and UTF-8 even where they were cut
    text_escape(p->text, text, sizeof(text));
    n = snprintf(ret, CHANNEL_MOST, "error %s %d %s", request, -p->code, text);
    return (size_t)n;
}

/* What is left of a packet; the packet has no NUL, but is followed by one. */
struct rest {
    const char *p;
};

static bool take_word(struct rest *rest, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(rest->p, word, length) != 0)
        return false;
    rest->p += length;
    return true;
}

/* One way to write a number: no sign, no leading zero. */
static bool take_number(struct rest *rest, int32_t *ret)
{
    int64_t n = 0;
    const char *p = rest->p;

    if (*p == '0') {
        p++;
    } else {
        for (; *p >= '0' && *p <= '9' && n <= INT32_MAX; p++)
            n = n * 10 + (*p - '0');
    }
    if (p == rest->p || n > INT32_MAX)
        return false;
    rest->p = p;
    *ret = (int32_t)n;
    return true;
}

static bool take_role(struct rest *rest, struct channel_request *ret)
{
    for (int i = 0; i < CHANNEL_ROLE_COUNT; i++) {
        if (!take_word(rest, roles[i].name))
            continue;
        ret->role = (enum channel_role)i;
        ret->second = -1;
        return take_word(rest, " ") && take_number(rest, &ret->number) &&
               (!roles[i].numbers ||
                (take_word(rest, " ") && take_number(rest, &ret->second)));
    }
    return false;
}

static bool take_request(struct rest *rest, struct channel_request *ret)
{
    *ret = (struct channel_request){.second = -1};
    if (take_word(rest, verbs[CHANNEL_ATTEMPT])) {
        ret->verb = CHANNEL_ATTEMPT;
        return take_number(rest, &ret->number);
    }
    ret->verb = take_word(rest, verbs[CHANNEL_DONE])    ? CHANNEL_DONE
                : take_word(rest, verbs[CHANNEL_ABORT]) ? CHANNEL_ABORT
                                                        : CHANNEL_OPEN;
    return take_role(rest, ret);
}

/* Words as text_escape() leaves them, and no more than fit. */
static bool take_text(struct rest *rest, char *ret, size_t size)
{
    text_escape(rest->p, ret, size);
    if (strcmp(ret, rest->p) != 0)
        return false;
    rest->p += strlen(rest->p);
    return true;
}

static bool take_reply(struct rest *rest, struct channel_reply *ret)
{
    int32_t code;

    *ret = (struct channel_reply){0};
    if (take_word(rest, "ok "))
        return take_request(rest, &ret->request);
    if (!take_word(rest, "error ") || !take_request(rest, &ret->request) ||
        !take_word(rest, " ") || !take_number(rest, &code) ||
        !take_word(rest, " "))
        return false;
    ret->code = -code;
    return code > 0 && code <= CODE_MOST &&
           take_text(rest, ret->text, sizeof(ret->text));
}

/* A copy that ends with a NUL, or false when it is no packet of ours at all. */
static bool terminate(char ret[CHANNEL_MOST + 1], const char *packet,
                      size_t size)
{
    if (size == 0 || size > CHANNEL_MOST || memchr(packet, '\0', size))
        return false;
    memcpy(ret, packet, size);
    ret[size] = '\0';
    return true;
}

static int refuse(const char *what, const char *packet, size_t size,
                  struct error *e)
{
    char start[64];
    char shown[128];

    (void)snprintf(start, sizeof(start), "%.*s", (int)(size < 60 ? size : 60),
                   size ? packet : "");
    text_escape(start, shown, sizeof(shown));
    return error_set(e, -EPROTO, "not a %s of the file channel: '%s'", what,
                     shown);
}

int channel_parse_request(struct channel_request *ret, const char *packet,
                          size_t size, struct error *e)
{
    char text[CHANNEL_MOST + 1];
    struct rest rest = {.p = text};
    struct channel_request q;

    if (!terminate(text, packet, size) || !take_request(&rest, &q) || *rest.p)
        return refuse("request", packet, size, e);
    *ret = q;
    return 0;
}

int channel_parse_reply(struct channel_reply *ret, const char *packet,
                        size_t size, struct error *e)
{
    char text[CHANNEL_MOST + 1];
    struct rest rest = {.p = text};
    struct channel_reply p;

    if (!terminate(text, packet, size) || !take_reply(&rest, &p) || *rest.p)
        return refuse("reply", packet, size, e);
    *ret = p;
    return 0;
}
