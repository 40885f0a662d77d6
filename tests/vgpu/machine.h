/*
 * machine: what all processes of one simulated machine share.
 *
 * The state is a file that every process maps; its folder is the machine's
 * name (VGPU_MACHINE), so machines exist side by side. A process holds a slot
 * in it and a kernel lock on that slot for as long as it lives. The lock is
 * what proves life: it goes with the process however that ends, and unlike a
 * pid it is never somebody else's. Whoever next needs room gives back what
 * the dead have held.
 *
 * Opened by the first call of the driver and never closed. Any thread.
 */
#ifndef VGPU_MACHINE_H
#define VGPU_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "counter.h"

#define MACHINE_PROCESSES 64
#define MACHINE_SESSIONS  16 // of one process
#define MACHINE_CARDS     4

enum machine_codec {
    MACHINE_H264,
    MACHINE_HEVC,
};

struct machine_session {
    int32_t used;
    int32_t card;
    int32_t codec; // enum machine_codec
    int32_t width;
    int32_t height;
    int64_t frames;
    int64_t started; // µs, monotonic
    int64_t latency; // µs a frame, average
};

struct machine_process {
    int32_t used;
    int32_t pid;
    char program[32];
    int64_t vram[MACHINE_CARDS]; // bytes
    _Atomic int64_t contexts[MACHINE_CARDS];
    _Atomic int64_t busy_encoding; // µs, as the two below
    _Atomic int64_t busy_decoding;
    _Atomic int64_t busy_kernels;
    struct machine_session sessions[MACHINE_SESSIONS];
    struct counters counters;
};

struct machine_state {
    uint32_t magic;
    int32_t lost; // the device fell off for everybody
    int64_t processes_ended;
    int64_t processes_killed; // of these
    struct counters ended;    // of all processes that are gone
    struct counters peaks;    // of the machine as a whole
    struct machine_process processes[MACHINE_PROCESSES];
};

/* NULL when the state cannot be opened; why is said on standard error once. */
struct machine_state *machine_state(void);

/* Opens the state for a tool that is no process of the machine. */
struct machine_state *machine_observe(void);

/* This process's slot, taken by the first call. NULL like the state. */
struct machine_process *machine_self(void);

/* Keep every other thread and process out; reclaims what the dead held. */
void machine_lock(void);
void machine_unlock(void);

/* Add to this process's counter. */
void machine_count(enum counter c, int64_t n);

/* Raise this process's peak to @value if it is lower. */
void machine_peak(enum counter c, int64_t value);

/* How many cards there are. */
int machine_cards(void);

/* The identity of card @card, into @ret of SETTING_TEXT bytes. */
void machine_uuid(int card, char *ret);

/* Take or give back device memory: false when the card has not so much. */
bool machine_vram_take(int card, int64_t bytes);
void machine_vram_give(int card, int64_t bytes);

/* Used by all, foreign memory too. With the lock held. */
int64_t machine_vram_used(int card);
int64_t machine_sessions_used(void); // of all cards, as the limit is

/* A free session of this process, NULL when the limit is reached. */
struct machine_session *machine_session_take(int card);
void machine_session_give(struct machine_session *s);

/* The device is gone, for this process or for every one. */
void machine_lose(void);
bool machine_lost(void);

/* One JSON object: total, processes that live, what the machine is at. */
void machine_print(FILE *out);

/* µs, monotonic. */
int64_t machine_now(void);

#endif
