#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "model/event.h"
#include "model/quote.h"

#define STAMP "'job':17,'attempt':2,'time':1600000000000000,"

static int read_event(struct event *ret, const char *text, struct error *e)
{
    json_t *json = quote(text);
    int r = event_from_json(ret, json, e);

    json_decref(json);
    return r;
}

static void event_to_json__every_kind__is_read_back_the_same(void **state)
{
    static const char *const cases[] = {
        "{" STAMP "'event':'state','state':'running'}",
        "{" STAMP "'event':'released'}",
        "{" STAMP "'event':'sandbox','layers':["
        "{'name':'landlock','state':'on','note':'version 7'},"
        "{'name':'seccomp','state':'not available','note':'no kernel'}],"
        "'missing':'seccomp'}",
        "{" STAMP "'event':'need','decodes_video':true,'codec':'h264',"
        "'width':1920,'height':1080,'depth':8,'renditions':["
        "{'codec':'hevc','width':1280,'height':720,'depth':10}],"
        "'devices':[],'duration':12.5,'input_passes':true}",
        "{" STAMP "'event':'ready','device':'cuda:0',"
        "'plan':['nvdec>scale_cuda>h264_nvenc','copy'],'why':['asked for']}",
        "{" STAMP "'event':'progress','frame':812,'fps':143.25,'speed':4.75,"
        "'out_time':27.125,'percent':34,'eta':52.5,'size':9123456,"
        "'bitrate':2693000}",
        "{" STAMP "'event':'progress','frame':812,'fps':143.25,'speed':4.75,"
        "'out_time':27.125,'percent':34,'eta':52.5,'size':9123456,"
        "'bitrate':2693000,'whole':26.5}",
        "{" STAMP "'event':'clamp','field':'b_frames','from':3,'to':0,"
        "'reason':'the card has none'}",
        "{" STAMP "'event':'fallback','from':'cuda:0','to':'cpu',"
        "'reason':'no session'}",
        "{" STAMP "'event':'log','level':'warning','text':'late'}",
        "{" STAMP
        "'event':'outcome','outcome':'done','text':'done','part':null,"
        "'frames':250,'errors':1,'outputs':[{'path':'/o.mp4','size':1000,"
        "'duration':10.5,'frames':250}]}",
        "{" STAMP
        "'event':'outcome','outcome':'crashed','text':'oh','part':null,"
        "'frames':0,'errors':0,'whole':0,'outputs':[]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event ev;
        struct error e = {0};
        print_message("%s\n", cases[i]);
        assert_int_equal(read_event(&ev, cases[i], &e), 0);
        assert_int_equal(ev.job, 17);
        assert_int_equal(ev.attempt, 2);
        assert_int_equal(ev.time, INT64_C(1600000000000000));
        assert_json(event_to_json(&ev), cases[i]);
        event_fini(&ev);
        event_fini(&ev); // twice is harmless
    }
}

static void event_from_json__worker_says_the_least__is_filled(void **state)
{
    struct event ev;
    struct error e = {0};

    (void)state;
    assert_int_equal(read_event(&ev, "{'event':'progress'}", &e), 0);
    assert_int_equal(ev.job, 0);
    assert_int_equal(ev.kind, EVENT_PROGRESS);
    assert_true(ev.progress.percent == -1);
    assert_true(ev.progress.eta == -1);
    assert_true(ev.progress.whole == -1);
    event_fini(&ev);
    assert_int_equal(
        read_event(&ev, "{'event':'outcome','outcome':'bad_input'}", &e), 0);
    assert_int_equal(ev.outcome.outcome, OUTCOME_BAD_INPUT);
    assert_string_equal(ev.outcome.text, "");
    event_fini(&ev);
}

static void event_from_json__unknown_fields__are_passed_over(void **state)
{
    struct event ev;
    struct error e = {0};

    (void)state;
    assert_int_equal(
        read_event(&ev, "{'event':'state','state':'paused','mood':3}", &e), 0);
    assert_int_equal(ev.state, STATE_PAUSED);
    event_fini(&ev);
}

static void event_from_json__bad_events__are_refused(void **state)
{
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"[]", ""},
        {"{}", "event"},
        {"{'event':'party'}", "event"},
        {"{'event':null}", "event"},
        {"{'event':'state','state':'happy'}", "state"},
        {"{'event':'outcome'}", "outcome"},
        {"{'event':'outcome','outcome':'none'}", "outcome"},
        {"{'event':'outcome','outcome':'done','text':7}", "text"},
        {"{'event':'outcome','outcome':'done','outputs':[{'path':1}]}",
         "outputs[0].path"},
        {"{'event':'ready','device':'a-device-of-a-long-name'}", "device"},
        {"{'event':'ready','device':'cpu','plan':[7]}", "plan[0]"},
        {"{'event':'progress','fps':'many'}", "fps"},
        {"{'event':'progress','frame':0.5}", "frame"},
        {"{'event':'log','level':'loud','text':''}", "level"},
        {"{'event':'need'}", "decodes_video"},
        {"{'event':'need','decodes_video':true,'width':-1}", "width"},
        {"{'event':'need','decodes_video':true,'renditions':[{}]}",
         "renditions[0].codec"},
        {"{'event':'state','state':'running','job':-1}", "job"},
        {"{'event':'state','state':'running','job':1e18}", "job"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event ev;
        struct error e = {0};
        print_message("%s\n", cases[i].text);
        assert_int_equal(read_event(&ev, cases[i].text, &e), -EINVAL);
        assert_string_equal(e.field, cases[i].field);
    }
}

