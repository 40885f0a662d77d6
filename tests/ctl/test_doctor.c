/*
 * One patient in good health, on whom one thing after the other is broken: the
 * right line changes, and only that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/memory.h"
#include "machine.h"
#include "model/diagnosis.h"
#include "unit.h"

struct ward {
    struct machine machine;
    struct diagnosis service;
    struct diagnosis_folder folders[3];
    struct diagnosis_session sessions[1];
    struct doctor_outlook here[3];
    struct unit unit;
    json_t *devices;
    struct patient patient;
};

static const struct machine healthy_machine = {
    .cards = {{"0000:00:02.0", 0x8086, 0x0412, "i915"},
              {"0000:01:00.0", MACHINE_NVIDIA, 0x1cb1, "nvidia"}},
    .card_count = 2,
    .drm = {{"card0", "0000:01:00.0", "nvidia", false},
            {"card1", "0000:00:02.0", "i915", true},
            {"renderD128", "0000:01:00.0", "nvidia", false},
            {"renderD129", "0000:00:02.0", "i915", false}},
    .drm_count = 4,
    .modules = {true, true, true, true, false},
    .driver = "470.256.02",
    .nodes = {{true, S_IFCHR | 0666, "root", "root"},
              {true, S_IFCHR | 0666, "root", "root"},
              {true, S_IFCHR | 0666, "root", "root"},
              {true, S_IFCHR | 0666, "root", "root"},
              {true, S_IFCHR | 0666, "root", "root"},
              {true, S_IFCHR | 0660, "root", "video"},
              {true, S_IFCHR | 0660, "root", "render"}},
    .has_persistence = true,
    .is_nixos = true,
};

static const struct diagnosis_process healthy_process = {
    .uid = 990,
    .gid = 990,
    .user = "transcoded",
    .variables = {{"LD_LIBRARY_PATH",
                   "/run/opengl-driver/lib:/run/opengl-driver-32/lib"},
                  {"CUDA_VISIBLE_DEVICES", "0"},
                  {"NVIDIA_VISIBLE_DEVICES", "all"},
                  {"NVIDIA_DRIVER_CAPABILITIES", "compute,video,utility"}},
    .variable_count = 4,
    .nodes = {{"/dev/nvidia0", 0},
              {"/dev/nvidiactl", 0},
              {"/dev/nvidia-modeset", 0},
              {"/dev/nvidia-uvm", 0},
              {"/dev/nvidia-uvm-tools", 0},
              {"/dev/dri/card0", 0},
              {"/dev/dri/renderD128", 0}},
    .node_count = 7,
    .libraries = {{"libcuda.so.1", "/nix/store/x/lib/libcuda.so.470.256.02",
                   ""},
                  {"libnvcuvid.so.1",
                   "/nix/store/x/lib/libnvcuvid.so.470.256.02", ""},
                  {"libnvidia-encode.so.1",
                   "/nix/store/x/lib/libnvidia-encode.so.470.256.02", ""},
                  {"libnvidia-ml.so.1",
                   "/nix/store/x/lib/libnvidia-ml.so.470.256.02", ""}},
    .library_count = 4,
    .cuda_result = 0,
    .cuda_version = 11040,
    .cuda_devices = 1,
    .nvml_result = 0,
    .nvml_driver = "470.256.02",
    .nvenc_api = "11.1",
    .layers = {{"files", "on", ""}, {"calls", "on", ""}},
    .layer_count = 2,
};

static const char healthy_devices[] =
    "[{\"id\":\"cpu\",\"gpu\":null},{\"id\":\"cuda:0\",\"health\":\"ok\","
    "\"gpu\":{\"sessions\":{\"own\":1,\"foreign\":0,\"limit\":3},"
    "\"vram_total\":4294967296,\"vram_free\":3221225472,\"temperature\":48,"
    "\"power\":18.5,\"marks\":{\"vram\":\"ok\",\"temperature\":\"ok\","
    "\"power\":\"ok\"},\"decoders\":[\"h264\",\"hevc\"],"
    "\"encoders\":[\"h264\",\"hevc\"],\"problems\":[],"
    "\"processes\":[{\"pid\":17,\"vram\":104857600,\"name\":\"python3\"}]}}]";

static void heal(struct ward *w)
{
    struct diagnosis_process *p = &w->service.process;

    *w = (struct ward){
        .machine = healthy_machine,
        .service = {.version = TRANSCODED_VERSION,
                    .pid = 17,
                    .is_service = true,
                    .is_surveyed = true,
                    .process = healthy_process},
        .folders = {{.role = DIAGNOSIS_STORE,
                     .path = "/var/lib/transcoded",
                     .free = 1LL << 40,
                     .total = 1LL << 41},
                    {.role = DIAGNOSIS_READ,
                     .path = "/media",
                     .free = 0, // a full disk can be read
                     .total = 1LL << 41},
                    {.role = DIAGNOSIS_WRITE,
                     .path = "/out",
                     .free = 1LL << 40,
                     .total = 1LL << 41}},
        .sessions = {{"cuda:0", 18, "transcoded-wor", "h264", 1920, 1080}},
    };
    w->service.folders = w->folders;
    w->service.folder_count = 3;
    w->service.sessions = w->sessions;
    w->service.session_count = 1;
    p->groups = xcalloc(2, sizeof(*p->groups));
    p->groups[p->group_count++] = xstrdup("video");
    p->groups[p->group_count++] = xstrdup("render");
    w->devices = json_loads(healthy_devices, 0, NULL);
    assert_non_null(w->devices);
    w->patient = (struct patient){.machine = &w->machine,
                                  .service = &w->service,
                                  .here = w->here,
                                  .devices = w->devices,
                                  .problem = ""};
}

static void discharge(struct ward *w)
{
    diagnosis_process_fini(&w->service.process);
    unit_fini(&w->unit);
    json_decref(w->devices);
}

/* "id:state" of what applies and is not as good as can be, in a line. */
static char *look(const struct patient *p)
{
    char *all = xstrdup("");

    for (size_t i = 0; i < doctor_check_count; i++) {
        struct finding f = {.state = FINDING_GOOD};
        if (!doctor_applies(&doctor_checks[i], p))
            continue;
        doctor_checks[i].look(p, &f);
        assert_non_null(f.found);
        assert_true(f.state != FINDING_BAD || f.fix);
        print_message("  %s %s: %s%s%s\n", doctor_checks[i].id,
                      finding_state_name(f.state), f.found, f.fix ? " => " : "",
                      f.fix ? f.fix : "");
        if (f.state != FINDING_GOOD) {
            char *longer =
                xasprintf("%s%s%s:%s", all, *all ? " " : "",
                          doctor_checks[i].id, finding_state_name(f.state));
            free(all);
            all = longer;
        }
        finding_fini(&f);
    }
    return all;
}

