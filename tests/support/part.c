#include "support/part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "media/ear.h"
#include "media/hwdevice.h"
#include "model/survey.h"
#include "support/machine.h"

#define UUID "GPU-00000000-7667-7075-0000-000000000001"

static void append(char *to, size_t size, const char *text)
{
    size_t used = strlen(to);

    (void)snprintf(to + used, size - used, "%s", text);
}

void part_say(struct part_find *f, const char *word)
{
    append(f->found, sizeof(f->found), word);
    append(f->found, sizeof(f->found), " ");
}

static void run(void *ret)
{
    struct part_find *f = ret;
    struct survey_device d = {.driver = "470.256.02", .nvenc_api = "11.1"};
    struct hwdevice *h;
    struct error e = {0};

    ear_open();
    assert_int_equal(hwdevice_open(&h, "cuda:0", UUID, &e), 0);
    f->body(f, &d, h);
    for (size_t i = 0; i < d.problem_count; i++) {
        append(f->problems, sizeof(f->problems), d.problems[i]);
        append(f->problems, sizeof(f->problems), "\n");
    }
    f->is_partial = d.is_partial;
    survey_device_fini(&d);
    hwdevice_close(h);
}

struct part_find part_try(part_body *body, const char *const *settings)
{
    struct part_find f = {.body = body};

    machine_run(settings, run, &f, sizeof(f));
    print_message("%s\n%s", f.found, f.problems);
    return f;
}
