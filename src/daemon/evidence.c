#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void evidence_fini(struct evidence *v)
{
    if (v->has_said)
        event_fini(&v->last);
    free(v->complaint);
    *v = (struct evidence){0};
}

void evidence_blame(struct evidence *v, enum task_reason reason)
{
    if (v->reason == TASK_NO_REASON)
        v->reason = reason;
}

void evidence_complain(struct evidence *v, const char *text)
{
    if (!v->complaint)
        v->complaint = xstrdup(text);
}

void evidence_keep(struct evidence *v, struct event *said)
{
    if (v->has_said)
        event_fini(&v->last);
    v->last = *said;
    *said = (struct event){0};
    v->has_said = true;
}

/* Our own words, and what is known besides. */
static char *describe(const struct evidence *v, const char *words)
{
    if (v->complaint)
        return xasprintf("%s: %s", words, v->complaint);
    if (v->reason == TASK_NO_REASON && v->exit.signal)
        return xasprintf("%s (signal %d, %s)", words, v->exit.signal,
                         strsignal(v->exit.signal));
    if (v->reason == TASK_NO_REASON && v->exit.status)
        return xasprintf("%s (exit status %d)", words, v->exit.status);
    return xstrdup(words);
}

enum outcome evidence_judge(const struct evidence *v, char **ret_text)
{
    const struct event_outcome *said = v->has_said ? &v->last.outcome : NULL;
    const char *words;
    enum outcome outcome = task_judge(said ? said->outcome : OUTCOME_NONE,
                                      v->reason, v->exit, &words);

    if (words)
        *ret_text = describe(v, words);
    else
        *ret_text = xstrdup(said && said->text ? said->text : "");
    return outcome;
}
