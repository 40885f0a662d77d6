#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "settings.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/configuration.h"
#include "model/device_profile.h"
#include "model/profile.h"
#include "places.h"
#include "support/folder.h"

#define NO_GROUP "transcoded-no-such-group"

/* A configuration whose profiles are in a folder of the test's own. */
struct scene {
    char *folder; // owned
    struct configuration configuration;
    struct places places;
};

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));

    s->folder = folder_create();
    assert_int_equal(mkdir(folder_path(s->folder, "devices"), 0755), 0);
    assert_int_equal(unsetenv("INVOCATION_ID"), 0); // a suite is no service
    configuration_init(&s->configuration);
    s->configuration.profiles = xstrdup(s->folder);
    s->places.socket = xstrdup("/run/s");
    s->places.profiles = xasprintf("%s/shipped", s->folder);
    assert_int_equal(mkdir(s->places.profiles, 0755), 0);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    configuration_fini(&s->configuration);
    places_fini(&s->places);
    folder_remove(s->folder);
    free(s);
    return 0;
}

static void fini(struct settings *s)
{
    profiles_destroy(s->profiles);
    device_profiles_destroy(s->cards);
}

static void make__defaults__bind_nobody_to_a_group(void **state)
{
    struct scene *s = *state;
    struct settings made;
    struct error e = {0};

    assert_int_equal(settings_make(&made, &s->configuration, &s->places, &e),
                     0);
    assert_int_equal(made.rules.admin_group, ACCESS_NO_GROUP);
    assert_int_equal(made.output_group, ACCESS_NO_GROUP);
    assert_int_equal(made.server.group, ACCESS_NO_GROUP);
    assert_int_equal(made.rules.self, geteuid());
    assert_int_equal(made.rules.mode, ACCESS_PERSON);
    assert_string_equal(made.server.path, "/run/s");
    assert_int_equal(made.server.mode, 0660);
    assert_int_equal(made.server.clients, s->configuration.limits.clients);
    assert_int_equal(made.server.clients_per_uid,
                     s->configuration.limits.clients_per_uid);
    assert_int_equal(made.server.unread_most,
                     s->configuration.limits.write_queue);
    fini(&made);
}

static void make__groups__are_numbers(void **state)
{
    struct scene *s = *state;
    struct settings made;
    struct error e = {0};

    setgrent();
    const struct group *any = getgrent();
    if (!any)
        skip(); // a machine whose groups have no names
    gid_t gid = any->gr_gid;
    s->configuration.admin_group = xstrdup(any->gr_name);
    s->configuration.socket_group = xstrdup(any->gr_name);
    s->configuration.output_group = xstrdup(any->gr_name);
    endgrent();
    assert_int_equal(settings_make(&made, &s->configuration, &s->places, &e),
                     0);
    assert_int_equal(made.rules.admin_group, gid);
    assert_int_equal(made.output_group, gid);
    assert_int_equal(made.server.group, gid);
    fini(&made);
}

static void make__roots__are_the_configurations_own(void **state)
{
    struct scene *s = *state;
    struct settings made;
    struct error e = {0};

    free(s->configuration.read_roots);
    s->configuration.read_roots = xcalloc(1, sizeof(char *));
    s->configuration.read_roots[0] = xstrdup("/media");
    s->configuration.read_root_count = 1;
    assert_int_equal(settings_make(&made, &s->configuration, &s->places, &e),
                     0);
    assert_int_equal(made.rules.read_root_count, 1);
    assert_ptr_equal(made.rules.read_roots, s->configuration.read_roots);
    assert_int_equal(made.rules.write_root_count, 0);
    fini(&made);
}

static void make__no_such_group__says_of_which_setting(void **state)
{
    struct scene *s = *state;
    const struct {
        char **group;
        const char *field;
    } cases[] = {
        {&s->configuration.socket_group, "socket_group"},
        {&s->configuration.admin_group, "admin_group"},
        {&s->configuration.output_group, "output_group"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct settings untouched = {.output_group = 77};
        struct error e = {0};
        *cases[i].group = xstrdup(NO_GROUP);
        print_message("%s\n", cases[i].field);
        assert_int_equal(
            settings_make(&untouched, &s->configuration, &s->places, &e),
            -ENOENT);
        assert_string_equal(e.field, cases[i].field);
        assert_string_equal(e.text, "no such group: '" NO_GROUP "'");
        assert_int_equal(untouched.output_group, 77);
        // another machine may have it
        assert_int_equal(settings_check(&s->configuration, &s->places, &e), 0);
        free(*cases[i].group);
        *cases[i].group = NULL;
    }
}

static void make_and_check__bad_document__is_named(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *words;
    } cases[] = {
        {"odd.json", "{\"hardware\": \"any\"}", "odd.json': hardware: must be"},
        {"torn.json", "{\"hardware\": ", "torn.json': not valid JSON"},
        {"devices/odd.json", "{\"description\": \"\", \"match\": 7}",
         "devices/odd.json': match: must be"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct settings untouched = {.output_group = 77};
        struct error e = {0};
        folder_put(s->folder, cases[i].name, cases[i].text);
        assert_true(
            settings_make(&untouched, &s->configuration, &s->places, &e) < 0);
        print_message("%s\n", e.text);
        assert_non_null(strstr(e.text, cases[i].words));
        assert_string_equal(e.field, ""); // it is told already
        assert_int_equal(untouched.output_group, 77);
        e = (struct error){0};
        assert_true(settings_check(&s->configuration, &s->places, &e) < 0);
        assert_non_null(strstr(e.text, cases[i].words));
        assert_int_equal(unlink(folder_path(s->folder, cases[i].name)), 0);
    }
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SCENE(make__defaults__bind_nobody_to_a_group),
        SCENE(make__groups__are_numbers),
        SCENE(make__roots__are_the_configurations_own),
        SCENE(make__no_such_group__says_of_which_setting),
        SCENE(make_and_check__bad_document__is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
