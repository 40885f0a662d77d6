#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "command.h"
#include "doctor_test.h"
#include "examination.h"
#include "model/document.h"
#include "session.h"
#include "terminal.h"

#define TITLE 14 // columns

// clang-format off
static const struct {
    const char *mark;
    const char *plain; // where the terminal has no such characters
    const char *colour;
} marks[FINDING_STATE_COUNT] = {
    [FINDING_GOOD]    = {"✓", "+", "\033[32m"},
    [FINDING_NOTE]    = {"–", "-", "\033[2m"},
    [FINDING_WARNING] = {"!", "!", "\033[33m"},
    [FINDING_BAD]     = {"✗", "x", "\033[31m"},
};
// clang-format on

struct report {
    struct terminal terminal;
    bool is_json;
    bool is_plain;
    enum finding_state worst;
};

static void print_json(const char *id, const struct finding *f)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:o, s:o}", "id", id, "state", finding_state_name(f->state),
        "found", document_text(f->found), "fix", document_text(f->fix));

    session_print_json(object);
    json_decref(object);
}

static void print_text(const struct report *r, const char *id,
                       const struct finding *f)
{
    bool coloured = r->terminal.colour;
    char *found = terminal_escape(f->found);

    (void)printf("%s%s%s %-*s %s\n", coloured ? marks[f->state].colour : "",
                 r->is_plain ? marks[f->state].plain : marks[f->state].mark,
                 coloured ? "\033[0m" : "", TITLE, id, found);
    free(found);
    if (!f->fix || f->state < FINDING_WARNING)
        return;
    char *fix = terminal_escape(f->fix);
    (void)printf("  %-*s %s %s\n", TITLE, "", r->is_plain ? "=>" : "→", fix);
    free(fix);
}

static void on_finding(void *user, const char *id, struct finding *f)
{
    struct report *r = user;

    if (r->is_json)
        print_json(id, f);
    else
        print_text(r, id, f);
    (void)fflush(stdout);
    if (f->state > r->worst)
        r->worst = f->state;
    finding_fini(f);
}

static void check_all(struct report *r, const struct patient *p)
{
    for (size_t i = 0; i < doctor_check_count; i++) {
        const struct doctor_check *c = &doctor_checks[i];
        struct finding f = {.state = FINDING_GOOD};
        if (!doctor_applies(c, p))
            continue;
        c->look(p, &f);
        on_finding(r, c->id, &f);
    }
}

static enum status run(const struct invocation *v)
{
    struct examination x;
    struct report r = {.is_json = v->settings.json};
    enum status s = STATUS_GOOD;

    terminal_init(&r.terminal, stdout);
    r.is_plain = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    examination_init(&x, v);
    check_all(&r, &x.patient);
    if (v->settings.test && x.patient.service)
        s = doctor_test(v, &x.patient, on_finding, &r);
    examination_fini(&x);
    if (s != STATUS_GOOD)
        return s;
    return r.worst == FINDING_BAD ? STATUS_JOB_FAILED : STATUS_GOOD;
}

static const struct flag flags[] = {
    FLAG_SWITCH(test, 0, "Transcode a second of film on each device, too"),
    FLAG_END};

const struct command command_doctor = {
    .name = "doctor",
    .operands = "",
    .help = "Look for what keeps card, driver and service from their work",
    .flags = flags,
    .run = run,
};
