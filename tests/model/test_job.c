#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "model/job.h"
#include "model/limits.h"
#include "model/quote.h"

#define LEAST "{'input':{'path':'/in.mkv'},'outputs':[{'path':'/out.mp4'}]}"

static int read_job(struct job *ret, const char *text, struct error *e)
{
    char *quoted = requote(text);
    int r = job_from_text(ret, quoted, strlen(quoted), e);

    free(quoted);
    return r;
}

static void job_from_text__least_document__has_the_defaults(void **state)
{
    struct job job;
    struct error e = {0};

    (void)state;
    assert_int_equal(read_job(&job, LEAST, &e), 0);
    assert_null(job.profile);
    assert_null(job.key);
    assert_false(job.overwrite);
    assert_int_equal(job.delivery, JOB_COMPLETE);
    assert_int_equal(job.priority, JOB_NORMAL);
    assert_int_equal(job.hardware, JOB_HARDWARE_AUTO);
    assert_int_equal(job.timeout, 0);
    assert_string_equal(job.input.path, "/in.mkv");
    assert_int_equal(job.input.start, 0);
    assert_int_equal(job.input.duration, JOB_UNSET);
    assert_int_equal(job.output_count, 1);

    const struct job_output *o = &job.outputs[0];
    assert_int_equal(o->format, JOB_FORMAT_BY_PATH);
    assert_false(o->video.given);
    assert_int_equal(o->video.codec, JOB_VIDEO_H264);
    assert_int_equal(o->video.max_height, JOB_UNSET);
    assert_string_equal(o->video.preset, "medium");
    assert_true(o->video.keyframe_interval == 2);
    assert_true(o->video.quality == JOB_UNSET);
    assert_int_equal(o->audio_count, 1);
    assert_false(o->audio[0].given);
    assert_int_equal(o->audio[0].codec, JOB_AUDIO_AAC);
    assert_int_equal(o->audio[0].channels, 2);
    assert_int_equal(o->audio[0].bitrate, 128000);
    assert_int_equal(o->subtitle_count, 0);
    job_fini(&job);
}

static void job_from_text__full_document__is_read(void **state)
{
    struct job job;
    struct error e = {0};

    (void)state;
    assert_int_equal(
        read_job(&job,
                 "{'profile':'h264-720p','key':'film 17','overwrite':true,"
                 "'delivery':'growing','priority':'realtime',"
                 "'hardware':'require','device':'cuda:1','timeout':1.5,"
                 "'input':{'path':'/m/film.mkv','start':12.25,'duration':30,"
                 "'format':'matroska','probe_size':1000000,"
                 "'analyze_duration':0.5},"
                 "'outputs':[{'path':'/o/film.ts','video':{'stream':0,"
                 "'codec':'hevc','width':1280,'height':720,'frame_rate':23.976,"
                 "'bitrate':3000000,'max_bitrate':4000000,"
                 "'buffer_size':8000000,'preset':'p5','profile':'main10',"
                 "'level':'4.1','keyframe_interval':4,'keyframe_frames':96,"
                 "'b_frames':0},'audio':[{'stream':1,'codec':'eac3',"
                 "'channels':6,'bitrate':384000,'sample_rate':48000,"
                 "'volume':0.5},{'stream':2,'codec':'copy'}],"
                 "'subtitles':[{'stream':5}],'timestamps':'copy',"
                 "'metadata':'drop'}]}",
                 &e),
        0);
    assert_string_equal(job.profile, "h264-720p");
    assert_string_equal(job.key, "film 17");
    assert_true(job.overwrite);
    assert_int_equal(job.delivery, JOB_GROWING);
    assert_int_equal(job.priority, JOB_REALTIME);
    assert_int_equal(job.hardware, JOB_HARDWARE_REQUIRE);
    assert_string_equal(job.device, "cuda:1");
    assert_int_equal(job.timeout, 1500 * MILLISECOND);
    assert_int_equal(job.input.start, 12250 * MILLISECOND);
    assert_int_equal(job.input.duration, 30 * SECOND);
    assert_int_equal(job.input.analyze_duration, 500 * MILLISECOND);

    const struct job_output *o = &job.outputs[0];
    assert_true(o->video.given);
    assert_int_equal(o->video.codec, JOB_VIDEO_HEVC);
    assert_int_equal(o->video.width, 1280);
    assert_true(o->video.frame_rate == 23.976);
    assert_string_equal(o->video.profile, "main10");
    assert_string_equal(o->video.level, "4.1");
    assert_int_equal(o->video.b_frames, 0);
    assert_int_equal(o->audio_count, 2);
    assert_true(o->audio[1].given);
    assert_int_equal(o->audio[1].codec, JOB_AUDIO_COPY);
    assert_true(o->audio[0].volume == 0.5);
    assert_int_equal(o->subtitles[0].stream, 5);
    assert_int_equal(o->subtitles[0].codec, JOB_SUBTITLE_COPY);
    assert_int_equal(o->timestamps, JOB_TIMESTAMPS_COPY);
    assert_int_equal(o->metadata, JOB_METADATA_DROP);
    job_fini(&job);
}

