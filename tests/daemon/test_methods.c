#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "methods.h"

#include <stdio.h>
#include <string.h>

#include "wire/interface.h"

/* Does the description of @method's interface name it, with its parameters? */
static void methods__interface_descriptions__agree(void **state)
{
    size_t described = 0;

    (void)state;
    for (size_t i = 0; i < method_count; i++) {
        const char *dot = strrchr(methods[i].name, '.');
        char interface[64];
        char line[64];

        print_message("%s\n", methods[i].name);
        (void)snprintf(interface, sizeof(interface), "%.*s",
                       (int)(dot - methods[i].name), methods[i].name);
        (void)snprintf(line, sizeof(line), "\nmethod %s(", dot + 1);
        const char *text = interface_description(interface);
        assert_non_null(text);
        const char *found = strstr(text, line);
        assert_non_null(found);

        char taken[256];
        const char *open = strchr(found, '(') + 1;
        (void)snprintf(taken, sizeof(taken), "%.*s",
                       (int)(strchr(open, ')') - open), open);
        size_t count = taken[0] ? 1 : 0;
        for (const char *c = taken; *c; c++)
            count += *c == ',';
        for (size_t k = 0; methods[i].parameters[k]; k++, count--) {
            char word[64];
            (void)snprintf(word, sizeof(word), "%s:", methods[i].parameters[k]);
            assert_non_null(strstr(taken, word));
        }
        assert_int_equal(count, 0);
    }
    for (size_t i = 0; interface_names[i]; i++) {
        const char *text = interface_description(interface_names[i]);
        while ((text = strstr(text, "\nmethod "))) {
            described++;
            text++;
        }
    }
    assert_int_equal(described, method_count);
}

static void find__names__exactly(void **state)
{
    (void)state;
    assert_ptr_equal(method_find(INTERFACE_SUBMIT)->answer, submit_job);
    assert_null(method_find("io.transcoded.submit"));
    assert_null(method_find("Submit"));
    assert_null(method_find(""));
}

static void methods__who_and_what__as_the_design_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < method_count; i++) {
        const struct method *m = &methods[i];
        bool drains =
            m->answer == control_drain || m->answer == control_undrain;
        bool takes_channel =
            m->answer == submit_job || m->answer == planning_start;

        print_message("%s\n", m->name);
        assert_int_equal(m->who, drains ? METHOD_ADMIN
                                 : m->answer == diagnose_start
                                     ? METHOD_OPERATOR
                                     : METHOD_ANYBODY);
        assert_int_equal(m->fds, takes_channel ? 1 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods__interface_descriptions__agree),
        cmocka_unit_test(find__names__exactly),
        cmocka_unit_test(methods__who_and_what__as_the_design_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
