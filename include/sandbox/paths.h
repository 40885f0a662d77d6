/*
 * paths: the files that a worker's libraries open by name, as rules.
 *
 * No media is among them: what a job reads and writes comes as descriptors.
 */
#ifndef SANDBOX_PATHS_H
#define SANDBOX_PATHS_H

#include <stddef.h>

#include "sandbox/sandbox.h"

struct landlock_rule;
struct paths;

/* What holds for this process: its environment, the libraries that it has
 * loaded, and the operator's @writable. Never NULL. */
struct paths *paths_create(enum sandbox_device device,
                           const char *const *writable, size_t count);
void paths_destroy(struct paths *p); // NULL is allowed

/* The rules live as long as @p. */
const struct landlock_rule *paths_rules(const struct paths *p,
                                        size_t *ret_count);

#endif
