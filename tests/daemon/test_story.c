#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "story.h"

#include <stdio.h>
#include <string.h>

/* The fields that a journal would get: "NAME=value ", in order. */
static const char *describe(const struct story *s)
{
    static char text[256];
    size_t used = 0;

    text[0] = '\0';
    for (const struct log_field *f = s->log.fields; f->name; f++) {
        if (f->value && f->value[0])
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s=%s ",
                                     f->name, f->value);
    }
    return text;
}

static void fields__are_what_is_known_of_the_attempt(void **state)
{
    struct story s;

    (void)state;
    story_init(&s, 17);
    assert_string_equal(s.log.name, "job 17");
    assert_string_equal(describe(&s), "TRANSCODED_JOB=17 ");
    story_begin(&s, 1);
    story_set_device(&s, "cuda:0");
    assert_string_equal(describe(&s), "TRANSCODED_JOB=17 TRANSCODED_ATTEMPT=1 "
                                      "TRANSCODED_DEVICE=cuda:0 ");
    story_set_outcome(&s, OUTCOME_DEVICE_LOST);
    assert_string_equal(describe(&s), "TRANSCODED_JOB=17 TRANSCODED_ATTEMPT=1 "
                                      "TRANSCODED_DEVICE=cuda:0 "
                                      "TRANSCODED_OUTCOME=device_lost ");
    story_begin(&s, 2); // of which nothing is known yet
    assert_string_equal(describe(&s),
                        "TRANSCODED_JOB=17 TRANSCODED_ATTEMPT=2 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields__are_what_is_known_of_the_attempt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
