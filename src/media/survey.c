#include "media/survey.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/hwcontext.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/driver.h"
#include "media/ear.h"
#include "media/hwdevice.h"
#include "media/nvenc_caps.h"
#include "media/survey_decoders.h"
#include "media/survey_encoders.h"
#include "media/survey_filters.h"
#include "media/survey_words.h"
#include "model/survey.h"

static void add_problem(struct survey *s, const char *words)
{
    s->problems = xrealloc(s->problems, s->problem_count + 1, sizeof(char *));
    s->problems[s->problem_count++] = xstrdup(words);
}

/* FNV-1a: to tell builds apart, not to guard anything. */
static uint32_t digest(const char *text)
{
    uint32_t hash = UINT32_C(2166136261);

    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * UINT32_C(16777619);
    return hash;
}

/* The same version is built with and without NVIDIA's parts. */
static void name_libav(char *ret, size_t size)
{
    (void)snprintf(ret, size, "%.32s %08" PRIx32, av_version_info(),
                   digest(avcodec_configuration()));
}

static bool libav_has_cuda(void)
{
    enum AVHWDeviceType type = AV_HWDEVICE_TYPE_NONE;

    while ((type = av_hwdevice_iterate_types(type)) != AV_HWDEVICE_TYPE_NONE) {
        if (type == AV_HWDEVICE_TYPE_CUDA)
            return true;
    }
    return false;
}

static const struct survey_device *recall(const struct survey *known,
                                          const struct survey *s,
                                          const struct survey_device *d)
{
    if (!known || strcmp(known->libav, s->libav) != 0)
        return NULL;
    for (size_t i = 0; i < known->device_count; i++) {
        const struct survey_device *k = &known->devices[i];
        if (k->sure != SURVEY_SURE_NOTHING && strcmp(k->uuid, d->uuid) == 0 &&
            strcmp(k->driver, d->driver) == 0 &&
            strcmp(k->nvenc_api, d->nvenc_api) == 0)
            return k;
    }
    return NULL;
}

static bool is_doubted(const struct survey_device *d, const char *anew)
{
    return anew &&
           (strcmp(anew, SURVEY_ANEW_ALL) == 0 || strcmp(anew, d->uuid) == 0);
}

/* Put what was found out earlier under the present id. */
static void reuse(struct survey_device *d, const struct survey_device *known)
{
    char id[sizeof(d->id)];

    memcpy(id, d->id, sizeof(id));
    survey_device_fini(d);
    survey_device_copy(d, known);
    memcpy(d->id, id, sizeof(id));
    d->is_partial = d->sure != SURVEY_SURE_ALL;
}

/* Sessions are what a card has least of: encoders that are known are not opened
 * again because a filter is. */
static void recall_encoders(struct survey_device *d,
                            const struct survey_device *known)
{
    d->encoder_count = known->encoder_count;
    d->encoders =
        xmemdup(known->encoders, d->encoder_count * sizeof(*d->encoders));
}

/* How much of it may be remembered, where @rest is sure, and its encoders. */
static enum survey_sure try_encoders(struct survey *s, struct survey_device *d,
                                     struct hwdevice *h, enum survey_sure rest)
{
    size_t before = d->problem_count;
    bool is_sure =
        survey_encoders(d, h, s->nvenc_headers, sizeof(s->nvenc_headers));

    if (is_sure && (rest == SURVEY_SURE_ALL || d->problem_count == before))
        return rest;
    return SURVEY_SURE_NOTHING;
}

/* @known are its encoders, NULL: they are not. */
static void try_device(struct survey *s, struct survey_device *d,
                       const struct survey_device *known)
{
    struct hwdevice *h;
    struct error e = {0};

    int r = hwdevice_open(&h, d->id, d->uuid, &e);
    if (r < 0) {
        survey_add_problem(d, "%s", e.text);
        d->is_partial = r == -ENOMEM; // as long as others hold it
        return;
    }
    bool is_sure = survey_decoders(d, h);
    is_sure &= survey_filters(d, h);
    d->sure = is_sure ? SURVEY_SURE_ALL : SURVEY_SURE_ENCODERS;
    if (known)
        recall_encoders(d, known);
    else
        d->sure = try_encoders(s, d, h, d->sure);
    hwdevice_close(h);
}

static void survey_card(struct survey *s, struct survey_device *d,
                        const struct survey *known, const char *anew)
{
    const struct survey_device *k = recall(known, s, d);
    bool is_tried = is_doubted(d, anew) || !k || k->sure != SURVEY_SURE_ALL;

    if (is_tried)
        try_device(s, d, is_doubted(d, anew) ? NULL : k);
    if (!is_tried || (k && d->is_partial))
        reuse(d, k);
}

static void take_card(struct survey *s, const struct driver *driver, int index,
                      const struct survey *known, const char *anew)
{
    struct driver_card card;
    struct error e = {0};

    if (driver_card(driver, index, &card, &e) < 0) {
        add_problem(s, e.text);
        return;
    }
    s->devices = xrealloc(s->devices, s->device_count + 1, sizeof(*s->devices));
    struct survey_device *d = &s->devices[s->device_count++];
    *d = (struct survey_device){.compute = card.compute, .vram = card.vram};
    (void)snprintf(d->id, sizeof(d->id), "cuda:%d", index);
    (void)snprintf(d->uuid, sizeof(d->uuid), "%s", card.uuid);
    (void)snprintf(d->name, sizeof(d->name), "%s", card.name);
    (void)snprintf(d->driver, sizeof(d->driver), "%s", driver_version(driver));
    nvenc_caps_api(d->nvenc_api, sizeof(d->nvenc_api));
    survey_card(s, d, known, anew);
}

void survey_take(struct survey *ret, const struct survey *known,
                 const char *anew)
{
    struct driver *driver;
    struct error e = {0};

    *ret = (struct survey){0};
    name_libav(ret->libav, sizeof(ret->libav));
    ear_open();
    if (!libav_has_cuda()) {
        add_problem(ret, "this build of FFmpeg knows no CUDA: it needs "
                         "--enable-ffnvcodec");
        return;
    }
    if (driver_open(&driver, &e) < 0) {
        add_problem(ret, e.text);
        return;
    }
    int count = driver_count(driver);
    for (int i = 0; i < count && i < SURVEY_DEVICES_MOST; i++)
        take_card(ret, driver, i, known, anew);
    driver_close(driver);
}
