#include "capacity.h"

#include "base/clock.h"
#include "model/need.h"

#define MIB          INT64_C(1048576)
#define FORGET_AFTER (600 * SECOND)
#define HOPE_AFTER   (5 * SECOND) // that there is not even one
#define REFUSE_FOR   (2 * SECOND) // until samples have caught up
#define JUST_NOW     (SECOND / 10)
#define SPARE        (192 * MIB) // never granted: free VRAM is never 0
#define RECOVERY     (256 * MIB) // more than a context that comes and goes

// clang-format off
static const struct {
    int64_t pixels; // of the largest picture, at most
    int64_t vram;   // until it is learned
} classes[CAPACITY_CLASS_COUNT] = {
    [CAPACITY_HD]     = {1920 * 1088, 320 * MIB},
    [CAPACITY_UHD]    = {4096 * 2304, 750 * MIB},
    [CAPACITY_LARGER] = {INT64_MAX,  2500 * MIB},
};
// clang-format on

void capacity_init(struct capacity *ret)
{
    *ret = (struct capacity){
        .configured = CAPACITY_UNKNOWN,
        .listed = CAPACITY_UNKNOWN,
        .learned = CAPACITY_UNKNOWN,
    };
}

/* Of two bounds the lower one, either of which may be unknown. */
static int32_t lower(int32_t a, int32_t b)
{
    if (a == CAPACITY_UNKNOWN || b == CAPACITY_UNKNOWN)
        return a == CAPACITY_UNKNOWN ? b : a;
    return a < b ? a : b;
}

/* When what was learned is forgotten. No session at all is what somebody has
 * taken whom nobody sees: that passes. */
static int64_t forgets_at(const struct capacity *c)
{
    return c->learned_at + (c->learned == 0 ? HOPE_AFTER : FORGET_AFTER);
}

static int32_t learned(const struct capacity *c, int64_t now)
{
    return now < forgets_at(c) ? c->learned : CAPACITY_UNKNOWN;
}

int32_t capacity_sure_limit(const struct capacity *c)
{
    return lower(c->configured, c->listed);
}

int32_t capacity_limit(const struct capacity *c, int64_t now)
{
    return lower(capacity_sure_limit(c), learned(c, now));
}

/* How far belief goes without another try. */
static int32_t trusted(const struct capacity *c)
{
    return c->listed > c->proven && !c->is_doubted ? c->listed : c->proven;
}

int32_t capacity_sessions(const struct capacity *c,
                          const struct capacity_use *use, int64_t now)
{
    int32_t limit = capacity_limit(c, now);
    int32_t used = use->own + use->foreign;
    int32_t sure = trusted(c) - used;
    int32_t most = limit == CAPACITY_UNKNOWN ? INT32_MAX : limit - used;

    if (use->opening > 0 && most > sure)
        most = sure; // another one ventures already
    return most > 0 ? most : 0;
}

/* Bytes of VRAM that are left, as far as one knows. */
static int64_t figures(const struct capacity_use *use)
{
    int64_t others =
        use->foreign_vram > use->reserve ? use->foreign_vram : use->reserve;

    return use->total - others - use->own_vram - SPARE;
}

int64_t capacity_vram(const struct capacity *c, const struct capacity_use *use,
                      int64_t now)
{
    int64_t most = figures(use);

    if (c->refused_at && now - c->refused_at < REFUSE_FOR && most >= c->refused)
        most = c->refused - 1;
    return most > 0 ? most : 0;
}

void capacity_learn(struct capacity *c, const struct capacity_use *use,
                    int32_t tried, int64_t now)
{
    // how many of its own it had opened is not known: all but one, perhaps
    int32_t lesson = use->own + tried - 1;
    int32_t known = learned(c, now);

    if (now - c->returned_at < JUST_NOW)
        lesson += c->returned;
    if (known != CAPACITY_UNKNOWN && lesson + use->foreign > known)
        return; // nothing new
    c->lesson = lesson;
    c->learned = lesson + use->foreign;
    c->learned_at = now;
    c->is_tentative = true;
    c->is_doubted |= c->listed > c->learned;
    if (c->proven > c->learned)
        c->proven = c->learned;
}

void capacity_sampled(struct capacity *c, int32_t foreign,
                      enum capacity_memory memory, int64_t now)
{
    if (!c->is_tentative || learned(c, now) == CAPACITY_UNKNOWN)
        return;
    c->is_tentative = false;
    if (memory == CAPACITY_SHORT)
        c->learned = CAPACITY_UNKNOWN; // it was no lesson on sessions
    else if (c->lesson + foreign > c->learned)
        c->learned = c->lesson + foreign;
}

void capacity_prove(struct capacity *c, int32_t sessions, int64_t now)
{
    if (sessions > c->proven)
        c->proven = sessions;
    if (learned(c, now) != CAPACITY_UNKNOWN && sessions > c->learned)
        c->learned = sessions; // then it was a misunderstanding
}

void capacity_return(struct capacity *c, int32_t sessions, int64_t now)
{
    if (now - c->returned_at >= JUST_NOW)
        c->returned = 0;
    c->returned += sessions;
    c->returned_at = now;
}

static int64_t pixels_of(int32_t width, int32_t height)
{
    return (int64_t)width * height;
}

enum capacity_class capacity_classify(const struct need *need)
{
    int64_t most = pixels_of(need->width, need->height);
    int kind = CAPACITY_HD;

    for (size_t i = 0; i < need->rendition_count; i++) {
        const struct need_rendition *r = &need->renditions[i];
        if (pixels_of(r->width, r->height) > most)
            most = pixels_of(r->width, r->height);
    }
    while (most > classes[kind].pixels)
        kind++;
    return (enum capacity_class)kind;
}

int64_t capacity_estimate(const struct capacity *c, const struct need *need,
                          int32_t sessions)
{
    enum capacity_class kind = capacity_classify(need);
    int64_t one = c->vram[kind] ? c->vram[kind] : classes[kind].vram;

    // context and decoder are there once; a rendition more is its encoder
    return sessions > 1 ? one + one / 4 * (sessions - 1) : one;
}

void capacity_observe(struct capacity *c, enum capacity_class kind,
                      int64_t bytes)
{
    int64_t *known = &c->vram[kind];

    // a short job is hardly seen, and others like it will take more
    if (bytes < classes[kind].vram / 2)
        bytes = classes[kind].vram / 2;
    // the dearest of late: up at once, down slowly
    if (bytes >= *known)
        *known = bytes;
    else
        *known -= (*known - bytes) / 8;
}

void capacity_refuse(struct capacity *c, const struct capacity_use *use,
                     int64_t bytes, int64_t now)
{
    c->refused = bytes;
    c->believed = figures(use);
    c->refused_at = now;
}

bool capacity_has_recovered(const struct capacity *c,
                            const struct capacity_use *use)
{
    return !c->refused_at || figures(use) - c->believed >= RECOVERY;
}

int64_t capacity_changes(const struct capacity *c, int64_t now)
{
    int64_t memory = c->refused_at ? c->refused_at + REFUSE_FOR : 0;
    int64_t limit = learned(c, now) != CAPACITY_UNKNOWN ? forgets_at(c) : 0;

    if (memory <= now)
        return limit;
    return limit && limit < memory ? limit : memory;
}
