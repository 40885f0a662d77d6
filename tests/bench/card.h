/*
 * card: a card of our own on the stand-in for NVIDIA's driver, and what it
 * counted. Its times mean nothing.
 */
#ifndef BENCH_CARD_H
#define BENCH_CARD_H

#include <stdbool.h>
#include <stddef.h>

struct bench;
struct error;
struct json_t;
struct service;

/* What processes start from now on finds the stand-in. False: it is not built,
 * which is told for the case @name. */
bool card_insert(const struct bench *b, const char *name);
void card_remove(void);

/* Forget the counters, and the processes that have ended. */
int card_forget(const struct bench *b, struct error *e);

/* All that is known now; a new reference. */
int card_count(const struct bench *b, struct json_t **ret, struct error *e);

/* One of the counters of all processes together; peaks are the machine's. */
double card_total(const struct json_t *counters, const char *name);

/* The lines of the processes that had ended since card_forget() when the card
 * was last counted (who left without a word is noticed then), an array; a new
 * reference. */
struct json_t *card_ended(const struct bench *b);

/* The most that one of the processes that have ended had. */
double card_most_of_one(const struct bench *b, const char *name);

/* Until the service's survey has found the card. */
int card_wait(const struct service *s, struct error *e);

/* A service that has found the card and come to rest; what it did with it so far
 * is forgotten. The caller stops @ret, which may be there after a failure, too. */
int card_serve(struct service **ret, const struct bench *b, struct error *e);

#endif
