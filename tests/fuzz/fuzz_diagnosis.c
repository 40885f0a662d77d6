/*
 * What a process that looked around tells, and the answer to Diagnose. What is
 * taken is written again in a form that is taken again, the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "model/diagnosis.h"
#include "model/document.h"

#define MOST (256 << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_words(const struct error *e)
{
    assert(e->code < 0 && e->text[0]);
    assert(text_is_utf8(e->text, strlen(e->text)));
    assert(text_is_utf8(e->field, strlen(e->field)));
}

static void read_process(const json_t *json)
{
    struct diagnosis_process p;
    struct diagnosis_process again;
    struct error e = {0};

    if (diagnosis_process_from_json(&p, json, &e) < 0) {
        assert_words(&e);
        return;
    }
    json_t *written = diagnosis_process_to_json(&p);
    assert(diagnosis_process_from_json(&again, written, &e) == 0);
    json_t *twice = diagnosis_process_to_json(&again);
    assert(json_equal(written, twice));
    json_decref(written);
    json_decref(twice);
    diagnosis_process_fini(&p);
    diagnosis_process_fini(&again);
}

static void read_folder(const json_t *json)
{
    struct diagnosis_folder f;
    struct error e = {0};

    if (diagnosis_folder_from_json(&f, json, &e) < 0) {
        assert_words(&e);
        return;
    }
    json_t *written = diagnosis_folder_to_json(&f);
    assert(diagnosis_folder_from_json(&f, written, &e) == 0);
    json_decref(written);
}

static void read_answer(const json_t *json)
{
    struct diagnosis d;
    struct diagnosis again;
    struct error e = {0};

    if (diagnosis_from_json(&d, json, &e) < 0) {
        assert_words(&e);
        return;
    }
    json_t *written = diagnosis_to_json(&d);
    assert(diagnosis_from_json(&again, written, &e) == 0);
    json_decref(written);
    diagnosis_fini(&d);
    diagnosis_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error e = {0};
    json_t *json;

    if (document_parse(&json, (const char *)data, size, MOST, &e) < 0) {
        assert_words(&e);
        return 0;
    }
    read_process(json);
    read_folder(json);
    read_answer(json);
    json_decref(json);
    return 0;
}
