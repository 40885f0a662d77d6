#include "model/mark.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/device_profile.h"
#include "model/sample.h"

#define BUSY      0.1           // of an engine's time: it has work
#define REST_MOST (60 * SECOND) // work with a shorter break is one work

const char *const mark_names[MARK_COUNT] = {
    [MARK_NONE] = "none", [MARK_OK] = "ok",   [MARK_INFO] = "info",
    [MARK_WARN] = "warn", [MARK_BAD] = "bad",
};

/* The bits are NVML's, its ABI. */
// clang-format off
static const struct {
    int64_t bit;
    enum mark mark;
    const char *words; // NULL: no reason to speak of
} reasons[] = {
    {0x001, MARK_OK,   NULL}, // idle
    {0x002, MARK_OK,   "clocks that were set"},
    {0x004, MARK_INFO, "its power limit"},
    {0x008, MARK_BAD,  "its hardware"},
    {0x010, MARK_OK,   "clocks in step with other cards"},
    {0x020, MARK_WARN, "heat"},
    {0x040, MARK_BAD,  "heat, by the hardware"},
    {0x080, MARK_BAD,  "too little power from outside"},
    {0x100, MARK_OK,   "clocks of a display"},
};
// clang-format on
#define REASON_COUNT (sizeof(reasons) / sizeof(reasons[0]))

size_t mark_reasons(int64_t throttle, const char *ret[MARK_REASONS_MOST])
{
    size_t count = 0;

    for (size_t i = 0; throttle > 0 && i < REASON_COUNT; i++) {
        if ((throttle & reasons[i].bit) && reasons[i].words)
            ret[count++] = reasons[i].words;
    }
    return count;
}

static bool is_busy(const struct sample *s)
{
    return s->load >= BUSY || s->encoder_load >= BUSY ||
           s->decoder_load >= BUSY;
}

void mark_heat_note(struct mark_heat *h, const struct sample *s,
                    const struct device_profile *p, int64_t now)
{
    if (is_busy(s))
        h->loaded = now;
    bool is_loaded = h->loaded && now - h->loaded <= REST_MOST;
    bool is_warm =
        p && p->temperature.warm >= 0 && s->temperature > p->temperature.warm;

    if (!is_loaded || !is_warm)
        h->since = 0;
    else if (!h->since)
        h->since = now;
}

static void note(struct marks *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(struct marks *m, const char *format, ...)
{
    va_list ap;

    if (m->note_count == MARK_NOTES_MOST)
        return;
    va_start(ap, format);
    (void)vsnprintf(m->notes[m->note_count++], sizeof(m->notes[0]), format, ap);
    va_end(ap);
}

/* What is only measured. */
static enum mark known(double value)
{
    return value >= 0 ? MARK_OK : MARK_NONE;
}

static enum mark judge_temperature(struct marks *m, const struct sample *s,
                                   const struct device_temperature *range,
                                   const struct mark_heat *h, int64_t now)
{
    char span[32];

    if (s->temperature < 0 || range->most < 0)
        return MARK_NONE;
    if (s->temperature > range->most) {
        note(m, "%.0f °C is above the healthy %.0f to %.0f °C", s->temperature,
             range->least, range->most);
        return MARK_BAD;
    }
    if (h->since && now - h->since >= range->warm_for) {
        text_format_duration(now - h->since, span, sizeof(span));
        note(m, "above %.0f °C under load for %s", range->warm, span);
        return MARK_WARN;
    }
    if (s->temperature < range->least) {
        note(m, "%.0f °C: idle, or a cool room", s->temperature);
        return MARK_INFO;
    }
    return MARK_OK;
}

static enum mark judge_power(struct marks *m, const struct sample *s,
                             const struct device_power *range)
{
    if (s->power < 0 || range->most < 0)
        return MARK_NONE;
    if (s->power > range->most) {
        note(m, "%.1f W is above the healthy %.0f to %.0f W", s->power,
             range->least, range->most);
        return MARK_WARN;
    }
    if (s->power < range->least) {
        note(m, "%.1f W: it is idle", s->power);
        return MARK_INFO;
    }
    return MARK_OK;
}

static enum mark judge_vram(struct marks *m, const struct sample *s,
                            const struct device_profile *p)
{
    char left[32];
    int64_t least = p && p->vram_free_least > 0 ? p->vram_free_least : 1;

    if (s->vram_free < 0)
        return MARK_NONE;
    if (s->vram_free >= least)
        return MARK_OK;
    text_format_size(s->vram_free, left, sizeof(left));
    note(m, "its memory is full: %s is left", left);
    return MARK_BAD;
}

static enum mark judge_throttle(struct marks *m, const struct sample *s)
{
    enum mark worst = known((double)s->throttle);

    for (size_t i = 0; s->throttle > 0 && i < REASON_COUNT; i++) {
        if (!(s->throttle & reasons[i].bit))
            continue;
        if (reasons[i].mark > worst)
            worst = reasons[i].mark;
        if (reasons[i].mark > MARK_OK)
            note(m, "slowed down by %s", reasons[i].words);
    }
    return worst;
}

void mark_judge(struct marks *ret, const struct sample *s,
                const struct device_profile *p, const struct mark_heat *h,
                int64_t now)
{
    static const struct device_temperature no_temperature = {-1, -1, -1, -1};
    static const struct device_power no_power = {-1, -1};

    *ret = (struct marks){0};
    if (!s)
        return;
    ret->temperature = judge_temperature(
        ret, s, p ? &p->temperature : &no_temperature, h, now);
    ret->power = judge_power(ret, s, p ? &p->power : &no_power);
    ret->vram = judge_vram(ret, s, p);
    ret->throttle = judge_throttle(ret, s);
    ret->load = known(s->load);
    ret->encoder_load = known(s->encoder_load);
    ret->decoder_load = known(s->decoder_load);
    ret->clock = known(s->clock);
}