static struct diagnosis_process *process(struct ward *w)
{
    return &w->service.process;
}

static json_t *gpu(struct ward *w)
{
    return json_object_get(json_array_get(w->devices, 1), "gpu");
}

static void mark(struct ward *w, const char *reading, const char *value)
{
    json_object_set_new(json_object_get(gpu(w), "marks"), reading,
                        json_string(value));
}

#define BREAKS(name) static void name(struct ward *w)

BREAKS(nothing)
{
    (void)w;
}
BREAKS(nouveau)
{
    strcpy(w->machine.cards[1].driver, "nouveau");
}
BREAKS(unbound)
{
    w->machine.cards[1].driver[0] = '\0';
}
BREAKS(vfio)
{
    strcpy(w->machine.cards[1].driver, "vfio-pci");
}
BREAKS(odd_driver)
{
    strcpy(w->machine.cards[1].driver, "odd");
}
BREAKS(no_uvm)
{
    w->machine.modules[MACHINE_NVIDIA_UVM] = false;
}
BREAKS(no_core)
{
    w->machine.modules[MACHINE_NVIDIA_CORE] = false;
}
BREAKS(no_modeset)
{
    w->machine.modules[MACHINE_NVIDIA_MODESET] = false;
}
BREAKS(no_drm)
{
    w->machine.modules[MACHINE_NVIDIA_DRM] = false;
}
static void set_driver(struct ward *w, const char *version)
{
    strcpy(w->machine.driver, version);
    w->service.process.library_count = 0; // theirs are another line's matter
    w->service.process.nvml_driver[0] = '\0';
}
BREAKS(old_driver)
{
    set_driver(w, "460.91.03");
}
BREAKS(other_driver)
{
    set_driver(w, "535.261.03");
}
BREAKS(new_driver)
{
    set_driver(w, "590.48.01");
}
BREAKS(igpu_first)
{
    strcpy(w->machine.drm[0].slot, "0000:00:02.0");
    strcpy(w->machine.drm[0].driver, "i915");
    strcpy(w->machine.drm[1].slot, "0000:01:00.0");
    strcpy(w->machine.drm[1].driver, "nvidia");
}
BREAKS(no_persistence)
{
    w->machine.has_persistence = false;
}
BREAKS(monitor)
{
    w->machine.has_persistence = false;
    w->machine.drm[0].is_lit = true;
}
BREAKS(no_node)
{
    w->machine.nodes[0].exists = false;
}
BREAKS(no_node_no_access)
{
    w->machine.nodes[3].exists = false;
    process(w)->nodes[3].error = ENOENT;
}
BREAKS(no_modeset_node)
{
    w->machine.nodes[2].exists = false;
}
BREAKS(no_render_node)
{
    w->machine.nodes[6].exists = false;
}
BREAKS(no_display_driver)
{
    w->machine.drm_count = 0;
    w->machine.nodes[5].exists = false;
    w->machine.nodes[6].exists = false;
    process(w)->nodes[5].error = ENOENT;
    process(w)->nodes[6].error = ENOENT;
}
BREAKS(device_rule)
{
    process(w)->nodes[3].error = EPERM;
}
BREAKS(mode)
{
    process(w)->nodes[0].error = EACCES;
}
BREAKS(private_devices)
{
    process(w)->nodes[1].error = ENOENT;
}
BREAKS(no_driver_behind)
{
    process(w)->nodes[0].error = ENXIO;
}
BREAKS(io_error)
{
    process(w)->nodes[0].error = EIO;
}
BREAKS(render_rule)
{
    process(w)->nodes[6].error = EPERM;
}
BREAKS(no_group)
{
    free(process(w)->groups[--process(w)->group_count]);
}
BREAKS(cards_hidden)
{
    process(w)->variables[1].value[0] = '\0';
}
BREAKS(cards_hidden_by_number)
{
    strcpy(process(w)->variables[1].value, "-1");
}
BREAKS(card_that_is_not)
{
    strcpy(process(w)->variables[1].value, "1");
    process(w)->cuda_result = 100;
    process(w)->cuda_devices = DIAGNOSIS_UNKNOWN;
}
BREAKS(container_without)
{
    strcpy(process(w)->variables[2].value, "void");
}
BREAKS(container_deaf)
{
    strcpy(process(w)->variables[3].value, "compute");
}
BREAKS(no_variables)
{
    process(w)->variable_count = 1;
}
BREAKS(other_path)
{
    strcpy(process(w)->variables[0].value, "/opt/lib");
}
BREAKS(no_path)
{
    memmove(process(w)->variables, process(w)->variables + 1,
            3 * sizeof(process(w)->variables[0]));
    process(w)->variable_count = 3;
}
BREAKS(no_path_elsewhere)
{
    no_path(w);
    w->machine.is_nixos = false;
}
BREAKS(no_library)
{
    process(w)->libraries[2].path[0] = '\0';
    strcpy(process(w)->libraries[2].problem, "no such file");
}
BREAKS(cuda_999)
{
    process(w)->cuda_result = 999;
}
BREAKS(cuda_7)
{
    process(w)->cuda_result = 7;
}
BREAKS(cuda_empty)
{
    process(w)->cuda_devices = 0;
}
BREAKS(cuda_unasked)
{
    process(w)->cuda_result = DIAGNOSIS_UNKNOWN;
}
BREAKS(nvml_18)
{
    process(w)->nvml_result = 18;
}
BREAKS(other_library)
{
    strcpy(process(w)->libraries[0].path, "/lib/libcuda.so.535.54.03");
}
BREAKS(new_headers)
{
    strcpy(w->service.nvenc_headers, "12.0");
}
BREAKS(new_headers_found)
{
    new_headers(w);
    json_object_set_new(json_array_get(w->devices, 1), "health",
                        json_string("headers are too new"));
    json_object_set_new(gpu(w), "problems",
                        json_pack("[s]", "headers are too new"));
}
BREAKS(old_headers)
{
    strcpy(w->service.nvenc_headers, "11.0");
}
static void lack(struct ward *w, const char *name, bool is_gpu, bool is_needed)
{
    struct diagnosis_absence *a = &process(w)->absences[0];

    strcpy(a->kind, "encoder");
    strcpy(a->name, name);
    a->is_gpu = is_gpu;
    a->is_needed = is_needed;
    process(w)->absence_count = 1;
}
BREAKS(no_nvenc)
{
    lack(w, "h264_nvenc", true, true);
}
BREAKS(no_vorbis)
{
    lack(w, "libvorbis", false, false);
}
BREAKS(partly)
{
    json_object_set_new(gpu(w), "problems", json_pack("[s]", "no B-frames"));
}
BREAKS(useless_and_told)
{
    json_object_set_new(json_array_get(w->devices, 1), "health",
                        json_string("lost"));
    json_object_set_new(gpu(w), "problems", json_pack("[s]", "no context"));
}
BREAKS(useless)
{
    json_object_set_new(json_array_get(w->devices, 1), "health",
                        json_string("it can neither decode nor encode"));
}
BREAKS(not_surveyed)
{
    json_array_remove(w->devices, 1);
    w->patient.problem = "the survey took longer than 60 s";
}
BREAKS(survey_under_way)
{
    not_surveyed(w);
    w->service.is_surveyed = false;
}
BREAKS(sessions_gone)
{
    json_object_set_new(
        gpu(w), "sessions",
        json_pack("{s:i, s:i, s:i}", "own", 0, "foreign", 3, "limit", 3));
}
BREAKS(sessions_unlimited)
{
    json_object_set_new(
        gpu(w), "sessions",
        json_pack("{s:i, s:i, s:n}", "own", 0, "foreign", 3, "limit"));
}
BREAKS(sessions_unknown)
{
    json_object_set_new(
        gpu(w), "sessions",
        json_pack("{s:n, s:n, s:i}", "own", "foreign", "limit", 3));
}
BREAKS(memory_full)
{
    mark(w, "vram", "bad");
}
BREAKS(memory_unknown)
{
    json_object_set_new(gpu(w), "vram_free", json_null());
}
BREAKS(hot)
{
    mark(w, "temperature", "bad");
}
BREAKS(warm)
{
    mark(w, "temperature", "warn");
}
BREAKS(idle)
{
    mark(w, "temperature", "info");
}
BREAKS(power_unknown)
{
    json_object_set_new(gpu(w), "power", json_null());
    mark(w, "power", "none");
}
BREAKS(power_high)
{
    mark(w, "power", "bad");
}
BREAKS(as_root)
{
    process(w)->uid = 0;
}
BREAKS(by_hand_as_root)
{
    process(w)->uid = 0;
    w->service.is_service = false;
}
BREAKS(other_version)
{
    strcpy(w->service.version, "9.9");
}
BREAKS(worker_hangs)
{
    strcpy(process(w)->problem, "no answer within 10 s at cuInit");
}
BREAKS(open_layer)
{
    strcpy(process(w)->layers[0].state, "not available");
}
BREAKS(needless_layer)
{
    strcpy(process(w)->layers[1].state, "not applicable");
}
BREAKS(too_tight)
{
    strcpy(process(w)->confined, "cuInit answers 100");
}
BREAKS(too_tight_without_driver)
{
    too_tight(w);
    process(w)->cuda_result = 999;
}
BREAKS(no_layers)
{
    process(w)->layer_count = 0;
}
BREAKS(store_denied)
{
    w->folders[0].error = EACCES;
}
BREAKS(store_read_only)
{
    w->folders[0].error = EROFS;
    w->here[0].exists = true;
}
BREAKS(store_full)
{
    w->folders[0].free = 1 << 20;
}
BREAKS(out_low)
{
    w->folders[2].free = 1 << 30;
}
BREAKS(out_unsized)
{
    w->folders[2].free = w->folders[2].total = 0;
}
BREAKS(root_denied)
{
    w->folders[1].error = EACCES;
    w->here[1].exists = true;
}
BREAKS(root_gone)
{
    w->folders[1].error = ENOENT;
}
BREAKS(root_hangs)
{
    strcpy(w->folders[1].problem, "no answer within 10 s");
}
BREAKS(root_hidden)
{
    w->folders[1].error = ENOENT;
    w->here[1].exists = true;
}
BREAKS(root_at_home)
{
    strcpy(w->folders[1].path, "/home/alice/films");
    w->folders[1].error = EACCES;
    w->here[1].exists = true;
}
BREAKS(root_at_home_by_hand)
{
    root_at_home(w);
    w->service.is_service = false;
}
BREAKS(out_read_only)
{
    w->folders[2].error = EROFS;
    w->here[2].exists = true;
    w->here[2].is_read_only = true;
}
/* With nothing amiss: roots, what is above or below one, the store, and the
 * driver's libraries. */
