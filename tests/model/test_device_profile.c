#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "model/device_profile.h"
#include "quote.h"
#include "support/folder.h"

/* The shipped files: run from the top of the tree. */
static struct device_profiles *load_shipped(void)
{
    struct device_profiles *p = NULL;
    struct error e = {0};

    int r = device_profiles_load(&p, "profiles", NULL, &e);
    print_message("%s\n", e.text);
    assert_int_equal(r, 0);
    return p;
}

static void device_profiles__shipped__know_the_p1000(void **state)
{
    struct device_profiles *all = load_shipped();

    (void)state;
    const struct device_profile *p = device_profiles_find(all, "Quadro P1000");
    assert_non_null(p);
    assert_ptr_equal(device_profiles_find(all, "NVIDIA Quadro P1000"), p);
    assert_true(p->temperature.least == 35);
    assert_true(p->temperature.most == 70);
    assert_true(p->temperature.warm == 65);
    assert_true(p->temperature.warm_for == 180 * SECOND); // minutes
    assert_true(p->power.least == 5);
    assert_true(p->power.most == 45);
    assert_true(p->vram_free_least > 0);
    assert_int_equal(p->expected_count, 3);
    assert_true(p->expected[0].gpu.least == 120);
    assert_true(p->expected[0].gpu.most == 150);
    assert_true(p->expected[0].cpu.least == 25);
    assert_true(p->expected[0].cpu.most == 30);
    device_profiles_destroy(all);
}

static void device_profiles_find__by_name(void **state)
{
    static const struct {
        const char *card;
        bool known;
        bool judged;
    } cases[] = {
        {"Quadro P1000", true, true},
        {"NVIDIA GeForce GTX 1050 Ti", true, false},
        {"GeForce GTX 1650", true, false},
        {"Quadro P400", true, false},
        {"Quadro P4000", false, false}, // its sessions are not limited
        {"NVIDIA H100 80GB HBM3", false, false},
        {"", false, false},
    };
    struct device_profiles *all = load_shipped();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].card);
        const struct device_profile *p =
            device_profiles_find(all, cases[i].card);
        assert_int_equal(p != NULL, cases[i].known);
        if (p)
            assert_int_equal(p->temperature.most > 0, cases[i].judged);
    }
    device_profiles_destroy(all);
}

static void device_profile_sessions__by_driver(void **state)
{
    static const struct {
        const char *driver;
        int32_t limit;
    } cases[] = {
        {"470.256.02", 3},
        {"525.60.11", 3},
        {"530.41.03", 5},
        {"535.183.01", 5},
        {"550.54.14", 8},
        {"580.95.05", 8},
        {"590.44.01", 12},
        {"610.1", 12},
        {"", DEVICE_PROFILE_UNKNOWN},
        {"beta", DEVICE_PROFILE_UNKNOWN},
    };
    struct device_profiles *all = load_shipped();
    const struct device_profile *p = device_profiles_find(all, "Quadro P1000");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].driver);
        assert_int_equal(device_profile_sessions(p, cases[i].driver),
                         cases[i].limit);
    }
    device_profiles_destroy(all);
}

