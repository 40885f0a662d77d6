/*
 * doctor_test: a second of film, transcoded on each device by the service as
 * any job is.
 */
#ifndef CTL_DOCTOR_TEST_H
#define CTL_DOCTOR_TEST_H

#include "status.h"

struct finding;
struct invocation;
struct patient;

/*
 * On the CPU and on each card that the service knows of. @told gets a finding
 * for each, to own. STATUS_GOOD, also where a test failed, or
 * STATUS_INTERRUPTED after Ctrl-C.
 */
enum status doctor_test(const struct invocation *v, const struct patient *p,
                        void (*told)(void *user, const char *id,
                                     struct finding *f),
                        void *user);

#endif