BREAKS(unit_fits)
{
    unit_parse(&w->unit, "ReadWritePaths=/out/films /var/lib/transcoded\n"
                         "ReadOnlyPaths=/ /media/ /out /run/opengl-driver\n");
    w->patient.unit = &w->unit;
}
BREAKS(unit_writes_more)
{
    unit_parse(&w->unit, "ReadWritePaths=/out /media /outer\n");
    w->patient.unit = &w->unit;
}
BREAKS(unit_reads_more)
{
    unit_parse(&w->unit, "ReadOnlyPaths=/media /srv/films\n");
    w->patient.unit = &w->unit;
}
BREAKS(out_not_in_unit)
{
    w->folders[2].error = EROFS;
    w->here[2].exists = true;
}
BREAKS(no_roots)
{
    w->service.folder_count = 1;
}
BREAKS(silent)
{
    w->patient.service = NULL;
    w->patient.silence = FINDING_BAD;
    w->patient.reason = "there is no socket";
    w->patient.remedy = "systemctl start transcoded.socket";
}
BREAKS(secretive)
{
    silent(w);
    w->patient.silence = FINDING_WARNING;
}
static void take_card(struct ward *w)
{
    w->machine =
        (struct machine){.cards = {healthy_machine.cards[0]}, .card_count = 1};
    process(w)->cuda_result = DIAGNOSIS_UNKNOWN;
    process(w)->cuda_devices = DIAGNOSIS_UNKNOWN;
    json_array_remove(w->devices, 1);
}
BREAKS(no_card)
{
    take_card(w);
    no_nvenc(w);
}
BREAKS(no_card_no_service)
{
    take_card(w);
    silent(w);
}
BREAKS(hidden_card)
{
    w->machine = healthy_machine;
    w->machine.card_count = 1;
}

