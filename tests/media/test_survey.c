#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/survey.h"
#include "model/survey.h"
#include "support/machine.h"

#define UUID "GPU-00000000-7667-7075-0000-000000000001"

/* What a survey finds on the stand-in, and what it took: filled in by a child
 * process, whose pointers nobody else has. */
struct find {
    const char *anew;  // given
    const char *known; // given; a survey as JSON, or NULL
    char text[16384];  // the document
    long sessions;     // that were opened
    long sessions_peak;
    long contexts;
};

static long number(const char *text, const char *name)
{
    char quoted[64];

    (void)snprintf(quoted, sizeof(quoted), "\"%s\":", name);
    const char *found = strstr(text, quoted);
    assert_non_null(found);
    return atol(found + strlen(quoted));
}

/* The machine's counters, of this process. */
static void count(struct find *f)
{
    char text[8192];
    char command[4200];

    (void)snprintf(command, sizeof(command), "%s/vgpuctl counters",
                   getenv("LD_LIBRARY_PATH"));
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    text[fread(text, 1, sizeof(text) - 1, pipe)] = '\0';
    assert_int_equal(pclose(pipe), 0);
    const char *total = strstr(text, "\"total\":");
    assert_non_null(total);
    f->sessions = number(total, "sessions");
    f->sessions_peak = number(total, "sessions_peak");
    f->contexts = number(total, "contexts");
}

static void look(void *ret)
{
    struct find *f = ret;
    struct survey known = {0};
    struct survey s;
    struct error e = {0};

    if (f->known) {
        json_t *json = json_loads(f->known, 0, NULL);
        assert_int_equal(survey_from_json(&known, json, &e), 0);
        json_decref(json);
    }
    survey_take(&s, f->known ? &known : NULL, f->anew);
    json_t *json = survey_to_json(&s);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_true(strlen(text) < sizeof(f->text));
    (void)strcpy(f->text, text);
    free(text);
    json_decref(json);
    survey_fini(&s);
    survey_fini(&known);
    count(f);
}

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The caller calls survey_fini(). */
static void survey(struct survey *ret, struct find *f,
                   const char *const *settings)
{
    struct error e = {0};

    machine_run(settings, look, f, sizeof(*f));
    json_t *json = json_loads(f->text, 0, NULL);
    assert_non_null(json);
    assert_int_equal(survey_from_json(ret, json, &e), 0);
    json_decref(json);
}

/* On the stand-in as it is: made once, and looked at by several tests. */
static struct find plain;
static struct survey p1000;

static int survey_p1000(void **state)
{
    (void)state;
    survey(&p1000, &plain, NULL);
    return 0;
}

static int forget_p1000(void **state)
{
    (void)state;
    survey_fini(&p1000);
    return 0;
}

static void take__p1000__is_described(void **state)
{
    (void)state;
    assert_int_equal(p1000.problem_count, 0);
    assert_int_equal(p1000.device_count, 1);
    const struct survey_device *d = &p1000.devices[0];
    assert_string_equal(d->id, "cuda:0");
    assert_string_equal(d->uuid, UUID);
    assert_string_equal(d->name, "Quadro P1000");
    assert_string_equal(d->driver, "470.256.02");
    assert_string_equal(d->nvenc_api, "11.1");
    assert_int_equal(d->compute, 61);
    assert_int_equal(d->vram, INT64_C(4096) << 20);
    assert_int_equal(d->problem_count, 0);
    assert_false(d->is_partial);
    assert_int_equal(d->sure, SURVEY_SURE_ALL);
}

static void take__cards__are_each_surveyed(void **state)
{
    struct find f = {0};
    struct survey s;

    (void)state;
    survey(&s, &f, SETTINGS("cards=2"));
    assert_int_equal(s.device_count, 2);
    assert_string_equal(s.devices[0].id, "cuda:0");
    assert_string_equal(s.devices[1].id, "cuda:1");
    assert_string_not_equal(s.devices[0].uuid, s.devices[1].uuid);
    assert_int_equal(s.devices[1].encoder_count, 2);
    survey_fini(&s);
}

