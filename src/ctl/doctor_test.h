/*
 * doctor_test: a second of film, transcoded on each device by the service as
 * any job is.
 */
#ifndef CTL_DOCTOR_TEST_H
#define CTL_DOCTOR_TEST_H

#include <stdbool.h>

#include "status.h"

struct finding;
struct invocation;

/* What is tested: the CPU, and a card where there is one. */
enum doctor_devices { DOCTOR_CPU_ONLY, DOCTOR_CPU_AND_CARD };

/*
 * @told gets a finding for each device, to own. STATUS_GOOD, also where a test
 * failed, or STATUS_INTERRUPTED after Ctrl-C.
 */
enum status doctor_test(const struct invocation *v, enum doctor_devices which,
                        void (*told)(void *user, const char *id,
                                     struct finding *f),
                        void *user);

#endif
