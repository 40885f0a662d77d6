/*
 * A job's document from anybody. What is taken must be written and read back
 * the same; what is refused must say why, in text that JSON can hold.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "model/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_back(const struct job *job)
{
    json_t *first = job_to_json(job);
    struct job again;
    struct error e = {0};

    assert(job_from_json(&again, first, &e) == 0);
    json_t *second = job_to_json(&again);
    assert(json_equal(first, second));
    assert(job_renditions(&again) == job_renditions(job));
    json_decref(first);
    json_decref(second);
    job_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct job job;
    struct error e = {0};

    if (job_from_text(&job, (const char *)data, size, &e) == 0) {
        read_back(&job);
        job_fini(&job);
        return 0;
    }
    assert(e.code < 0 && e.text[0]);
    assert(text_is_utf8(e.text, strlen(e.text)));
    assert(text_is_utf8(e.field, strlen(e.field)));
    return 0;
}