static void take__p1000__decodes_what_the_chip_does(void **state)
{
    static const struct {
        const char *codec;
        int depth;
        int chroma;
        bool can;
    } cases[] = {
        {"h264", 8, 420, true},       {"h264", 10, 420, false},
        {"h264", 8, 444, false},      {"hevc", 8, 420, true},
        {"hevc", 10, 420, true},      {"hevc", 12, 420, true},
        {"hevc", 8, 422, false},      {"vp9", 10, 420, true},
        {"vp8", 8, 420, false},       {"av1", 8, 420, false},
        {"mpeg2video", 8, 420, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s %d %d\n", cases[i].codec, cases[i].depth,
                      cases[i].chroma);
        const struct survey_decoder *d = survey_find_decoder(
            &p1000.devices[0], cases[i].codec, cases[i].depth, cases[i].chroma);
        assert_int_equal(d != NULL, cases[i].can);
    }
    const struct survey_decoder *hevc =
        survey_find_decoder(&p1000.devices[0], "hevc", 10, 420);
    assert_int_equal(hevc->width, 8192);
    assert_int_equal(hevc->least_width, 144);
}

static void take__p1000__encodes_within_its_caps(void **state)
{
    (void)state;
    const struct survey_encoder *h264 =
        survey_find_encoder(&p1000.devices[0], "h264");
    const struct survey_encoder *hevc =
        survey_find_encoder(&p1000.devices[0], "hevc");
    assert_string_equal(h264->name, "h264_nvenc");
    assert_int_equal(h264->depth, 8);
    assert_int_equal(h264->width, 4096);
    assert_int_equal(h264->level, 51);
    assert_int_equal(h264->b_frames, 4);
    assert_false(h264->b_frame_refs);
    assert_true(h264->temporal_aq);
    assert_true(h264->dynamic_bitrate);
    assert_int_equal(hevc->depth, 10);
    assert_int_equal(hevc->width, 8192);
    assert_int_equal(hevc->least_height, 33);
    assert_int_equal(hevc->level, 62);
    assert_int_equal(hevc->b_frames, 0);
    assert_false(hevc->temporal_aq);
    assert_null(survey_find_encoder(&p1000.devices[0], "av1"));
}

static void take__sessions__one_at_a_time_and_few(void **state)
{
    struct find f = {0};
    struct survey s;

    (void)state;
    survey(&s, &f, SETTINGS("sessions=1"));
    assert_int_equal(s.devices[0].encoder_count, 2);
    assert_int_equal(f.sessions_peak, 1);
    assert_in_range(f.sessions, 3, 6);
    survey_fini(&s);
}

/* Planned is the middle one: a card that only has the other way has none. */
static void take__b_frames_as_references__are_the_middle_ones(void **state)
{
    static const struct {
        const char *setting;
        bool expect;
    } cases[] = {
        {"b_ref_mode=1", false},
        {"b_ref_mode=2", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct find f = {0};
        struct survey s;
        print_message("%s\n", cases[i].setting);
        survey(&s, &f, SETTINGS(cases[i].setting));
        const struct survey_encoder *h264 =
            survey_find_encoder(&s.devices[0], "h264");
        assert_int_equal(h264->b_frame_refs, cases[i].expect);
        survey_fini(&s);
    }
}

static void take__filters__are_those_that_run(void **state)
{
    struct find f = {0};
    struct survey s;

    (void)state;
    const struct survey_device *d = &p1000.devices[0];
    assert_true(survey_has_filter(d, "scale_cuda"));
    assert_true(survey_has_filter(d, "yadif_cuda"));
    assert_true(survey_has_filter(d, "overlay_cuda"));
    assert_true(survey_has_filter(d, "hwdownload"));
    assert_true(survey_has_filter(d, "hwupload"));
    // tried and not believed: the kernel that would scale cannot be launched,
    // or that of the second chain, behind three pictures of two planes
    const char *const faults[] = {"fail_launch=1", "fail_launch=7"};
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        survey(&s, &f, SETTINGS(faults[i]));
        assert_false(survey_has_filter(&s.devices[0], "scale_cuda"));
        assert_int_equal(s.devices[0].sure, SURVEY_SURE_ENCODERS);
        survey_fini(&s);
    }
}

