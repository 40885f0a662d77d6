#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/error.h"
#include "model/need.h"
#include "model/quote.h"

static void need_to_json__need__is_read_back_the_same(void **state)
{
    static const char *const cases[] = {
        "{'decodes_video':false,'codec':'','width':0,'height':0,'depth':0,"
        "'renditions':[],'devices':[],'duration':null,'input_passes':false}",
        "{'decodes_video':true,'codec':'hevc','width':3840,'height':2160,"
        "'depth':10,'renditions':[{'codec':'h264','width':1920,'height':1080,"
        "'depth':8},{'codec':'h264','width':1280,'height':720,'depth':8}],"
        "'devices':[{'id':'cuda:0','sessions':2,'decodes':true,"
        "'surfaces':12,'why':'no'}],'duration':5400.5,'input_passes':true}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *json = quote(cases[i]);
        struct need n;
        struct error e = {0};
        assert_int_equal(need_from_json(&n, json, &e), 0);
        assert_json(need_to_json(&n), cases[i]);
        json_decref(json);
    }
}

static void need_from_json__more_renditions_than_room__are_refused(void **state)
{
    json_t *json = quote("{'decodes_video':true,'renditions':[]}");
    struct need n;
    struct error e = {0};

    (void)state;
    for (int i = 0; i <= NEED_RENDITIONS_MOST; i++)
        (void)json_array_append_new(
            json_object_get(json, "renditions"),
            quote("{'codec':'h264','width':16,'height':16}"));
    assert_int_equal(need_from_json(&n, json, &e), -EINVAL);
    assert_string_equal(e.field, "renditions");
    (void)json_array_remove(json_object_get(json, "renditions"), 0);
    assert_int_equal(need_from_json(&n, json, &e), 0);
    assert_int_equal(n.rendition_count, NEED_RENDITIONS_MOST);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(need_to_json__need__is_read_back_the_same),
        cmocka_unit_test(
            need_from_json__more_renditions_than_room__are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