// clang-format off
static const struct {
    const char *name;
    void (*breaks)(struct ward *w);
    const char *expect; // what is not good
} cases[] = {
#define CASE(breaks, expect) {#breaks, breaks, expect}
    CASE(nothing, ""),
    CASE(nouveau, "card:bad"),
    CASE(unbound, "card:bad"),
    CASE(vfio, "card:bad"),
    CASE(odd_driver, "card:bad"),
    CASE(no_uvm, "modules:bad"),
    CASE(no_core, "modules:bad"),
    CASE(no_modeset, "modules:warning"),
    CASE(no_drm, "modules:warning"),
    CASE(old_driver, "driver:bad libraries:note match:note"),
    CASE(other_driver, "driver:warning libraries:note match:note"),
    CASE(new_driver, "driver:bad libraries:note match:note"),
    CASE(igpu_first, "display:warning"),
    CASE(no_persistence, "persistence:warning"),
    CASE(monitor, ""),
    CASE(no_node, "nodes:bad"),
    CASE(no_node_no_access, "nodes:bad"),
    CASE(no_modeset_node, "nodes:warning"),
    CASE(no_render_node, "nodes:warning"),
    CASE(no_display_driver, "display:note nodes:note"),
    CASE(device_rule, "access:bad"),
    CASE(mode, "access:bad"),
    CASE(private_devices, "access:bad"),
    CASE(no_driver_behind, "access:bad"),
    CASE(io_error, "access:bad"),
    CASE(render_rule, "access:warning"),
    CASE(no_group, "groups:warning"),
    CASE(cards_hidden, "variables:bad cuda:note"),
    CASE(cards_hidden_by_number, "variables:bad cuda:note"),
    CASE(card_that_is_not, "variables:bad cuda:note"),
    CASE(container_without, "variables:warning"),
    CASE(container_deaf, "variables:warning"),
    CASE(no_variables, ""),
    CASE(other_path, "library-path:bad"),
    CASE(no_path, "library-path:bad"),
    CASE(no_path_elsewhere, ""),
    CASE(no_library, "libraries:bad survey:note"),
    CASE(cuda_999, "cuda:bad"),
    CASE(cuda_7, "cuda:bad"),
    CASE(cuda_empty, "cuda:bad"),
    CASE(cuda_unasked, "cuda:note"),
    CASE(nvml_18, "match:bad"),
    CASE(other_library, "match:bad"),
    CASE(new_headers, "nvenc:bad survey:note"),
    CASE(new_headers_found, "nvenc:bad survey:note"),
    CASE(old_headers, ""),
    CASE(no_nvenc, "ffmpeg:bad"),
    CASE(no_vorbis, "ffmpeg:warning"),
    CASE(partly, "survey:warning"),
    CASE(useless, "survey:bad"),
    CASE(useless_and_told, "survey:bad"),
    CASE(not_surveyed, "survey:bad sessions:note memory:note health:note"),
    CASE(survey_under_way,
         "survey:note sessions:note memory:note health:note"),
    CASE(sessions_gone, "survey:note sessions:warning"),
    CASE(sessions_unlimited, ""),
    CASE(sessions_unknown, "sessions:note"),
    CASE(memory_full, "survey:note memory:bad"),
    CASE(memory_unknown, "memory:note"),
    CASE(hot, "health:bad"),
    CASE(warm, "health:warning"),
    CASE(idle, ""),
    CASE(power_unknown, "health:note"),
    CASE(power_high, "health:bad"),
    CASE(as_root, "service:warning groups:note"),
    CASE(by_hand_as_root, "groups:note"),
    CASE(other_version, "service:warning"),
    CASE(worker_hangs, "worker:bad"),
    CASE(open_layer, "sandbox:warning"),
    CASE(needless_layer, ""),
    CASE(too_tight, "sandbox:bad"),
    CASE(too_tight_without_driver, "cuda:bad"),
    CASE(no_layers, "sandbox:note"),
    CASE(store_denied, "store:bad"),
    CASE(store_read_only, "store:bad"),
    CASE(store_full, "space:bad"),
    CASE(out_low, "space:warning"),
    CASE(out_unsized, ""),
    CASE(root_denied, "roots:bad"),
    CASE(root_gone, "roots:bad"),
    CASE(root_hangs, "roots:bad"),
    CASE(root_hidden, "unit:bad"),
    CASE(root_at_home, "unit:bad"),
    CASE(root_at_home_by_hand, "roots:bad"),
    CASE(out_read_only, "roots:bad"),
    CASE(out_not_in_unit, "unit:bad"),
    CASE(unit_fits, ""),
    CASE(unit_writes_more, "unit:warning"),
    CASE(unit_reads_more, "unit:warning"),
    CASE(no_roots, "roots:note unit:note"),
    CASE(silent, "service:bad"),
    CASE(secretive, "service:warning"),
    CASE(no_card, "card:note"),
    CASE(no_card_no_service, "card:note service:bad"),
    CASE(hidden_card, "card:note display:note"),
};
// clang-format on