static void job_from_text__null__leaves_it_to_us(void **state)
{
    struct job job;
    struct error e = {0};

    (void)state;
    assert_int_equal(
        read_job(&job,
                 "{'profile':null,'key':null,'input':{'path':'/in.mkv',"
                 "'duration':null},'outputs':[{'path':'/out.mp4',"
                 "'format':null,'hls':null,'audio':null,"
                 "'video':{'max_height':null,'burn_subtitle':null}}]}",
                 &e),
        0);
    assert_true(job.outputs[0].video.given);
    assert_false(job.outputs[0].audio[0].given);
    job_fini(&job);
}

static void job_from_text__bad_document__names_field_and_reason(void **state)
{
    static const struct {
        const char *text, *field, *words;
    } cases[] = {
        {"{'outputs':[{'path':'/o.mp4'}]}", "input", "is missing"},
        {"{'input':{},'outputs':[]}", "input.path", "is missing"},
        {"{'input':{'path':'/i'}}", "outputs", "is missing"},
        {"{'input':{'path':'/i'},'outputs':[]}", "outputs",
         "needs at least 1 element"},
        {"{'input':{'path':'/i'},'outputs':{}}", "outputs", "must be a list"},
        {"{'input':'/i','outputs':[]}", "input", "must be an object"},
        {"{'input':{'path':'/i'},'outputs':[{'path':'/o.mp4'},{}]}",
         "outputs[1].path", "is missing"},
        {"{'input':{'path':'/i'},'outputs':[{'path':'/o.mp4',"
         "'video':{'codek':'h264'}}]}",
         "outputs[0].video.codek", "there is no such field"},
        {"{'input':{'path':'/i'},'outputs':[{'path':'/o.mp4',"
         "'audio':[{},{'codec':'wma'}]}]}",
         "outputs[0].audio[1].codec",
         "must be aac, ac3, eac3, opus, mp3, flac, vorbis or copy"},
        {"{'input':{'path':'/i'},'outputs':[{'path':'/o.mp4',"
         "'hls':{}}]}",
         "outputs[0].hls", "is not built yet"},
        {"{'input':{'path':'/i'},'outputs':[{'path':'/o.mp4',"
         "'format':'hls'}]}",
         "outputs[0].format", "'hls' is not built yet"},
        {"{'input':{'path':'/i'},'outputs':[{'path':'/o.mp4',"
         "'video':{'tonemap':'on'}}]}",
         "outputs[0].video.tonemap", "'on' is not built yet"},
        {"{'input':{'path':'/i'},'outputs':[{'path':'/o.mp4',"
         "'video':{'deinterlace':'off'}}]}",
         "outputs[0].video.deinterlace", "'off' is not built yet"},
        {"{'input':{'path':'/i'},'outputs':[{'path':'/o.mp4',"
         "'video':{'rotate':'off'}}]}",
         "outputs[0].video.rotate", "'off' is not built yet"},
        {"{'input':{'path':'/i'},'outputs':[{'path':'/o.mp4',"
         "'video':{'burn_subtitle':3}}]}",
         "outputs[0].video.burn_subtitle", "is not built yet"},
        {"{'input':{'path':'/i'},'outputs':[{'path':'/o.mp4',"
         "'video':{'width':641}}]}",
         "outputs[0].video.width", "must be even"},
        {"{'input':{'path':'/i'},'outputs':[{'path':'/o.mp4',"
         "'video':{'width':40000}}]}",
         "outputs[0].video.width", "must be between 16 and 16384"},
        {"{'input':{'path':'/i','start':-1},'outputs':[{'path':'/o.mp4'}]}",
         "input.start", "must be between 0 and 10000000"},
        {"{'input':{'path':'/i','duration':0},'outputs':[{'path':'/o.mp4'}]}",
         "input.duration", "must be between 0.001 and 10000000"},
        {"{'profile':'../x','input':{'path':'/i'},"
         "'outputs':[{'path':'/o.mp4'}]}",
         "profile", "must be letters, digits, '.', '_' and '-'"},
        {"{'key':'','input':{'path':'/i'},'outputs':[{'path':'/o.mp4'}]}",
         "key", "must not be empty"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job job;
        struct error e = {0};
        print_message("%s\n", cases[i].text);
        assert_int_equal(read_job(&job, cases[i].text, &e), -EINVAL);
        assert_string_equal(e.field, cases[i].field);
        assert_string_equal(e.text, cases[i].words);
    }
}

static void
job_from_text__long_unknown_field__is_named_as_far_as_it_goes(void **state)
{
    char text[1000];
    struct job job;
    struct error e = {0};

    (void)state;
    (void)snprintf(text, sizeof(text), "{'%0900d':1}", 0);
    assert_int_equal(read_job(&job, text, &e), -EINVAL);
    assert_int_equal(strlen(e.field), sizeof(e.field) - 1);
}

static void job_from_text__too_large__is_refused(void **state)
{
    char *text = xcalloc(LIMITS_DOCUMENT + 2, 1);
    struct job job;
    struct error e = {0};

    (void)state;
    memset(text, ' ', LIMITS_DOCUMENT + 1);
    char *least = requote(LEAST);
    memcpy(text, least, strlen(least));
    assert_int_equal(job_from_text(&job, text, LIMITS_DOCUMENT, &e), 0);
    job_fini(&job);
    assert_int_equal(job_from_text(&job, text, LIMITS_DOCUMENT + 1, &e),
                     -EMSGSIZE);
    free(least);
    free(text);
}

static void job_from_text__too_many_outputs__are_refused(void **state)
{
    json_t *json = quote("{'input':{'path':'/i'},'outputs':[]}");
    struct job job;
    struct error e = {0};

    (void)state;
    for (int i = 0; i <= LIMITS_OUTPUTS; i++)
        (void)json_array_append_new(
            json_object_get(json, "outputs"),
            json_pack("{s:o}", "path", json_sprintf("/o%d.mp4", i)));
    assert_int_equal(job_from_json(&job, json, &e), -EINVAL);
    assert_string_equal(e.field, "outputs");
    assert_string_equal(e.text, "has 17 elements, more than 16");
    (void)json_array_remove(json_object_get(json, "outputs"), LIMITS_OUTPUTS);
    assert_int_equal(job_from_json(&job, json, &e), 0);
    assert_int_equal(job_renditions(&job), LIMITS_OUTPUTS);
    job_fini(&job);
    json_decref(json);
}

static void job_to_json__job__is_read_back_the_same(void **state)
{
    static const char *const cases[] = {
        LEAST,
        "{'key':'k','timeout':0.1,'input':{'path':'/i','start':0.000001},"
        "'outputs':[{'path':'/o.mkv','video':{'codec':'copy'},'audio':[]},"
        "{'path':'/p.webm','video':{'codec':'vp9','quality':31.5,"
        "'frame_rate':29.97},'audio':[{'codec':'opus','volume':0.1}],"
        "'subtitles':[{'codec':'webvtt'}]}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job job, again;
        struct error e = {0};
        assert_int_equal(read_job(&job, cases[i], &e), 0);
        json_t *json = job_to_json(&job);
        assert_int_equal(job_from_json(&again, json, &e), 0);
        json_t *second = job_to_json(&again);
        assert_true(json_equal(json, second));
        assert_int_equal(job.input.start, again.input.start);
        json_decref(json);
        json_decref(second);
        job_fini(&job);
        job_fini(&again);
    }
}

/* A key is taken by the text of its job, which must not change with us. */
static void job_to_json__field_that_came_later__only_where_it_is_said(void **s)
{
    static const struct {
        const char *document;
        const char *device; // in what is written
    } cases[] = {
        {LEAST, NULL},
        {"{'device':null,'input':{'path':'/i'},'outputs':[{'path':'/o.mp4'}]}",
         NULL},
        {"{'device':'cuda:1','input':{'path':'/i'},"
         "'outputs':[{'path':'/o.mp4'}]}",
         "cuda:1"},
    };

    (void)s;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job job;
        struct error e = {0};
        assert_int_equal(read_job(&job, cases[i].document, &e), 0);
        json_t *json = job_to_json(&job);
        const json_t *device = json_object_get(json, "device");
        assert_int_equal(!cases[i].device, !device);
        if (device)
            assert_string_equal(json_string_value(device), cases[i].device);
        json_decref(json);
        job_fini(&job);
    }
}