/* What is wrong, in words; of the device, or of the whole. */
static void take__what_is_wrong__is_said(void **state)
{
    static const struct {
        const char *settings[4]; // ended by NULL
        enum survey_sure sure;
        bool is_partial;
        size_t decoders; // 0: none, else some
        size_t encoders;
        const char *headers;
        const char *words;
    } cases[] = {
        {{"nvenc_version=10.0"},
         SURVEY_SURE_NOTHING,
         false,
         1,
         0,
         "11.1",
         "driver 470.256.02 has 10.0: use an FFmpeg built with "
         "nv-codec-headers 10.0"},
        {{"nvenc_version=11.0", "driver_version=460.91.03"},
         SURVEY_SURE_NOTHING,
         false,
         1,
         0,
         "11.1",
         "but driver 460.91.03 has 11.0"},
        {{"no_encoder=1"},
         SURVEY_SURE_ALL,
         false,
         1,
         0,
         "",
         "the card has no encoder"},
        {{"foreign_sessions=3"},
         SURVEY_SURE_NOTHING,
         true,
         1,
         0,
         "",
         "others hold"},
        {{"foreign_sessions=8", "sessions=8", "session_error=21"},
         SURVEY_SURE_NOTHING,
         true,
         1,
         0,
         "",
         "others hold"},
        {{"foreign_vram=4090"},
         SURVEY_SURE_NOTHING,
         true,
         0,
         0,
         "",
         "out of memory"},
        {{"open_error=15"},
         SURVEY_SURE_NOTHING,
         false,
         1,
         0,
         "",
         "invalid version (15)"},
        {{"h264_min_width=1024"},
         SURVEY_SURE_ALL,
         false,
         1,
         1,
         "",
         "h264_nvenc cannot be opened: h264_nvenc: InitializeEncoder failed: "
         "invalid param (8)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct find f = {0};
        struct survey s;
        print_message("%s\n", cases[i].settings[0]);
        survey(&s, &f, cases[i].settings);
        assert_int_equal(s.device_count, 1);
        const struct survey_device *d = &s.devices[0];
        assert_int_equal(d->problem_count, 1);
        print_message("%s\n", d->problems[0]);
        assert_non_null(strstr(d->problems[0], cases[i].words));
        assert_int_equal(d->is_partial, cases[i].is_partial);
        assert_int_equal(!!d->decoder_count, cases[i].decoders);
        assert_int_equal(!!d->encoder_count, cases[i].encoders);
        assert_string_equal(s.nvenc_headers, cases[i].headers);
        assert_int_equal(d->sure, cases[i].sure);
        survey_fini(&s);
    }
}

/* What NVENC says of itself is tried, and not believed. */
static void take__claims_that_are_not_kept__are_left_out(void **state)
{
    static const struct {
        const char *settings[3]; // ended by NULL
        const char *words;
    } cases[] = {
        {{"hevc_10bit=0", "hevc_claims_10bit=1"},
         "hevc_nvenc with 10 bit cannot be opened: "},
        {{"hevc_claims_b_frames=3"},
         "hevc_nvenc with 3 B-frames cannot be opened: "},
        {{"h264_b_frames=0", "h264_claims_b_frames=4"},
         "h264_nvenc with 4 B-frames cannot be opened: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct find f = {0};
        struct survey s;
        survey(&s, &f, cases[i].settings);
        const struct survey_device *d = &s.devices[0];
        assert_int_equal(d->problem_count, 1);
        print_message("%s\n", d->problems[0]);
        assert_memory_equal(d->problems[0], cases[i].words,
                            strlen(cases[i].words));
        const struct survey_encoder *h264 = survey_find_encoder(d, "h264");
        const struct survey_encoder *hevc = survey_find_encoder(d, "hevc");
        assert_int_equal(h264->b_frames, i == 2 ? 0 : 4);
        assert_int_equal(hevc->b_frames, 0);
        assert_int_equal(hevc->depth, i == 0 ? 8 : 10);
        assert_int_equal(d->sure, SURVEY_SURE_ALL);
        survey_fini(&s);
    }

    // what is wrong with an encoder would be lost with the filter's part
    struct find f = {0};
    struct survey s;
    survey(&s, &f, SETTINGS("hevc_claims_b_frames=3", "fail_launch=1"));
    assert_int_equal(s.devices[0].sure, SURVEY_SURE_NOTHING);
    survey_fini(&s);
}

static void take__kernels_too_new__says_what_to_do(void **state)
{
    struct find f = {0};
    struct survey s;

    (void)state;
    survey(&s, &f, SETTINGS("load_error=222"));
    const struct survey_device *d = &s.devices[0];
    assert_true(d->problem_count > 1);
    print_message("%s\n", d->problems[0]);
    assert_non_null(strstr(d->problems[0], "scale_cuda does not run: this "
                                           "build of FFmpeg was made with a "
                                           "newer CUDA than driver 470.256.02 "
                                           "knows: use one"));
    assert_false(survey_has_filter(d, "scale_cuda"));
    assert_int_equal(d->encoder_count, 2);
    assert_int_equal(d->sure, SURVEY_SURE_ENCODERS);
    survey_fini(&s);
}

static void take__kernels_part_missing__no_device_and_words(void **state)
{
    struct find f = {0};
    struct survey s;

    (void)state;
    survey(&s, &f, SETTINGS("no_driver=1"));
    assert_int_equal(s.device_count, 0);
    assert_int_equal(s.problem_count, 1);
    assert_non_null(strstr(s.problems[0], "NVIDIA"));
    survey_fini(&s);
}

static void take__known_device__costs_no_session_and_no_context(void **state)
{
    struct find second = {.known = plain.text};
    struct survey s;

    (void)state;
    // it would be seen if it looked: there are no encoders any more
    survey(&s, &second, SETTINGS("no_encoder=1"));
    assert_string_equal(second.text, plain.text);
    assert_int_equal(second.sessions, 0);
    assert_int_equal(second.contexts, 0);
    survey_fini(&s);
}

static void take__known_but_otherwise_now__is_tried(void **state)
{
    static const struct {
        const char *setting;
        const char *anew;
        bool tried;
    } cases[] = {
        {"sessions=3", "GPU-other", false},
        {"sessions=3", UUID, true},
        {"sessions=3", SURVEY_ANEW_ALL, true},
        {"driver_version=470.223.02", NULL, true},
        {"uuid=GPU-00000000-7667-7075-0000-000000000002", NULL, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct find f = {.known = plain.text, .anew = cases[i].anew};
        struct survey s;
        print_message("%s %s\n", cases[i].setting, cases[i].anew);
        survey(&s, &f, SETTINGS(cases[i].setting));
        assert_int_equal(f.contexts > 0, cases[i].tried);
        survey_fini(&s);
    }
}

/* What is wrong with the card stays; what is wrong with FFmpeg is looked at
 * again, for it may be another one of the same name. No session is opened. */
static void take__known_with_what_is_wrong__costs_no_session(void **state)
{
    static const struct {
        const char *setting;
        bool is_tried;
    } cases[] = {
        {"no_encoder=1", false},
        {"nvenc_version=10.0", true},
        {"load_error=222", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct find first = {0};
        struct find second = {.known = first.text};
        struct survey s;
        print_message("%s\n", cases[i].setting);
        survey(&s, &first, SETTINGS(cases[i].setting));
        survey_fini(&s);
        survey(&s, &second, SETTINGS(cases[i].setting));
        assert_string_equal(second.text, first.text);
        assert_int_equal(second.sessions, 0);
        assert_int_equal(second.contexts > 0, cases[i].is_tried);
        survey_fini(&s);
    }
}

/* A filter did not run, for whatever reason: it is tried again, and encoders
 * are not. */
static void take__known_encoders__are_not_opened_again(void **state)
{
    struct find first = {0};
    struct find again = {.known = first.text};
    struct find anew = {.known = first.text, .anew = UUID};
    struct find full = {.known = first.text};
    struct survey s;

    (void)state;
    survey(&s, &first, SETTINGS("fail_launch=1"));
    survey_fini(&s);

    survey(&s, &again, NULL);
    assert_string_equal(again.text, plain.text);
    assert_true(again.contexts > 0);
    assert_int_equal(again.sessions, 0);
    survey_fini(&s);

    survey(&s, &anew, NULL);
    assert_string_equal(anew.text, plain.text);
    assert_true(anew.sessions > 0);
    survey_fini(&s);

    // what was known stays, and is asked for again
    survey(&s, &full, SETTINGS("foreign_vram=4090"));
    assert_int_equal(s.devices[0].encoder_count, 2);
    assert_int_equal(s.devices[0].sure, SURVEY_SURE_ENCODERS);
    assert_true(s.devices[0].is_partial);
    survey_fini(&s);
}

/* Of whom nothing is sure nothing is taken. */
static void take__known_but_not_sure__is_tried(void **state)
{
    struct find first = {0};
    struct find second = {.known = first.text};
    struct survey s;

    (void)state;
    survey(&s, &first, SETTINGS("foreign_sessions=3"));
    survey_fini(&s);
    survey(&s, &second, NULL);
    assert_string_equal(second.text, plain.text);
    survey_fini(&s);
}

/* What was known by another FFmpeg, or of another driver's NVENC. */
static void take__known_by_others__is_tried(void **state)
{
    static const char *const values[] = {"\"libav\":\"", "\"nvenc_api\":\""};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char *known = xstrdup(plain.text);
        struct find f = {.known = known};
        struct survey s;
        char *at = strstr(known, values[i]);
        print_message("%s\n", values[i]);
        assert_non_null(at);
        at[strlen(values[i])] = '?';
        survey(&s, &f, NULL);
        assert_true(f.contexts > 0);
        survey_fini(&s);
        free(known);
    }
}

static void take__anew_while_others_hold_all__keeps_what_was_known(void **state)
{
    struct find f = {.known = plain.text, .anew = UUID};
    struct survey s;

    (void)state;
    survey(&s, &f, SETTINGS("foreign_sessions=3"));
    assert_true(f.contexts > 0);
    assert_string_equal(f.text, plain.text);
    survey_fini(&s);
}

int main(int argc, char **argv)
{
    (void)argc;
    machine_enter(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take__p1000__is_described),
        cmocka_unit_test(take__cards__are_each_surveyed),
        cmocka_unit_test(take__p1000__decodes_what_the_chip_does),
        cmocka_unit_test(take__p1000__encodes_within_its_caps),
        cmocka_unit_test(take__sessions__one_at_a_time_and_few),
        cmocka_unit_test(take__b_frames_as_references__are_the_middle_ones),
        cmocka_unit_test(take__filters__are_those_that_run),
        cmocka_unit_test(take__what_is_wrong__is_said),
        cmocka_unit_test(take__claims_that_are_not_kept__are_left_out),
        cmocka_unit_test(take__kernels_too_new__says_what_to_do),
        cmocka_unit_test(take__kernels_part_missing__no_device_and_words),
        cmocka_unit_test(take__known_device__costs_no_session_and_no_context),
        cmocka_unit_test(take__known_but_otherwise_now__is_tried),
        cmocka_unit_test(take__known_with_what_is_wrong__costs_no_session),
        cmocka_unit_test(take__known_encoders__are_not_opened_again),
        cmocka_unit_test(take__known_but_not_sure__is_tried),
        cmocka_unit_test(take__known_by_others__is_tried),
        cmocka_unit_test(
            take__anew_while_others_hold_all__keeps_what_was_known),
    };

    return cmocka_run_group_tests(tests, survey_p1000, forget_p1000);
}
