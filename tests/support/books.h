/*
 * books: lending over an inventory of two cards, with samples and loans as a
 * test wants them. What goes wrong fails the test.
 */
#ifndef SUPPORT_BOOKS_H
#define SUPPORT_BOOKS_H

#include <stddef.h>
#include <stdint.h>

#include "inventory.h"
#include "lending.h"
#include "model/configuration.h"
#include "model/sample.h"
#include "scheduler.h"

#define BOOKS_MIB   INT64_C(1048576)
#define BOOKS_CARDS 2

struct books {
    struct inventory *inventory;        // owned
    struct lending *lending;            // owned
    struct configuration configuration; // three sessions a card
    const char *driver;                 // of the next survey
    int doubts[BOOKS_CARDS];            // surveys that were asked for
    int changes;                        // that were told
};

/* Cards "cuda:0", "cuda:1" with UUIDs "GPU-1", "GPU-2", names and drivers of a
 * Quadro P1000. No survey has ended yet. */
void books_open(struct books *b);
void books_close(struct books *b);

/* A survey has found the first @count cards. */
void books_survey(struct books *b, size_t count);

/* A worker @pid has begun, and is granted so much of the card. */
void books_lend(struct books *b, struct loan *loan, int pid,
                const struct grant *grant, int32_t height);
/* One session and the decoder of the first, 320 MiB, 1080p. */
void books_lend_one(struct books *b, struct loan *loan, int pid);

/* A sample of the card that says nothing of anybody; half of its 4 GiB are
 * free. */
struct sample books_sample(size_t card);
void books_add_session(struct sample *s, int pid);
void books_add_process(struct sample *s, int pid, int64_t vram);
void books_take(struct books *b, const struct sample *s);

/* The card as the scheduler sees it, and as Devices tells it. */
struct scheduler_device books_look(struct books *b, size_t card);
struct lending_state books_state(struct books *b, size_t card);

/* What a job of that height with one rendition is thought to take of it. */
int64_t books_estimate(struct books *b, size_t card, int32_t height);

#endif