static void job_output_format__path__tells_the_container(void **state)
{
    static const struct {
        const char *path;
        enum job_format format;
    } cases[] = {
        {"/a.mp4", JOB_FORMAT_MP4},       {"/a.M4V", JOB_FORMAT_MP4},
        {"/a.m4a", JOB_FORMAT_MP4},       {"/a.mov", JOB_FORMAT_MP4},
        {"/a.mkv", JOB_FORMAT_MATROSKA},  {"/a.mka", JOB_FORMAT_MATROSKA},
        {"/a.mks", JOB_FORMAT_MATROSKA},  {"/a.ts", JOB_FORMAT_MPEGTS},
        {"/a.m2ts", JOB_FORMAT_MPEGTS},   {"/a.mts", JOB_FORMAT_MPEGTS},
        {"/a.webm", JOB_FORMAT_WEBM},     {"/a.b.mkv", JOB_FORMAT_MATROSKA},
        {"/a.avi", JOB_FORMAT_BY_PATH},   {"/mp4", JOB_FORMAT_BY_PATH},
        {"/a.mp4/b", JOB_FORMAT_BY_PATH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job_output output = {.path = xstrdup(cases[i].path)};
        const struct job job = {.outputs = &output, .output_count = 1};
        assert_int_equal(job_output_format(&job, 0), cases[i].format);
        output.format = JOB_FORMAT_MPEGTS; // what was said wins
        assert_int_equal(job_output_format(&job, 0), JOB_FORMAT_MPEGTS);
        free(output.path);
    }
}

static void job_renditions__encoded_video__is_counted(void **state)
{
    struct job_output outputs[3] = {{.video.codec = JOB_VIDEO_COPY},
                                    {.video.codec = JOB_VIDEO_NONE},
                                    {.video.codec = JOB_VIDEO_AV1}};
    struct job job = {.outputs = outputs, .output_count = 2};

    (void)state;
    assert_int_equal(job_renditions(&job), 0);
    job.output_count = 3;
    assert_int_equal(job_renditions(&job), 1);
}

static void job_names__enumerators__have_their_words(void **state)
{
    (void)state;
    assert_string_equal(job_priority_name(JOB_REALTIME), "realtime");
    assert_string_equal(job_format_name(JOB_FORMAT_MPEGTS), "mpegts");
    assert_null(job_format_name(JOB_FORMAT_BY_PATH));
    assert_string_equal(job_video_codec_name(JOB_VIDEO_HEVC), "hevc");
    assert_string_equal(job_audio_codec_name(JOB_AUDIO_EAC3), "eac3");
    assert_string_equal(job_subtitle_codec_name(JOB_SUBTITLE_SRT), "srt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_from_text__least_document__has_the_defaults),
        cmocka_unit_test(job_from_text__full_document__is_read),
        cmocka_unit_test(job_from_text__null__leaves_it_to_us),
        cmocka_unit_test(job_from_text__bad_document__names_field_and_reason),
        cmocka_unit_test(
            job_from_text__long_unknown_field__is_named_as_far_as_it_goes),
        cmocka_unit_test(job_from_text__too_large__is_refused),
        cmocka_unit_test(job_from_text__too_many_outputs__are_refused),
        cmocka_unit_test(job_to_json__job__is_read_back_the_same),
        cmocka_unit_test(
            job_to_json__field_that_came_later__only_where_it_is_said),
        cmocka_unit_test(job_output_format__path__tells_the_container),
        cmocka_unit_test(job_renditions__encoded_video__is_counted),
        cmocka_unit_test(job_names__enumerators__have_their_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