static void device_profile_from_json__faults__are_named(void **state)
{
    static const struct {
        const char *json;
        const char *field;
    } cases[] = {
        {"{'match':['*']}", "description"},
        {"{'description':'','match':[]}", "match"},
        {"{'description':'','match':['*'],'colour':1}", "colour"},
        {"{'description':'','match':['*'],'temperature':{'least':70,'most':35}"
         "}",
         "temperature"},
        {"{'description':'','match':['*'],'power':{'least':9,'most':5}}",
         "power"},
        {"{'description':'','match':['*'],'power':{'most':-1}}", "power.most"},
        {"{'description':'','match':['*'],'sessions':[{'driver':5}]}",
         "sessions[0].limit"},
        {"{'description':'','match':['*'],'sessions':[{'driver':550,'limit':8},"
         "{'driver':530,'limit':5}]}",
         "sessions"},
        {"{'description':'','match':['*'],'expected':[{'name':'a','unit':'b',"
         "'gpu':[2,1],'cpu':[1,2]}]}",
         "expected[0].gpu"},
        {"{'description':'','match':['*'],'expected':[{'name':'a','unit':'b',"
         "'gpu':[1,2],'cpu':7}]}",
         "expected[0].cpu"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct device_profile p;
        struct error e = {0};
        json_t *json = quote(cases[i].json);

        print_message("%s\n", cases[i].json);
        assert_int_equal(device_profile_from_json(&p, json, &e), -EINVAL);
        assert_string_equal(e.field, cases[i].field);
        json_decref(json);
    }
}

static void device_profile_from_json__least__judges_nothing(void **state)
{
    json_t *json = quote("{'description':'a card','match':['*']}");
    struct device_profile p;
    struct error e = {0};

    (void)state;
    assert_int_equal(device_profile_from_json(&p, json, &e), 0);
    assert_true(p.temperature.most < 0 && p.temperature.warm < 0);
    assert_true(p.power.least < 0);
    assert_true(p.vram_free_least < 0);
    assert_int_equal(device_profile_sessions(&p, "470"),
                     DEVICE_PROFILE_UNKNOWN);
    device_profile_fini(&p);
    json_decref(json);
}

#define CARD(words) \
    "{\"description\": \"" words "\", \"match\": [\"*" words "\"]}"

static void device_profiles_load__override__wins_by_name(void **state)
{
    char *shipped = folder_create();
    char *own = folder_create();
    struct device_profiles *all = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(mkdir(folder_path(shipped, "devices"), 0755), 0);
    assert_int_equal(mkdir(folder_path(own, "devices"), 0755), 0);
    folder_put(shipped, "devices/one.json", CARD("Shipped"));
    folder_put(shipped, "devices/README.md", "no profile");
    folder_put(own, "devices/one.json", CARD("Mine"));
    folder_put(own, "devices/other.json", CARD(""));
    assert_int_equal(device_profiles_load(&all, shipped, own, &e), 0);
    assert_string_equal(device_profiles_find(all, "Shipped")->description, "");
    assert_string_equal(device_profiles_find(all, "A Mine")->description,
                        "Mine");
    assert_json(device_profiles_to_json(all),
                "[{'name':'one','document':{'description':'Mine','match':"
                "['*Mine']}},"
                "{'name':'other','document':{'description':'','match':['*']}}"
                "]");
    device_profiles_destroy(all);
    folder_remove(shipped);
    folder_remove(own);
}

static void device_profiles_load__broken_file__is_named(void **state)
{
    char *folder = folder_create();
    struct device_profiles *all = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(device_profiles_load(&all, folder, NULL, &e), 0);
    assert_null(device_profiles_find(all, "Quadro P1000"));
    device_profiles_destroy(all);
    assert_int_equal(mkdir(folder_path(folder, "devices"), 0755), 0);
    folder_put(folder, "devices/x.json", "{\"match\": [\"*\"]}");
    assert_int_equal(device_profiles_load(&all, folder, NULL, &e), -EINVAL);
    print_message("%s\n", e.text);
    assert_non_null(strstr(e.text, "devices/x.json': description: "));
    folder_remove(folder);
}

/* Its README.md has a row for each key that the shipped files use. */
static void device_profiles__each_key__is_documented(void **state)
{
    struct device_profiles *all = load_shipped();
    json_t *list = device_profiles_to_json(all);
    char *text = NULL;
    size_t size;
    size_t i;
    const json_t *entry;
    size_t seen = 0;

    (void)state;
    assert_int_equal(fd_read_file(AT_FDCWD, "profiles/devices/README.md",
                                  1 << 20, &text, &size),
                     0);
    json_array_foreach (list, i, entry) {
        const char *key;
        json_t *value;
        json_object_foreach (json_object_get(entry, "document"), key, value) {
            char *row = xasprintf("| `%s` |", key);
            print_message("%s\n", key);
            assert_non_null(strstr(text, row));
            free(row);
            seen++;
        }
    }
    assert_true(seen > 8);
    free(text);
    json_decref(list);
    device_profiles_destroy(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_profiles__shipped__know_the_p1000),
        cmocka_unit_test(device_profiles_find__by_name),
        cmocka_unit_test(device_profile_sessions__by_driver),
        cmocka_unit_test(device_profile_from_json__faults__are_named),
        cmocka_unit_test(device_profile_from_json__least__judges_nothing),
        cmocka_unit_test(device_profiles_load__override__wins_by_name),
        cmocka_unit_test(device_profiles_load__broken_file__is_named),
        cmocka_unit_test(device_profiles__each_key__is_documented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
