#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"
#include "bench.h"
#include "bench_crowd.h"
#include "command.h"
#include "model/device_profile.h"
#include "session.h"
#include "table.h"
#include "terminal.h"
#include "wire/client.h"
#include "wire/interface.h"

#define REFERENCE  "quadro-p1000" // the card whose figures are shown beside

#define TESTS_MOST 8

/* What the service said before anything was measured, and then the figures. */
struct board {
    char names[BENCH_SIDE_COUNT][96]; // "cuda:0, Quadro P1000"
    char gpu[16];                     // id of the one that is measured
    bool has_gpu;
    char problem[160];               // why there is no GPU
    struct device_profile reference; // of cards, for what is expected
    bool has_reference;
    struct bench_figure figures[BENCH_SIDE_COUNT][TESTS_MOST];
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* The first GPU that has an encoder and is well, and the CPU. */
static void choose_devices(struct board *b, const json_t *answer)
{
    size_t i;
    const json_t *device;

    (void)snprintf(b->problem, sizeof(b->problem), "%s",
                   text_of(answer, "problem"));
    json_array_foreach (json_object_get(answer, "devices"), i, device) {
        const json_t *gpu = json_object_get(device, "gpu");
        const char *health = text_of(device, "health");
        if (!json_is_object(gpu)) {
            (void)snprintf(b->names[BENCH_CPU], sizeof(b->names[0]), "%s",
                           text_of(device, "name"));
            continue;
        }
        if (b->has_gpu)
            continue;
        b->has_gpu = strcmp(health, "ok") == 0 &&
                     json_array_size(json_object_get(gpu, "encoders")) > 0;
        (void)snprintf(b->gpu, sizeof(b->gpu), "%s", text_of(device, "id"));
        (void)snprintf(b->names[BENCH_GPU], sizeof(b->names[0]), "%s, %s",
                       text_of(device, "id"), text_of(device, "name"));
        if (!b->has_gpu)
            (void)snprintf(b->problem, sizeof(b->problem), "%s",
                           strcmp(health, "ok") == 0 ? "it has no encoder"
                                                     : health);
    }
    if (!b->has_gpu && !b->problem[0])
        (void)snprintf(b->problem, sizeof(b->problem), "there is no GPU");
}

static void choose_reference(struct board *b, const json_t *answer)
{
    size_t i;
    const json_t *card;
    struct error e = {0};

    json_array_foreach (json_object_get(answer, "cards"), i, card) {
        if (strcmp(text_of(card, "name"), REFERENCE) == 0)
            b->has_reference =
                device_profile_from_json(
                    &b->reference, json_object_get(card, "document"), &e) == 0;
    }
}

static enum status ask(struct board *b, const struct invocation *v)
{
    struct client *c;
    json_t *devices = NULL;
    json_t *profiles = NULL;

    enum status s = session_open(&c, v);
    if (s != STATUS_GOOD)
        return s;
    s = session_ask(&devices, c, v, INTERFACE_DEVICES, NULL);
    if (s == STATUS_GOOD)
        s = session_ask(&profiles, c, v, INTERFACE_PROFILES, NULL);
    client_close(c);
    choose_devices(b, devices);
    choose_reference(b, profiles);
    json_decref(devices);
    json_decref(profiles);
    return s;
}

/* What is expected of a test, or NULL. */
static const struct device_expectation *expected_of(const struct board *b,
                                                    const char *test)
{
    for (size_t i = 0; b->has_reference && i < b->reference.expected_count;
         i++) {
        if (strcmp(b->reference.expected[i].name, test) == 0)
            return &b->reference.expected[i];
    }
    return NULL;
}

static enum status measure_side(struct board *b, const struct bench_config *c,
                                enum bench_side side, struct error *e)
{
    struct bench_figure *figures = b->figures[side];
    enum status s = STATUS_GOOD;