static void checks__one_thing_broken__that_line_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ward w;
        heal(&w);
        cases[i].breaks(&w);
        print_message("%s\n", cases[i].name);
        char *found = look(&w.patient);
        assert_string_equal(found, cases[i].expect);
        free(found);
        discharge(&w);
    }
}

/* What @id says of @w, and what mends it; the caller frees. */
static char *say(const struct ward *w, const char *id)
{
    struct finding f = {.state = FINDING_GOOD};
    size_t i = 0;

    while (strcmp(doctor_checks[i].id, id) != 0)
        i++;
    doctor_checks[i].look(&w->patient, &f);
    char *all = xasprintf("%s => %s", f.found, f.fix ? f.fix : "");
    finding_fini(&f);
    return all;
}

static void checks__words__say_what_and_what_mends_it(void **state)
{
    static const struct {
        void (*breaks)(struct ward *w);
        const char *id;
        const char *expect;
    } words[] = {
        {nothing, "card", "Quadro P1000 (10de:1cb1) at 0000:01:00.0 => "},
        {nothing, "nodes",
         "nvidia0, nvidiactl, nvidia-modeset, nvidia-uvm, nvidia-uvm-tools "
         "crw-rw-rw- root:root; dri/card0 crw-rw---- root:video; "
         "dri/renderD128 crw-rw---- root:render => "},
        {nothing, "sessions",
         "cuda:0: 1 ours, 0 of others, 3 at most: transcoded-wor (pid 18) h264 "
         "1920x1080 => "},
        {nothing, "memory",
         "cuda:0: 3.0G of 4.0G are free: python3 (pid 17) 100.0M => "},
        {nothing, "health", "cuda:0: 48 °C; cuda:0: 18 W => "},
        {igpu_first, "display",
         "card0 belongs to 'i915' at 0000:00:02.0, NVIDIA's is card1; "
         "renderD128 is NVIDIA's => DeviceAllow=/dev/dri/card1 rw (systemctl "
         "edit transcoded)"},
        {device_rule, "access",
         "/dev/nvidia-uvm: the unit's device rules refuse it => "
         "DeviceAllow=/dev/nvidia-uvm rw in the unit; if it is there, "
         "systemctl restart transcoded: the node is younger than the service"},
        {private_devices, "access",
         "/dev/nvidiactl: the service cannot see it => PrivateDevices=no in "
         "the unit, which hides /dev/nvidiactl"},
        {new_headers, "nvenc",
         "the driver speaks NVENC 11.1, this FFmpeg was built for 12.0 => use "
         "an FFmpeg built with nv-codec-headers 11.1 (nix/ffmpeg-legacy.nix), "
         "or a newer driver"},
        {unit_writes_more, "unit",
         "/media is in the unit's ReadWritePaths=, and is no root: no job may "
         "use it; /outer is in the unit's ReadWritePaths=, and is no root: no "
         "job may use it => add it to roots.write in the configuration, or "
         "take it from ReadWritePaths= in the unit"},
        {unit_reads_more, "unit",
         "/srv/films is in the unit's ReadOnlyPaths=, and is no root: no job "
         "may use it => add it to roots.read in the configuration, or take it "
         "from ReadOnlyPaths= in the unit"},
        {out_not_in_unit, "unit",
         "/out is read-only for the service, and for others it is not => "
         "ReadWritePaths=/out in the unit"},
        {root_hidden, "unit",
         "/media is hidden from the service (ProtectHome=, PrivateTmp=, …) => "
         "BindReadOnlyPaths=/media in the unit"},
        {root_at_home, "unit",
         "/home/alice/films is hidden from the service (ProtectHome=, "
         "PrivateTmp=, …) => ProtectHome=tmpfs and "
         "BindReadOnlyPaths=/home/alice/films in the unit"},
        {other_library, "match",
         "libcuda.so.1 is 535.54.03, the kernel's part is 470.256.02 => "
         "reboot; "
         "or without one: systemctl stop transcoded, rmmod nvidia_drm "
         "nvidia_modeset nvidia_uvm nvidia, modprobe nvidia"},
        {no_card, "card", "no NVIDIA card: the CPU does the work => "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct ward w;
        heal(&w);
        words[i].breaks(&w);
        char *said = say(&w, words[i].id);
        assert_string_equal(said, words[i].expect);
        free(said);
        discharge(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks__one_thing_broken__that_line_changes),
        cmocka_unit_test(checks__words__say_what_and_what_mends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
