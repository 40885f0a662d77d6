#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/books.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static const char *const ids[] = {"cuda:0", "cuda:1"};
static const char *const uuids[] = {"GPU-1", "GPU-2"};

static void on_doubt(void *user, const char *uuid)
{
    struct books *b = user;

    for (size_t i = 0; i < BOOKS_CARDS; i++)
        b->doubts[i] += strcmp(uuid, uuids[i]) == 0;
}

static void on_changed(void *user)
{
    struct books *b = user;

    b->changes++;
}

static const struct lending_ops ops = {on_doubt, on_changed};

void books_open(struct books *b)
{
    *b = (struct books){.driver = "470.256.02"};
    configuration_init(&b->configuration);
    b->configuration.gpu.sessions.all = 3;
    b->inventory = inventory_create();
    b->lending = lending_create(b->inventory, &ops, b);
    lending_configure(b->lending, &b->configuration, NULL);
}

void books_close(struct books *b)
{
    lending_destroy(b->lending);
    inventory_destroy(b->inventory);
    configuration_fini(&b->configuration);
}

void books_survey(struct books *b, size_t count)
{
    static struct survey_encoder encoder = {.codec = "h264"};
    static struct survey_decoder decoder = {.codec = "h264"};
    struct survey_device cards[BOOKS_CARDS];
    const struct survey found = {.devices = cards, .device_count = count};

    assert_true(count <= BOOKS_CARDS);
    for (size_t i = 0; i < count; i++) {
        cards[i] = (struct survey_device){
            .name = "Quadro P1000",
            .vram = 4096 * BOOKS_MIB,
            .encoders = &encoder,
            .encoder_count = 1,
            .decoders = &decoder,
            .decoder_count = 1,
        };
        (void)snprintf(cards[i].driver, sizeof(cards[i].driver), "%s",
                       b->driver);
        (void)snprintf(cards[i].id, sizeof(cards[i].id), "%s", ids[i]);
        (void)snprintf(cards[i].uuid, sizeof(cards[i].uuid), "%s", uuids[i]);
    }
    inventory_set(b->inventory, &found);
    lending_surveyed(b->lending);
}

static struct need need_of(int32_t height)
{
    return (struct need){
        .width = height * 16 / 9, .height = height, .rendition_count = 1};
}

void books_lend(struct books *b, struct loan *loan, int pid,
                const struct grant *grant, int32_t height)
{
    const struct need need = need_of(height);

    lending_join(b->lending, loan, pid);
    lending_lend(b->lending, loan, grant, &need);
}

void books_lend_one(struct books *b, struct loan *loan, int pid)
{
    const struct grant grant = {.device = "cuda:0",
                                .sessions = 1,
                                .decode = true,
                                .vram = 320 * BOOKS_MIB};

    books_lend(b, loan, pid, &grant, 1080);
}

struct sample books_sample(size_t card)
{
    struct sample s = {.vram_total = 4096 * BOOKS_MIB,
                       .vram_free = 2048 * BOOKS_MIB};

    (void)snprintf(s.uuid, sizeof(s.uuid), "%s", uuids[card]);
    return s;
}

void books_add_session(struct sample *s, int pid)
{
    s->sessions[s->session_count++].pid = pid;
    s->session_total++;
}

void books_add_process(struct sample *s, int pid, int64_t vram)
{
    s->processes[s->process_count].pid = pid;
    s->processes[s->process_count++].vram = vram;
    s->vram_used += vram;
}

void books_take(struct books *b, const struct sample *s)
{
    struct inventory_device *d = inventory_sample(b->inventory, s, clock_now());

    assert_non_null(d);
    lending_sampled(b->lending, d);
}

struct scheduler_device books_look(struct books *b, size_t card)
{
    static struct scheduler_view view;

    lending_view(b->lending, &view);
    assert_true(card < view.device_count);
    assert_string_equal(view.devices[card].id, ids[card]);
    return view.devices[card];
}

struct lending_state books_state(struct books *b, size_t card)
{
    struct lending_state s;

    assert_true(lending_state(b->lending, ids[card], &s));
    return s;
}

int64_t books_estimate(struct books *b, size_t card, int32_t height)
{
    const struct need need = need_of(height);

    return capacity_estimate(books_look(b, card).capacity, &need, 1);
}
