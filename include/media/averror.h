/*
 * averror: libav's error codes become errno and words here.
 *
 * Its system codes are negative errno already. Its own tags (AVERROR_EOF,
 * AVERROR_INVALIDDATA, …) are mapped by a table, and never leave the floors
 * that see libav.
 */
#ifndef MEDIA_AVERROR_H
#define MEDIA_AVERROR_H

struct error;

/* The negative errno for what libav returned. */
int averror_code(int averror);

/* Set @e to the words "FORMAT: what libav says" and return averror_code(). */
int averror_set(struct error *e, int averror, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
