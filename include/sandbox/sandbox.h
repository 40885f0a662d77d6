/*
 * sandbox: what a worker gives up so that media which takes over a decoder
 * gains no more than the job's own files.
 *
 *   confine_process()   first of all: rlimits, no new privileges
 *   sandbox_enter()     before any other thread: files by name (Landlock)
 *   …                   a GPU's driver is opened
 *   sandbox_seal()      before media is touched: system calls (seccomp), memory
 *
 * A layer that this machine lacks does not stop the others. Whether to go on
 * without it is the caller's to decide, by sandbox_missing().
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum sandbox_mode {
    SANDBOX_AUTO,     // what this machine has
    SANDBOX_REQUIRED, // all of it, or no job
    SANDBOX_OFF,      // nothing: for looking for faults
};

/* In order: the later may do all that the earlier may. */
enum sandbox_device { SANDBOX_CPU, SANDBOX_GPU };

enum sandbox_layer {
    SANDBOX_FILES,  // Landlock
    SANDBOX_CALLS,  // seccomp
    SANDBOX_MEMORY, // rlimit
    SANDBOX_LAYER_COUNT
};

enum sandbox_state {
    SANDBOX_NOT_YET,
    SANDBOX_ON,
    SANDBOX_UNAVAILABLE,
    SANDBOX_SWITCHED_OFF,
    SANDBOX_INAPPLICABLE, // to what the process may use
    SANDBOX_STATE_COUNT
};

struct sandbox_config {
    enum sandbox_mode mode;
    enum sandbox_device device; // that the process may use
    bool names_calls;           // say which system call ended the process
    int64_t memory;             // bytes, without a GPU; 0: no bound
    const char *const *paths;   // that may be read and written
    size_t path_count;
};

struct sandbox {
    struct sandbox_config config;
    struct {
        enum sandbox_state state;
        char words[120]; // why it is so, or ""
    } layers[SANDBOX_LAYER_COUNT];
};

extern const char *const sandbox_layer_names[SANDBOX_LAYER_COUNT];
extern const char *const sandbox_state_names[SANDBOX_STATE_COUNT];

/* What @config points to must live until sandbox_seal(). */
void sandbox_enter(struct sandbox *ret, const struct sandbox_config *config);

/*
 * From here on for all threads, those to come too. A process that has let go
 * of its GPU may seal itself again, as SANDBOX_CPU.
 */
void sandbox_seal(struct sandbox *s, enum sandbox_device device);

/* 0, or -ENOTSUP with words when a layer should be on and is not. */
int sandbox_missing(const struct sandbox *s, struct error *e);

#endif
