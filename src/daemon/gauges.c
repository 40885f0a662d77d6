#include "gauges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "model/sample.h"
#include "store/report.h"

#define WRITE_EVERY (60 * SECOND)

struct gauges {
    struct store *store;            // not owned
    struct store_reading *readings; // owned; of each device, each gauge
    size_t count;
    size_t room;
    int64_t since; // monotonic µs that they were handed over
};

static double get_vram(const struct sample *s)
{
    return (double)s->vram_used; // SAMPLE_UNKNOWN stays below zero
}

static double get_load(const struct sample *s)
{
    return s->load;
}

static double get_encoder(const struct sample *s)
{
    return s->encoder_load;
}

static double get_decoder(const struct sample *s)
{
    return s->decoder_load;
}

static double get_temperature(const struct sample *s)
{
    return s->temperature;
}

static double get_power(const struct sample *s)
{
    return s->power;
}

// The names are those of Report's periods.
static const struct {
    const char *name;
    double (*get)(const struct sample *s);
} gauge_table[] = {
    {"temperature", get_temperature},
    {"power", get_power},
    {"load", get_load},
    {"encoder_load", get_encoder},
    {"decoder_load", get_decoder},
    {"vram_used", get_vram},
};

struct gauges *gauges_create(struct store *store)
{
    struct gauges *g = xcalloc(1, sizeof(*g));

    g->store = store;
    g->since = clock_now();
    return g;
}

static void hand_over(struct gauges *g, int64_t now)
{
    if (g->count)
        store_note(g->store, g->readings, g->count);
    g->count = 0;
    g->since = now;
}

void gauges_destroy(struct gauges *g)
{
    if (!g)
        return;
    hand_over(g, clock_now());
    free(g->readings);
    free(g);
}

static struct store_reading *find(struct gauges *g, const char *device,
                                  const char *name)
{
    for (size_t i = 0; i < g->count; i++) {
        struct store_reading *r = &g->readings[i];
        if (strcmp(r->device, device) == 0 && strcmp(r->name, name) == 0)
            return r;
    }
    g->readings =
        xgrow(g->readings, &g->room, g->count + 1, sizeof(*g->readings));
    struct store_reading *r = &g->readings[g->count++];
    *r = (struct store_reading){0};
    (void)snprintf(r->device, sizeof(r->device), "%s", device);
    (void)snprintf(r->name, sizeof(r->name), "%s", name);
    return r;
}

static void add(struct store_reading *r, double value)
{
    if (!r->count || value < r->least)
        r->least = value;
    if (!r->count || value > r->most)
        r->most = value;
    r->sum += value;
    r->count++;
}

void gauges_note(struct gauges *g, const char *device, const struct sample *s,
                 int64_t now)
{
    for (size_t i = 0; i < sizeof(gauge_table) / sizeof(gauge_table[0]); i++) {
        double value = gauge_table[i].get(s);
        if (value >= 0) // nobody measures the others
            add(find(g, device, gauge_table[i].name), value);
    }
    if (now - g->since >= WRITE_EVERY)
        hand_over(g, now);
}
