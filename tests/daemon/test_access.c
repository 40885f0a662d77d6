#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "model/job.h"

#define SELF   990
#define ADMINS 27

static char *const read_roots[] = {(char[]){"/media"}, (char[]){"/srv/in/"}};
static char *const write_roots[] = {(char[]){"/out"}};
static const struct access_rules rooted = {
    .mode = ACCESS_SERVICE,
    .self = SELF,
    .admin_group = ADMINS,
    .read_roots = read_roots,
    .read_root_count = 2,
    .write_roots = write_roots,
    .write_root_count = 1,
};
static const struct access_rules service = {
    .mode = ACCESS_SERVICE, .self = SELF, .admin_group = ACCESS_NO_GROUP};
static const struct access_rules person = {
    .mode = ACCESS_PERSON, .self = 1000, .admin_group = ACCESS_NO_GROUP};

static void role__root_group_and_owner(void **state)
{
    gid_t others[] = {4, 5};
    gid_t admins[] = {4, ADMINS};
    const struct {
        struct access_peer peer;
        uid_t owner;
        enum access_role role;
    } cases[] = {
        {{.uid = 0}, 1000, ACCESS_ADMIN},
        {{.uid = 1000, .gid = 100}, 1000, ACCESS_OWNER},
        {{.uid = 1001, .gid = 100}, 1000, ACCESS_STRANGER},
        {{.uid = 1001, .gid = ADMINS}, 1000, ACCESS_ADMIN},
        {{.uid = 1001, .groups = admins, .group_count = 2}, 1, ACCESS_ADMIN},
        {{.uid = 1001, .groups = others, .group_count = 2}, 1, ACCESS_STRANGER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("case %zu\n", i);
        assert_int_equal(access_role(&rooted, &cases[i].peer, cases[i].owner),
                         cases[i].role);
    }
}

static void operator__admins_and_who_started_it_by_hand(void **state)
{
    gid_t admins[] = {ADMINS};
    const struct {
        const struct access_rules *rules;
        struct access_peer peer;
        bool is_operator;
    } cases[] = {
        {&rooted, {.uid = 0}, true},
        {&rooted, {.uid = 1000, .groups = admins, .group_count = 1}, true},
        {&rooted, {.uid = 1000}, false},
        {&service, {.uid = SELF}, false}, // a worker that was taken over
        {&person, {.uid = 1000}, true},
        {&person, {.uid = 1001}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("case %zu\n", i);
        assert_int_equal(access_is_operator(cases[i].rules, &cases[i].peer),
                         cases[i].is_operator);
    }
}

static void role__no_admin_group__nobody_is_of_it(void **state)
{
    const struct access_peer odd = {.uid = 5, .gid = ACCESS_NO_GROUP};

    (void)state;
    assert_int_equal(access_role(&service, &odd, 6), ACCESS_STRANGER);
}

static void check_client__a_services_own_user_is_none(void **state)
{
    const struct access_peer self = {.uid = SELF};
    const struct access_peer other = {.uid = 1000};
    const struct access_peer root = {.uid = 0};
    struct access_rules as_root = service;
    struct error e = {0};

    (void)state;
    assert_int_equal(access_check_client(&service, &self, &e), -EACCES);
    assert_int_equal(access_check_client(&service, &other, &e), 0);
    assert_int_equal(access_check_client(&person, &other, &e), 0);
    as_root.self = 0; // then the rule would lock the administrator out
    assert_int_equal(access_check_client(&as_root, &root, &e), 0);
}

static int check(const struct access_rules *rules, uid_t uid, const char *input,
                 const char *output, struct error *e)
{
    struct job_output out = {.path = (char *)(size_t)output};
    const struct job job = {.input.path = (char *)(size_t)input,
                            .outputs = &out,
                            .output_count = 1};
    const struct access_peer peer = {.uid = uid};

    return access_check_paths(rules, &peer, &job, e);
}

static void check_paths__only_below_the_roots(void **state)
{
    static const struct {
        const char *input;
        const char *output;
        const char *field; // NULL: allowed
    } cases[] = {
        {"/media/a.mkv", "/out/a.mp4", NULL},
        {"/media/deep/down/a.mkv", "/out/x/y/a.mp4", NULL},
        {"/srv/in/a.mkv", "/out/a.mp4", NULL},
        {"/media//a.mkv", "/out/a.mp4", NULL},
        {"/media/..a", "/out/...", NULL},
        {"/etc/shadow", "/out/a.mp4", "input.path"},
        {"/media/../etc/shadow", "/out/a.mp4", "input.path"},
        {"/media/./a.mkv", "/out/a.mp4", "input.path"},
        {"/media/a/..", "/out/a.mp4", "input.path"},
        {"/mediax/a.mkv", "/out/a.mp4", "input.path"},
        {"/media", "/out/a.mp4", "input.path"},
        {"/media/", "/out/a.mp4", "input.path"},
        {"media/a.mkv", "/out/a.mp4", "input.path"},
        {"", "/out/a.mp4", "input.path"},
        {"/out/a.mkv", "/out/a.mp4", "input.path"},
        {"/media/a.mkv", "/media/a.mp4", "outputs[0].path"},
        {"/media/a.mkv", "/out/../media/a.mp4", "outputs[0].path"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};

        print_message("%s %s\n", cases[i].input, cases[i].output);
        int r = check(&rooted, 0, cases[i].input, cases[i].output, &e);
        assert_int_equal(r, cases[i].field ? -EACCES : 0);
        if (cases[i].field)
            assert_string_equal(e.field, cases[i].field);
    }
}

static void check_paths__root_folder_itself__is_below_nothing(void **state)
{
    char *const everything[] = {(char[]){"/"}};
    struct access_rules rules = rooted;
    struct error e = {0};

    (void)state;
    rules.read_roots = rules.write_roots = everything;
    rules.read_root_count = rules.write_root_count = 1;
    assert_int_equal(check(&rules, 1, "/a", "/b", &e), 0);
    assert_int_equal(check(&rules, 1, "/", "/b", &e), -EACCES);
}

static void check_paths__without_roots__a_person_may_what_it_may(void **state)
{
    struct error e = {0};

    (void)state;
    assert_int_equal(check(&person, 1000, "/any/where", "/at/all", &e), 0);
    assert_int_equal(check(&person, 1001, "/any/where", "/at/all", &e),
                     -EACCES);
    assert_non_null(strstr(e.text, "roots.read")); // which setting is missing
    assert_int_equal(check(&service, 1000, "/any/where", "/at/all", &e),
                     -EACCES);
    assert_int_equal(check(&service, 0, "/any/where", "/at/all", &e), -EACCES);
}

static void check_paths__one_kind_of_root__bounds_a_person_too(void **state)
{
    struct access_rules rules = person;
    struct error e = {0};

    (void)state;
    rules.read_roots = read_roots;
    rules.read_root_count = 2;
    assert_int_equal(check(&rules, 1000, "/media/a", "/out/b", &e), -EACCES);
    assert_string_equal(e.field, "outputs[0].path");
    assert_non_null(strstr(e.text, "roots.write"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(role__root_group_and_owner),
        cmocka_unit_test(operator__admins_and_who_started_it_by_hand),
        cmocka_unit_test(role__no_admin_group__nobody_is_of_it),
        cmocka_unit_test(check_client__a_services_own_user_is_none),
        cmocka_unit_test(check_paths__only_below_the_roots),
        cmocka_unit_test(check_paths__root_folder_itself__is_below_nothing),
        cmocka_unit_test(check_paths__without_roots__a_person_may_what_it_may),
        cmocka_unit_test(check_paths__one_kind_of_root__bounds_a_person_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
