/*
 * channel: the messages of the file channel between a job's worker and its
 * opener (DESIGN.md 5). A SOCK_SEQPACKET pair: one packet a message, plain
 * ASCII words; texts at the end of a line.
 *
 *   worker                    opener
 *   attempt N            ──►          what an earlier one began is aborted
 *                        ◄──  ok attempt N
 *   input 0              ──►
 *                        ◄──  ok input 0          + descriptor, O_RDONLY
 *                        ◄──  error input 0 2 cannot open '/x': No such file…
 *   output 0             ──►
 *                        ◄──  ok output 0         + descriptor, O_RDWR
 *   done output 0        ──►          synced, under its final name
 *                        ◄──  ok done output 0
 *   abort output 0       ──►          nothing is left of it
 *                        ◄──  ok abort output 0
 *
 * Roles may have a second number (`segment 0 12`). The worker never names a
 * path; the opener maps role and number to names that it knew before. A reply
 * repeats its request, so that a reply to a dead worker is not taken for one of
 * ours. Neither side trusts the other: both parse with these functions.
 */
#ifndef WIRE_CHANNEL_H
#define WIRE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

struct error;

#define CHANNEL_MOST 1024 // bytes of a packet

enum channel_verb {
    CHANNEL_ATTEMPT,
    CHANNEL_OPEN,
    CHANNEL_DONE,
    CHANNEL_ABORT,
    CHANNEL_VERB_COUNT
};

enum channel_role {
    CHANNEL_INPUT,
    CHANNEL_OUTPUT,
    CHANNEL_SUBTITLE,
    CHANNEL_FONT,
    CHANNEL_SEGMENT, // has a second number
    CHANNEL_INIT,
    CHANNEL_PLAYLIST,
    CHANNEL_ROLE_COUNT
};

struct channel_request {
    enum channel_verb verb;
    enum channel_role role; // not of CHANNEL_ATTEMPT
    int32_t number;         // ≥ 0
    int32_t second;         // ≥ 0 of roles that have one, else -1
};

struct channel_reply {
    struct channel_request request;
    int code;       // 0 or negative errno
    char text[512]; // words, when code is negative
};

const char *channel_role_name(enum channel_role role);

/* The packet (without NUL) in @ret; returns its length. */
size_t channel_format_request(const struct channel_request *q,
                              char ret[CHANNEL_MOST]);
size_t channel_format_reply(const struct channel_reply *p,
                            char ret[CHANNEL_MOST]);

/* 0, or -EPROTO with words. */
int channel_parse_request(struct channel_request *ret, const char *packet,
                          size_t size, struct error *e);
int channel_parse_reply(struct channel_reply *ret, const char *packet,
                        size_t size, struct error *e);

#endif
