#include "meter.h"

#include "base/clock.h"
#include "model/event.h"

void meter_init(struct meter *m, int64_t total, int64_t now)
{
    *m = (struct meter){.total = total};
    m->samples[m->count++] = (struct meter_sample){.time = now};
}

static double seconds(int64_t us)
{
    return (double)us / (double)SECOND;
}

static double rate(double amount, int64_t time)
{
    return time > 0 ? amount / seconds(time) : 0;
}

static double percent(const struct meter *m, int64_t position)
{
    if (m->total <= 0)
        return -1;
    double done = 100.0 * (double)position / (double)m->total;
    return done > 100 ? 100 : done;
}

void meter_read(struct meter *m, struct meter_sample sample, int64_t size,
                struct event_progress *ret)
{
    size_t oldest = m->count < METER_SAMPLES ? 0 : m->count % METER_SAMPLES;
    const struct meter_sample from = m->samples[oldest];
    int64_t time = sample.time - from.time;
    int64_t moved = sample.position - from.position;
    int64_t left = m->total - sample.position;

    m->samples[m->count++ % METER_SAMPLES] = sample;
    double speed = rate(seconds(moved), time);
    *ret = (struct event_progress){
        .frame = sample.frames,
        .fps = rate((double)(sample.frames - from.frames), time),
        .speed = speed,
        .out_time = seconds(sample.position),
        .percent = percent(m, sample.position),
        .eta = m->total > 0 && speed > 0
                   ? (left > 0 ? seconds(left) / speed : 0)
                   : -1,
        .size = size,
        .bitrate = (int64_t)rate(8.0 * (double)size, sample.position),
    };
}
