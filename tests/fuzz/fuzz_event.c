/*
 * An event from a worker that nobody trusts: what is taken must be written and
 * read back the same.
 */
#include <assert.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "model/document.h"
#include "model/event.h"
#include "model/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_back(const struct event *ev)
{
    json_t *first = event_to_json(ev);
    struct event again;
    struct error e = {0};

    assert(event_from_json(&again, first, &e) == 0);
    json_t *second = event_to_json(&again);
    assert(json_equal(first, second));
    json_decref(first);
    json_decref(second);
    event_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = NULL;
    struct event ev;
    struct error e = {0};

    if (document_parse(&json, (const char *)data, size, LIMITS_MESSAGE, &e) < 0)
        return 0;
    if (event_from_json(&ev, json, &e) == 0) {
        read_back(&ev);
        event_fini(&ev);
    }
    json_decref(json);
    return 0;
}
