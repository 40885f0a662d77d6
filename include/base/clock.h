/*
 * clock: the two clocks. All times are int64_t microseconds.
 *
 * Intervals and deadlines use the monotonic clock; what a person reads later
 * (events, the store) uses the wall clock.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define MILLISECOND INT64_C(1000)
#define SECOND      INT64_C(1000000)

int64_t clock_now(void);  // µs, CLOCK_MONOTONIC
int64_t clock_wall(void); // µs since the epoch, CLOCK_REALTIME

#endif