    for (size_t i = 0; s == STATUS_GOOD && i < bench_test_count; i++) {
        if (side == BENCH_GPU && !b->has_gpu) {
            figures[i].value = -1;
            (void)snprintf(figures[i].text, sizeof(figures[i].text), "%s",
                           b->problem);
            continue;
        }
        (void)fprintf(stderr, "measuring: %s, on %s\n", bench_tests[i].title,
                      side == BENCH_GPU ? "the GPU" : "the CPU");
        s = bench_measure(c, i, side, i ? figures[i - 1].value : -1,
                          &figures[i], e);
    }
    return s;
}

static enum status measure(struct board *b, const struct bench_config *c,
                           struct error *e)
{
    (void)fprintf(stderr, "making the clips\n");
    int r = bench_prepare(c, e);
    if (r < 0)
        return r == -EINTR ? STATUS_INTERRUPTED : STATUS_REFUSED;
    enum status s = measure_side(b, c, BENCH_GPU, e);
    return s == STATUS_GOOD ? measure_side(b, c, BENCH_CPU, e) : s;
}

static json_t *range_to_json(const struct device_range *r)
{
    return json_pack("[f, f]", r->least, r->most);
}

static void print_json(const struct board *b)
{
    json_t *tests = json_array();

    for (size_t i = 0; i < bench_test_count; i++) {
        const struct device_expectation *x =
            expected_of(b, bench_tests[i].name);
        json_t *test = json_pack("{s:s, s:s}", "name", bench_tests[i].name,
                                 "unit", bench_tests[i].unit);
        for (int side = 0; side < BENCH_SIDE_COUNT; side++) {
            double value = b->figures[side][i].value;
            json_object_set_new(test, side == BENCH_GPU ? "gpu" : "cpu",
                                value < 0 ? json_null() : json_real(value));
        }
        if (x)
            json_object_set_new(test, "expected",
                                json_pack("{s:o, s:o}", "gpu",
                                          range_to_json(&x->gpu), "cpu",
                                          range_to_json(&x->cpu)));
        json_array_append_new(tests, test);
    }
    json_t *all = json_pack("{s:s?, s:s, s:s, s:o}", "gpu",
                            b->has_gpu ? b->names[BENCH_GPU] : NULL, "cpu",
                            b->names[BENCH_CPU], "problem",
                            b->has_gpu ? "" : b->problem, "tests", tests);
    session_print_json(all);
    json_decref(all);
}

static void add_figure(struct table *t, const struct bench_figure *f,
                       const char *unit)
{
    if (f->value < 0)
        table_add(t, NULL);
    else // no half streams, but half frames of a slow one
        table_addf(t, "%.*f %s",
                   f->value < 10 && strcmp(unit, "fps") == 0 ? 1 : 0, f->value,
                   unit);
}

static void add_range(struct table *t, const struct device_range *r)
{
    if (r)
        table_addf(t, "%.0f-%.0f", r->least, r->most);
    else
        table_add(t, NULL);
}

static void print_table(const struct board *b)
{
    static const struct table_column columns[] = {
        {"TEST", TABLE_LEFT},      {"GPU", TABLE_RIGHT},
        {"EXPECTED", TABLE_RIGHT}, {"CPU", TABLE_RIGHT},
        {"EXPECTED", TABLE_RIGHT},
    };
    struct table *t =
        table_create(columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < bench_test_count; i++) {
        const struct device_expectation *x =
            expected_of(b, bench_tests[i].name);
        table_add(t, bench_tests[i].title);
        add_figure(t, &b->figures[BENCH_GPU][i], bench_tests[i].unit);
        add_range(t, x ? &x->gpu : NULL);
        add_figure(t, &b->figures[BENCH_CPU][i], bench_tests[i].unit);
        add_range(t, x ? &x->cpu : NULL);
    }
    table_print(t, stdout);
    table_destroy(t);
}

static void print_line(const char *label, const char *text)
{
    char *safe = terminal_escape(text);

    (void)printf("%s: %s\n", label, safe);
    free(safe);
}

static void print_notes(const struct board *b)
{
    (void)printf("\n");
    if (b->has_reference)
        print_line("EXPECTED of a Quadro P1000, and of a CPU",
                   b->reference.expected_cpu ? b->reference.expected_cpu
                                             : "of its time");
    if (b->names[BENCH_GPU][0])
        print_line("GPU", b->names[BENCH_GPU]);
    if (!b->has_gpu)
        print_line("GPU not measured", b->problem);
    print_line("CPU", b->names[BENCH_CPU]);
    for (int side = 0; side < BENCH_SIDE_COUNT; side++) {
        for (size_t i = 0; i < bench_test_count; i++) {
            const struct bench_figure *f = &b->figures[side][i];
            if (f->value < 0 && (side == BENCH_CPU || b->has_gpu))
                print_line(bench_tests[i].title, f->text);
        }
    }
}

static enum status bench(const struct invocation *v, const char *folder)
{
    struct board b = {0};
    const struct bench_config config = {
        .socket = v->settings.socket,
        .folder = folder,
        .gpu = b.gpu,
        .seconds = v->settings.seconds,
        .streams = v->settings.streams,
    };
    struct error e = {0};

    enum status s = ask(&b, v);
    if (s == STATUS_GOOD) {
        s = measure(&b, &config, &e);
        bench_tidy(&config);
    }
    if (e.text[0] && s != STATUS_INTERRUPTED)
        status_complain(&e);
    if (s == STATUS_GOOD && v->settings.json) {
        print_json(&b);
    } else if (s == STATUS_GOOD) {
        print_table(&b);
        print_notes(&b);
    }
    if (b.has_reference)
        device_profile_fini(&b.reference);
    return s;
}

static enum status run(const struct invocation *v)
{
    const char *where = getenv("TMPDIR");
    char *folder =
        xasprintf("%s/transcodectl-bench-XXXXXX", where ? where : "/tmp");
    enum status s;

    bench_crowd_hold_signals();
    if (mkdtemp(folder)) {
        s = bench(v, folder);
        (void)rmdir(folder);
    } else {
        s = status_fail(STATUS_REFUSED, "cannot make a folder '%s': %s", folder,
                        strerror(errno));
    }
    free(folder);
    return s;
}

// clang-format off
static const struct flag flags[] = {
    FLAG_COUNT(seconds, 0, "N", 1, 600, "20", "Length of the films that are transcoded"),
    FLAG_COUNT(streams, 0, "N", 1, 64, "12", "Try no more streams at the same time"),
    FLAG_END
};
// clang-format on

const struct command command_bench = {
    .name = "bench",
    .operands = "",
    .help = "Measure how fast the GPU and the CPU transcode; takes minutes",
    .flags = flags,
    .run = run,
};
