#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rights.h"

#include <jansson.h>
#include <stdlib.h>

#include "daemon.h"
#include "store/store.h"

#define SELF 1000

static char *const read_roots[] = {(char[]){"/media"}, (char[]){"/srv/in"}};
static char *const write_roots[] = {(char[]){"/out"}};

static const struct configuration rooted = {
    .read_roots = (char **)(size_t)read_roots,
    .read_root_count = 2,
    .write_roots = (char **)(size_t)write_roots,
    .write_root_count = 1,
    .output_mode = 0640,
};
static const struct configuration rootless = {.output_mode = 0644};

static struct daemon make_daemon(const struct configuration *c,
                                 enum access_mode mode, gid_t group)
{
    return (struct daemon){
        .configuration = *c,
        .rules =
            {
                .mode = mode,
                .self = SELF,
                .admin_group = ACCESS_NO_GROUP,
                .read_roots = c->read_roots,
                .read_root_count = c->read_root_count,
                .write_roots = c->write_roots,
                .write_root_count = c->write_root_count,
            },
        .output_group = group,
    };
}

/* What transcoded-files reads, key by key. */
static void rights_of__roots_and_users__as_configured(void **state)
{
    static const struct {
        const struct configuration *configuration;
        enum access_mode mode;
        gid_t group;
        uid_t uid;
        const char *expect;
    } cases[] = {
        // below roots, outputs are the group's that is configured
        {&rooted, ACCESS_SERVICE, 44, 2000,
         "{\"any\":false,\"group\":44,\"mode\":416,"
         "\"read_roots\":[\"/media\",\"/srv/in\"],\"write_roots\":[\"/out\"]}"},
        {&rooted, ACCESS_SERVICE, ACCESS_NO_GROUP, 2000,
         "{\"any\":false,\"mode\":416,"
         "\"read_roots\":[\"/media\",\"/srv/in\"],\"write_roots\":[\"/out\"]}"},
        // roots bind the one who started it, too
        {&rooted, ACCESS_PERSON, 44, SELF,
         "{\"any\":false,\"group\":44,\"mode\":416,"
         "\"read_roots\":[\"/media\",\"/srv/in\"],\"write_roots\":[\"/out\"]}"},
        // by hand and without roots: as that person makes files
        {&rootless, ACCESS_PERSON, 44, SELF,
         "{\"any\":true,\"read_roots\":[],\"write_roots\":[]}"},
        {&rootless, ACCESS_PERSON, 44, SELF + 1,
         "{\"any\":false,\"group\":44,\"mode\":420,"
         "\"read_roots\":[],\"write_roots\":[]}"},
        // a service without roots opens nothing for anybody
        {&rootless, ACCESS_SERVICE, 44, SELF,
         "{\"any\":false,\"group\":44,\"mode\":420,"
         "\"read_roots\":[],\"write_roots\":[]}"},
        {&rootless, ACCESS_SERVICE, 44, 0,
         "{\"any\":false,\"group\":44,\"mode\":420,"
         "\"read_roots\":[],\"write_roots\":[]}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct daemon d =
            make_daemon(cases[i].configuration, cases[i].mode, cases[i].group);
        json_t *rights = rights_of(&d, cases[i].uid);
        char *text = json_dumps(rights, JSON_COMPACT | JSON_SORT_KEYS);
        print_message("case %zu\n", i);
        assert_string_equal(text, cases[i].expect);
        free(text);
        json_decref(rights);
    }
}

static char *mark_of(int64_t id, int64_t created)
{
    const struct store_job job = {.id = id, .created = created};
    json_t *mark = rights_mark(&job);

    assert_true(json_is_string(mark));
    char *text = json_dumps(mark, JSON_ENCODE_ANY);
    json_decref(mark);
    return text;
}

static void mark__ids_and_times__tell_jobs_apart(void **state)
{
    static const struct {
        int64_t id;
        int64_t created;
    } others[] = {{17, 1001}, {171, 1000}, {1, 71000}, {171, 0}, {1000, 17}};
    char *mark = mark_of(17, 1000);
    char *again = mark_of(17, 1000);

    (void)state;
    assert_string_equal(mark, again);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char *other = mark_of(others[i].id, others[i].created);
        assert_string_not_equal(mark, other);
        free(other);
    }
    free(mark);
    free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_of__roots_and_users__as_configured),
        cmocka_unit_test(mark__ids_and_times__tell_jobs_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
