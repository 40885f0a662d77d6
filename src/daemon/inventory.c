#include "inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct inventory {
    struct list devices; // of inventory_device, owned
    char libav[sizeof(((struct survey *)0)->libav)];
    char nvenc_headers[sizeof(((struct survey *)0)->nvenc_headers)];
    char *problem;                                     // owned
    char driver[sizeof(((struct sample *)0)->driver)]; // that was told as new
    bool is_settled;
    bool is_current;
};

static struct inventory_device *device_of(struct list *link)
{
    return list_entry(link, struct inventory_device, link);
}

struct inventory *inventory_create(void)
{
    struct inventory *i = xcalloc(1, sizeof(*i));

    list_init(&i->devices);
    i->problem = xstrdup("the GPUs have not been surveyed yet");
    return i;
}

static void device_destroy(struct inventory_device *d)
{
    list_remove(&d->link);
    survey_device_fini(&d->survey);
    free(d);
}

void inventory_destroy(struct inventory *i)
{
    if (!i)
        return;
    list_foreach (link, next, &i->devices)
        device_destroy(device_of(link));
    free(i->problem);
    free(i);
}

const char *inventory_nvenc_headers(const struct inventory *i)
{
    return i->nvenc_headers;
}

struct inventory_device *inventory_find(const struct inventory *i,
                                        const char *id)
{
    list_foreach (link, next, &i->devices) {
        if (strcmp(device_of(link)->survey.id, id) == 0)
            return device_of(link);
    }
    return NULL;
}

struct inventory_device *inventory_find_uuid(const struct inventory *i,
                                             const char *uuid)
{
    list_foreach (link, next, &i->devices) {
        if (strcmp(device_of(link)->survey.uuid, uuid) == 0)
            return device_of(link);
    }
    return NULL;
}

/* The one that the survey proposes, unless another card has it already. */
static void choose_id(const struct inventory *i, struct survey_device *d)
{
    for (unsigned n = 0; inventory_find(i, d->id); n++)
        (void)snprintf(d->id, sizeof(d->id), "cuda:%u", n);
}

static void add(struct inventory *i, const struct survey_device *s)
{
    struct inventory_device *d = xcalloc(1, sizeof(*d));

    survey_device_copy(&d->survey, s);
    choose_id(i, &d->survey);
    d->is_present = true;
    list_append(&i->devices, &d->link);
}

/* A survey that others kept from trying all says less than an earlier one of
 * the same driver did. */
static bool says_less(const struct survey_device *now,
                      const struct survey_device *before)
{
    return now->is_partial && !before->is_partial &&
           strcmp(now->driver, before->driver) == 0;
}

static void renew(struct inventory_device *d, const struct survey_device *s)
{
    char id[sizeof(d->survey.id)];

    d->is_present = true;
    if (says_less(s, &d->survey))
        return;
    memcpy(id, d->survey.id, sizeof(id));
    survey_device_fini(&d->survey);
    survey_device_copy(&d->survey, s);
    memcpy(d->survey.id, id, sizeof(id));
}

/* "this; that". The caller frees. */
static char *join(char *const *words, size_t count)
{
    char *all = xstrdup("");

    for (size_t n = 0; n < count; n++) {
        char *longer = xasprintf("%s%s%s", all, *all ? "; " : "", words[n]);
        free(all);
        all = longer;
    }
    return all;
}

static void take_problem(struct inventory *i, char *words)
{
    free(i->problem);
    i->problem = words;
    i->is_settled = true;
}

void inventory_set(struct inventory *i, const struct survey *s)
{
    list_foreach (link, next, &i->devices)
        device_of(link)->is_present = false;
    for (size_t n = 0; n < s->device_count; n++) {
        struct inventory_device *known =
            inventory_find_uuid(i, s->devices[n].uuid);
        if (known)
            renew(known, &s->devices[n]);
        else
            add(i, &s->devices[n]);
    }
    (void)snprintf(i->libav, sizeof(i->libav), "%s", s->libav);
    memcpy(i->nvenc_headers, s->nvenc_headers, sizeof(i->nvenc_headers));
    take_problem(i, join(s->problems, s->problem_count));
    i->is_current = true;
}

void inventory_fail(struct inventory *i, const char *why)
{
    take_problem(i, xstrdup(why));
    i->is_current = false;
}

bool inventory_is_current(const struct inventory *i)
{
    return i->is_current;
}

bool inventory_is_settled(const struct inventory *i)
{
    return i->is_settled;
}

bool inventory_is_empty(const struct inventory *i)
{
    return list_empty(&i->devices);
}

const char *inventory_problem(const struct inventory *i)
{
    return i->problem;
}

const char *inventory_libav(const struct inventory *i)
{
    return i->libav;
}

struct inventory_device *inventory_each(const struct inventory *i,
                                        const struct inventory_device *last)
{
    struct list *link = last ? last->link.next : i->devices.next;

    return link == &i->devices ? NULL : device_of(link);
}

struct inventory_device *inventory_next(const struct inventory *i,
                                        const struct inventory_device *last)
{
    struct list *link = last ? last->link.next : i->devices.next;

    for (; link != &i->devices; link = link->next) {
        if (device_of(link)->is_present)
            return device_of(link);
    }
    return NULL;
}

struct inventory_device *inventory_sample(struct inventory *i,
                                          const struct sample *s, int64_t now)
{
    struct inventory_device *d = inventory_find_uuid(i, s->uuid);

    if (!d)
        return NULL;
    d->sample = *s;
    d->is_sampled = true;
    d->sampled = now;
    return d;
}

bool inventory_has_new_driver(struct inventory *i,
                              const struct inventory_device *d)
{
    const char *driver = d->sample.driver;

    if (!*driver || strcmp(driver, d->survey.driver) == 0 ||
        strcmp(driver, i->driver) == 0)
        return false;
    memcpy(i->driver, driver, sizeof(i->driver));
    return true;
}

const struct sample *inventory_latest(const struct inventory_device *d,
                                      int64_t now)
{
    bool is_fresh = d->is_sampled && now - d->sampled <= INVENTORY_SAMPLE_AGE;

    return is_fresh ? &d->sample : NULL;
}

bool inventory_device_works(const struct inventory_device *d)
{
    return d->is_present && d->survey.decoder_count + d->survey.encoder_count;
}

void inventory_copy_surveys(const struct inventory *i, const char *id,
                            struct survey_device **ret, size_t *ret_count)
{
    struct survey_device *copies =
        xcalloc(SURVEY_DEVICES_MOST, sizeof(*copies));
    size_t count = 0;

    for (struct inventory_device *d = inventory_next(i, NULL);
         d && count < SURVEY_DEVICES_MOST; d = inventory_next(i, d)) {
        if (inventory_device_works(d) && (!id || strcmp(d->survey.id, id) == 0))
            survey_device_copy(&copies[count++], &d->survey);
    }
    *ret = copies;
    *ret_count = count;
}
