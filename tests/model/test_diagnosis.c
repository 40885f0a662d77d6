#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/diagnosis.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"

static char *process_text(const struct diagnosis_process *p)
{
    json_t *json = diagnosis_process_to_json(p);
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    return text;
}

static void process__nothing_known__is_null_and_comes_back(void **state)
{
    struct diagnosis_process p;
    struct diagnosis_process again;
    struct error e = {0};

    (void)state;
    diagnosis_process_init(&p);
    json_t *json = diagnosis_process_to_json(&p);
    assert_true(json_is_null(json_object_get(json, "cuda_result")));
    assert_true(json_is_null(json_object_get(json, "uid")));
    assert_int_equal(diagnosis_process_from_json(&again, json, &e), 0);
    assert_int_equal(again.cuda_result, DIAGNOSIS_UNKNOWN);
    assert_int_equal(again.nvml_result, DIAGNOSIS_UNKNOWN);
    json_decref(json);
    diagnosis_process_fini(&again);
}

static void process__all_there__comes_back_as_it_was(void **state)
{
    struct diagnosis_process p;
    struct diagnosis_process again;
    struct error e = {0};

    (void)state;
    diagnosis_process_init(&p);
    strcpy(p.step, "cuInit");
    p.uid = 990;
    p.groups = xcalloc(2, sizeof(*p.groups));
    p.groups[p.group_count++] = xstrdup("video");
    p.groups[p.group_count++] = xstrdup("render");
    p.variables[p.variable_count++] = (struct diagnosis_variable){
        "LD_LIBRARY_PATH", "/run/opengl-driver/lib"};
    p.nodes[p.node_count++] = (struct diagnosis_node){"/dev/nvidia0", 13};
    p.libraries[p.library_count++] = (struct diagnosis_library){
        .name = "libcuda.so.1", .problem = "no such file"};
    p.absences[p.absence_count++] =
        (struct diagnosis_absence){"encoder", "h264_nvenc", true, true};
    p.layers[p.layer_count++] = (struct diagnosis_layer){"landlock", "on", ""};
    p.cuda_result = 100;
    p.cuda_version = 11040;

    json_t *json = diagnosis_process_to_json(&p);
    assert_int_equal(diagnosis_process_from_json(&again, json, &e), 0);
    char *before = process_text(&p);
    char *after = process_text(&again);
    assert_string_equal(before, after);
    assert_string_equal(again.groups[1], "render");
    assert_int_equal(again.nodes[0].error, 13);
    assert_true(again.absences[0].is_gpu);
    free(before);
    free(after);
    json_decref(json);
    diagnosis_process_fini(&p);
    diagnosis_process_fini(&again);
}

static void variable__by_its_whole_name(void **state)
{
    struct diagnosis_process p;

    (void)state;
    diagnosis_process_init(&p);
    p.variables[p.variable_count++] =
        (struct diagnosis_variable){"CUDA_VISIBLE_DEVICES", ""};
    assert_string_equal(diagnosis_variable(&p, "CUDA_VISIBLE_DEVICES"), "");
    assert_null(diagnosis_variable(&p, "CUDA_VISIBLE"));
    assert_null(diagnosis_variable(&p, "NVIDIA_VISIBLE_DEVICES"));
}

static void diagnosis__folders__come_back_with_their_roles(void **state)
{
    struct diagnosis_folder folders[] = {
        {.role = DIAGNOSIS_STORE, .path = "/var/lib/transcoded", .free = 7},
        {.role = DIAGNOSIS_WRITE,
         .path = "/out",
         .error = 30,
         .is_read_only = true,
         .free = DIAGNOSIS_UNKNOWN,
         .total = DIAGNOSIS_UNKNOWN},
    };
    struct diagnosis d = {.version = "1.0", .pid = 17, .is_service = true};
    struct diagnosis again;
    struct error e = {0};

    (void)state;
    diagnosis_process_init(&d.process);
    d.folders = folders;
    d.folder_count = 2;
    json_t *json = diagnosis_to_json(&d);
    assert_int_equal(diagnosis_from_json(&again, json, &e), 0);
    assert_int_equal(again.pid, 17);
    assert_true(again.is_service);
    assert_int_equal(again.folder_count, 2);
    assert_int_equal(again.folders[1].role, DIAGNOSIS_WRITE);
    assert_true(again.folders[1].is_read_only);
    assert_int_equal(again.folders[1].free, DIAGNOSIS_UNKNOWN);
    assert_int_equal(again.folders[0].free, 7);
    json_decref(json);
    diagnosis_fini(&again);
}

static void diagnosis__of_another_shape__is_refused(void **state)
{
    struct diagnosis d;
    struct error e = {0};
    json_t *json =
        json_pack("{s:i, s:b, s:{}, s:[{s:s, s:s}]}", "pid", 1, "service", 0,
                  "process", "folders", "role", "odd", "path", "/");

    (void)state;
    assert_true(diagnosis_from_json(&d, json, &e) < 0);
    assert_string_equal(e.field, "folders[0].role");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process__nothing_known__is_null_and_comes_back),
        cmocka_unit_test(process__all_there__comes_back_as_it_was),
        cmocka_unit_test(variable__by_its_whole_name),
        cmocka_unit_test(diagnosis__folders__come_back_with_their_roles),
        cmocka_unit_test(diagnosis__of_another_shape__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
