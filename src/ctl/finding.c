#include "finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

#define WORDS_MOST 2048 // bytes of one thing found

static const char *const names[FINDING_STATE_COUNT] = {
    [FINDING_GOOD] = "good",
    [FINDING_NOTE] = "note",
    [FINDING_WARNING] = "warning",
    [FINDING_BAD] = "bad",
};

const char *finding_state_name(enum finding_state state)
{
    return names[state];
}

static void take_fix(struct finding *f, const char *fix)
{
    free(f->fix);
    f->fix = xstrdup(fix);
}

void finding_add(struct finding *f, enum finding_state state, const char *fix,
                 const char *format, ...)
{
    char words[WORDS_MOST];
    char *before = f->found;
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);

    f->found = before ? xasprintf("%s; %s", before, words) : xstrdup(words);
    free(before);
    if (state > f->state || (state == f->state && !f->fix))
        take_fix(f, fix);
    if (state > f->state)
        f->state = state;
}

void finding_fini(struct finding *f)
{
    free(f->found);
    free(f->fix);
    *f = (struct finding){.state = FINDING_GOOD};
}