static void event_from_json__wild_figures__are_brought_into_range(void **state)
{
    struct event ev;
    struct error e = {0};

    (void)state;
    assert_int_equal(read_event(&ev,
                                "{'event':'progress','percent':1e6,'fps':-3,"
                                "'eta':1e300,'size':-5,'frame':1e18}",
                                &e),
                     0);
    assert_true(ev.progress.percent == 100);
    assert_true(ev.progress.fps == 0);
    assert_true(ev.progress.eta == 1e9);
    assert_int_equal(ev.progress.size, 0);
    assert_int_equal(ev.progress.frame, INT64_C(1000000000000000));
    event_fini(&ev);
}

static void event_from_json__long_texts__are_cut(void **state)
{
    char *most = xcalloc(EVENT_TEXT_MOST + 100, 1);
    struct event ev;
    struct error e = {0};

    (void)state;
    memset(most, 'x', EVENT_TEXT_MOST + 99);
    json_t *json = json_pack("{s:s, s:s, s:s}", "event", "log", "level", "info",
                             "text", most);
    assert_int_equal(event_from_json(&ev, json, &e), 0);
    assert_int_equal(strlen(ev.log.text), EVENT_TEXT_MOST);
    event_fini(&ev);
    json_decref(json);

    json = json_pack("{s:s, s:s, s:[s]}", "event", "ready", "device", "cpu",
                     "plan", most);
    assert_int_equal(event_from_json(&ev, json, &e), 0);
    assert_int_equal(strlen(ev.ready.plan[0]), EVENT_TEXT_MOST);
    event_fini(&ev);
    json_decref(json);
    free(most);
}

static void event_from_json__long_list__is_refused(void **state)
{
    json_t *plan = json_array();
    struct event ev;
    struct error e = {0};

    (void)state;
    for (int i = 0; i <= EVENT_PLAN_MOST; i++)
        (void)json_array_append_new(plan, json_string("copy"));
    json_t *json = json_pack("{s:s, s:s, s:o}", "event", "ready", "device",
                             "cpu", "plan", plan);
    assert_int_equal(event_from_json(&ev, json, &e), -EINVAL);
    assert_string_equal(e.field, "plan");
    json_decref(json);
}

static void event_to_json__text_that_is_no_utf8__is_escaped(void **state)
{
    char text[] = "m\xe4rz";
    const struct event ev = {
        .kind = EVENT_LOG,
        .log = {LOG_LEVEL_INFO, text},
    };

    (void)state;
    assert_json(event_to_json(&ev),
                "{'job':0,'attempt':0,'time':0,'event':'log','level':'info',"
                "'text':'m\\\\xe4rz'}");
}

static void event_to_json__figures_that_are_none__are_written(void **state)
{
    const struct event ev = {
        .kind = EVENT_PROGRESS,
        .progress = {.fps = NAN,
                     .speed = INFINITY,
                     .percent = -1,
                     .eta = NAN,
                     .whole = NAN},
    };

    (void)state;
    assert_json(event_to_json(&ev),
                "{'job':0,'attempt':0,'time':0,'event':'progress','frame':0,"
                "'fps':0,'speed':0,'out_time':0,'percent':-1,'eta':-1,"
                "'size':0,'bitrate':0,'whole':0}");
}

static void event_kind_name__kinds__have_words(void **state)
{
    (void)state;
    assert_string_equal(event_kind_name(EVENT_FALLBACK), "fallback");
    for (int k = EVENT_NONE + 1; k < EVENT_KIND_COUNT; k++)
        assert_non_null(event_kind_name((enum event_kind)k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_to_json__every_kind__is_read_back_the_same),
        cmocka_unit_test(event_from_json__worker_says_the_least__is_filled),
        cmocka_unit_test(event_from_json__unknown_fields__are_passed_over),
        cmocka_unit_test(event_from_json__bad_events__are_refused),
        cmocka_unit_test(event_from_json__wild_figures__are_brought_into_range),
        cmocka_unit_test(event_from_json__long_texts__are_cut),
        cmocka_unit_test(event_from_json__long_list__is_refused),
        cmocka_unit_test(event_to_json__text_that_is_no_utf8__is_escaped),
        cmocka_unit_test(event_to_json__figures_that_are_none__are_written),
        cmocka_unit_test(event_kind_name__kinds__have_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
