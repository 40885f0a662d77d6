/*
 * What a survey said or a file remembers of one: what is taken must be written
 * and read back the same, and a copy of a device must be the device.
 */
#include <assert.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "model/document.h"
#include "model/limits.h"
#include "model/survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Consumes both. */
static void assert_same(json_t *a, json_t *b)
{
    assert(json_equal(a, b));
    json_decref(a);
    json_decref(b);
}

static void read_back(const struct survey *s)
{
    json_t *json = survey_to_json(s);
    struct survey again;
    struct error e = {0};

    assert(survey_from_json(&again, json, &e) == 0);
    assert_same(json, survey_to_json(&again));
    survey_fini(&again);
}

static void copy(const struct survey_device *d)
{
    struct survey_device c;

    survey_device_copy(&c, d);
    assert_same(survey_device_to_json(d), survey_device_to_json(&c));
    survey_device_fini(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = NULL;
    struct survey s;
    struct error e = {0};

    if (document_parse(&json, (const char *)data, size, LIMITS_MESSAGE, &e) < 0)
        return 0;
    if (survey_from_json(&s, json, &e) == 0) {
        read_back(&s);
        for (size_t i = 0; i < s.device_count; i++)
            copy(&s.devices[i]);
        survey_fini(&s);
    }
    json_decref(json);
    return 0;
}
