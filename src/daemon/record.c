#include "record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "model/event.h"
#include "model/grant.h"

static void set(char **text, char *value)
{
    free(*text);
    *text = value;
}

static char *dump(const json_t *json)
{
    return json_dumps(json, JSON_COMPACT);
}

static char *dump_texts(char *const *texts, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(texts[i]));
    char *text = dump(array);
    json_decref(array);
    return text;
}

void record_begin(struct store_attempt *r, int64_t number)
{
    store_attempt_fini(r);
    *r = (struct store_attempt){.number = number, .started = clock_wall()};
}

void record_grant(struct store_attempt *r, const struct grant *grant,
                  const char *fallback)
{
    json_t *json = grant_to_json(grant);

    (void)snprintf(r->device, sizeof(r->device), "%s", grant->device);
    set(&r->given, dump(json));
    set(&r->fallback, xstrdup(fallback));
    json_decref(json);
}

void record_plan(struct store_attempt *r, const struct event_ready *ready)
{
    (void)snprintf(r->device, sizeof(r->device), "%s", ready->device);
    set(&r->plan, dump_texts(ready->plan, ready->plan_count));
    set(&r->why, dump_texts(ready->why, ready->why_count));
}

void record_end(struct store_attempt *r, enum outcome outcome, const char *text,
                const struct json_t *log)
{
    r->ended = clock_wall();
    r->outcome = outcome;
    set(&r->text, xstrdup(text));
    set(&r->log, log ? dump(log) : NULL);
}

void record_outcome(struct store_attempt *r, const struct json_t *event)
{
    set(&r->detail, dump(event));
}
