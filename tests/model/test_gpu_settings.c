#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/gpu_settings.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "model/field.h"
#include "quote.h"

#define UUID "GPU-0001"

static int read_settings(const char *text, struct gpu_settings *ret,
                         struct error *e)
{
    json_t *json = quote(text);
    int r = record_from_json(&gpu_settings_record, ret, json, RECORD_WHOLE, e);

    json_decref(json);
    return r;
}

static void from_json__what_may_be_said__is_read_and_shown_again(void **state)
{
    static const struct {
        const char *text;
        int32_t first;  // of cuda:0
        int32_t second; // of cuda:1, which is UUID
        int64_t reserve;
        const char *shown;
    } cases[] = {
        {"{}", -1, -1, INT64_C(512) << 20,
         "{'sessions':null,'vram_reserve':'512M'}"},
        {"{'sessions':null}", -1, -1, INT64_C(512) << 20,
         "{'sessions':null,'vram_reserve':'512M'}"},
        {"{'sessions':3,'vram_reserve':'2G'}", 3, 3, INT64_C(2) << 30,
         "{'sessions':3,'vram_reserve':'2G'}"},
        {"{'sessions':0,'vram_reserve':0}", 0, 0, 0,
         "{'sessions':0,'vram_reserve':'0'}"},
        {"{'sessions':{'cuda:0':2}}", 2, -1, INT64_C(512) << 20,
         "{'sessions':{'cuda:0':2},'vram_reserve':'512M'}"},
        {"{'sessions':{'cuda:0':2,'GPU-0001':5},'vram_reserve':1024}", 2, 5,
         1024, "{'sessions':{'cuda:0':2,'GPU-0001':5},'vram_reserve':'1K'}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gpu_settings s;
        struct error e = {0};

        print_message("case %zu\n", i);
        assert_int_equal(read_settings(cases[i].text, &s, &e), 0);
        assert_int_equal(gpu_sessions_of(&s.sessions, "cuda:0", "GPU-0000"),
                         cases[i].first);
        assert_int_equal(gpu_sessions_of(&s.sessions, "cuda:1", UUID),
                         cases[i].second);
        assert_int_equal(s.vram_reserve, cases[i].reserve);
        assert_json(record_to_json(&gpu_settings_record, &s), cases[i].shown);
    }
}

static void from_json__nonsense__is_refused_by_name(void **state)
{
    static const struct {
        const char *text;
        const char *field;
        const char *words;
    } cases[] = {
        {"{'sessions':-1}", "sessions", "from 0 to 1024"},
        {"{'sessions':1025}", "sessions", "from 0 to 1024"},
        {"{'sessions':'3'}", "sessions", "from 0 to 1024"},
        {"{'sessions':1.5}", "sessions", "from 0 to 1024"},
        {"{'sessions':[3]}", "sessions", "from 0 to 1024"},
        {"{'sessions':{'cuda:0':'x'}}", "sessions", "from 0 to 1024"},
        {"{'sessions':{'':1}}", "sessions", "is no device"},
        {"{'vram_reserve':'much'}", "vram_reserve", "a size such as"},
        {"{'vram_reserve':-1}", "vram_reserve", ""},
        {"{'vram_reserve':null}", "vram_reserve", "a number or a string"},
        {"{'session':3}", "session", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gpu_settings s;
        struct error e = {0};

        print_message("case %zu\n", i);
        assert_true(read_settings(cases[i].text, &s, &e) < 0);
        assert_string_equal(e.field, cases[i].field);
        assert_non_null(strstr(e.text, cases[i].words));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_json__what_may_be_said__is_read_and_shown_again),
        cmocka_unit_test(from_json__nonsense__is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
