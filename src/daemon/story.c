#include "story.h"

#include <inttypes.h>
#include <stdio.h>

enum { FIELD_JOB, FIELD_ATTEMPT, FIELD_DEVICE, FIELD_OUTCOME, FIELD_END };

void story_init(struct story *s, int64_t job)
{
    *s = (struct story){
        .fields =
            {
                [FIELD_JOB] = {"TRANSCODED_JOB", s->job},
                [FIELD_ATTEMPT] = {"TRANSCODED_ATTEMPT", s->attempt},
                [FIELD_DEVICE] = {"TRANSCODED_DEVICE", s->device},
                [FIELD_OUTCOME] = {"TRANSCODED_OUTCOME", NULL},
                [FIELD_END] = {NULL, NULL},
            },
    };
    log_init(&s->log, NULL, "job %" PRId64, job);
    s->log.fields = s->fields;
    (void)snprintf(s->job, sizeof(s->job), "%" PRId64, job);
}

void story_begin(struct story *s, int64_t attempt)
{
    (void)snprintf(s->attempt, sizeof(s->attempt), "%" PRId64, attempt);
    s->device[0] = '\0';
    s->fields[FIELD_OUTCOME].value = NULL;
}

void story_set_device(struct story *s, const char *device)
{
    (void)snprintf(s->device, sizeof(s->device), "%s", device);
}

void story_set_outcome(struct story *s, enum outcome outcome)
{
    s->fields[FIELD_OUTCOME].value = outcome_name(outcome);
}
