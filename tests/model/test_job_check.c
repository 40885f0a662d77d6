#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/job.h"
#include "model/job_check.h"
#include "model/quote.h"

struct text_case {
    const char *text;
    const char *words; // "": it is good
};

static void check_texts(int (*check)(const char *, struct error *),
                        const struct text_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct error e = {0};
        print_message("'%s'\n", cases[i].text);
        assert_int_equal(check(cases[i].text, &e),
                         *cases[i].words ? -EINVAL : 0);
        assert_string_equal(e.text, cases[i].words);
    }
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void job_check_path__paths__are_judged(void **state)
{
    static const char odd[] = "has an empty, '.' or '..' component";
    static const struct text_case cases[] = {
        {"/a", ""},
        {"/a/b c/d.mkv", ""},
        {"/m\xc3\xa4rz/...", ""},
        {"/.hidden", ""},
        {"/a/..b", ""},
        {"", "must be an absolute path"},
        {"a", "must be an absolute path"},
        {"./a", "must be an absolute path"},
        {"file:///a", "must be an absolute path"},
        {"/", "names a folder, not a file"},
        {"/a/", "names a folder, not a file"},
        {"//a", odd},
        {"/a//b", odd},
        {"/a/./b", odd},
        {"/a/../b", odd},
        {"/a/..", odd},
        {"/.", odd},
        {"/a\nb", "contains control characters"},
        {"/a\x7f", "contains control characters"},
        {"/\x1b[2J", "contains control characters"},
    };

    (void)state;
    check_texts(job_check_path, cases, COUNT(cases));
}

static void job_check_device__ids__are_judged(void **state)
{
    static const char words[] = "must be the id of a GPU, as 'cuda:0'";
    static const struct text_case cases[] = {
        {"cuda:0", ""},
        {"cuda:12", ""},
        {"cpu", "is for GPUs; 'hardware': 'none' asks for the CPU"},
        {"", words},
        {"cuda", words},
        {"cuda:", words},
        {"cuda:-1", words},
        {"cuda:0 ", words},
        {"CUDA:0", words},
        {"GPU-0123", words},
    };

    (void)state;
    check_texts(job_check_device, cases, COUNT(cases));
}

static void job_check_path__long_name__is_refused(void **state)
{
    char *good = xasprintf("/a/%0255d/b", 0);
    char *bad = xasprintf("/a/%0256d/b", 0);
    const struct text_case cases[] = {
        {good, ""},
        {bad, "has a name longer than 255 bytes"},
    };

    (void)state;
    check_texts(job_check_path, cases, COUNT(cases));
    free(good);
    free(bad);
}

static void job_check_name__names_of_profiles__are_judged(void **state)
{
    static const char words[] = "must be letters, digits, '.', '_' and '-'";
    static const struct text_case cases[] = {
        {"h264-720p", ""}, {"A_b.2", ""}, {"", words},    {".x", words},
        {"a/b", words},    {"..", words}, {"a b", words}, {"m\xc3\xa4", words},
    };

    (void)state;
    check_texts(job_check_name, cases, COUNT(cases));
}

static void job_check_text__texts__are_judged(void **state)
{
    static const struct text_case cases[] = {
        {"any thing", ""},
        {"", "must not be empty"},
        {"a\tb", "contains control characters"},
    };

    (void)state;
    check_texts(job_check_text, cases, COUNT(cases));
}

/* Reads a job whose outputs are @outputs. */
static int check_outputs(const char *outputs, struct error *e)
{
    char *text =
        xasprintf("{'input':{'path':'/in.mkv'},'outputs':%s}", outputs);
    json_t *json = quote(text);
    struct job job;
    int r = job_from_json(&job, json, e);

    if (r == 0)
        job_fini(&job);
    json_decref(json);
    free(text);
    return r;
}

static void job_check__contradictions__are_refused(void **state)
{
    static const struct {
        const char *outputs, *field, *words;
    } cases[] = {
        {"[{'path':'/in.mkv'}]", "outputs[0].path", "is the input's own"},
        {"[{'path':'/a.mkv'},{'path':'/b.mkv'},{'path':'/a.mkv'}]",
         "outputs[2].path", "is outputs[0]'s own"},
        {"[{'path':'/a.avi'}]", "outputs[0].format",
         "the name 'a.avi' does not tell the container"},
        {"[{'path':'/d.mp4/a'}]", "outputs[0].format",
         "the name 'a' does not tell the container"},
        {"[{'path':'/a.mkv','video':{'codec':'none'},'audio':[]}]",
         "outputs[0]", "has no stream"},
        {"[{'path':'/a.mkv','video':{'codec':'copy','max_height':720}}]",
         "outputs[0].video.max_height", "cannot be had with a copied stream"},
        {"[{'path':'/a.mkv','video':{'codec':'copy','bitrate':5000}}]",
         "outputs[0].video.bitrate", "cannot be had with a copied stream"},
        {"[{'path':'/a.mkv','video':{'codec':'copy','buffer_size':5000}}]",
         "outputs[0].video.buffer_size", "cannot be had with a copied stream"},
        {"[{'path':'/a.mkv','video':{'codec':'copy','level':'4.1'}}]",
         "outputs[0].video.level", "cannot be had with a copied stream"},
        {"[{'path':'/a.mkv','audio':[{'codec':'copy','volume':2}]}]",
         "outputs[0].audio[0].volume", "cannot be had with a copied stream"},
        {"[{'path':'/"
         "a.mkv','audio':[{},{'codec':'copy','sample_rate':48000}]}]",
         "outputs[0].audio[1].sample_rate",
         "cannot be had with a copied stream"},
        {"[{'path':'/a.mkv','video':{'bitrate':5000,'quality':20}}]",
         "outputs[0].video.quality",
         "contradicts 'bitrate': only one can be kept"},
        {"[{'path':'/a.mkv','video':{'bitrate':5000,'max_bitrate':4000}}]",
         "outputs[0].video.max_bitrate", "is less than 'bitrate'"},
        {"[{'path':'/a.mkv','video':{'buffer_size':4000}}]",
         "outputs[0].video.buffer_size", "needs 'max_bitrate' or 'bitrate'"},
        {"[{'path':'/a.mkv','video':{'quality':52}}]",
         "outputs[0].video.quality", "must be between 0 and 51 with h264"},
        {"[{'path':'/a.mkv','video':{'preset':'7'}}]",
         "outputs[0].video.preset", "'7' is no preset for h264"},
        {"[{'path':'/a.mkv','video':{'preset':'medium:log=/x'}}]",
         "outputs[0].video.preset", "'medium:log=/x' is no preset for h264"},
        {"[{'path':'/a.mkv','video':{'codec':'av1','preset':'veryfast'}}]",
         "outputs[0].video.preset", "'veryfast' is no preset for av1"},
        {"[{'path':'/a.mkv','video':{'profile':'main10'}}]",
         "outputs[0].video.profile", "'main10' is no profile of h264"},
        {"[{'path':'/a.mkv','video':{'level':'9'}}]", "outputs[0].video.level",
         "'9' is no level of h264"},
        {"[{'path':'/a.mkv','video':{'codec':'av1','level':'4.1'}}]",
         "outputs[0].video.level", "is for h264 and hevc, not for av1"},
        {"[{'path':'/a.mkv','video':{'codec':'vp9','b_frames':2}}]",
         "outputs[0].video.b_frames", "is for h264 and hevc, not for vp9"},
        {"[{'path':'/a.mkv','audio':[{'codec':'mp3','channels':6}]}]",
         "outputs[0].audio[0].channels", "mp3 takes no more than 2"},
        {"[{'path':'/a.mkv','audio':[{'codec':'opus','sample_rate':44100}]}]",
         "outputs[0].audio[0].sample_rate", "opus takes no 44100 Hz"},
        {"[{'path':'/a.webm'}]", "outputs[0].video.codec",
         "WebM takes no h264, but av1, vp9, copy, none"},
        {"[{'path':'/a.webm','video':{'codec':'vp9'}}]",
         "outputs[0].audio[0].codec",
         "WebM takes no aac, but opus, vorbis, copy"},
        {"[{'path':'/a.mp4','audio':[{'codec':'vorbis'}]}]",
         "outputs[0].audio[0].codec",
         "MP4 takes no vorbis, but aac, ac3, eac3, opus, mp3, flac, copy"},
        {"[{'path':'/a.mp4','subtitles':[{'codec':'srt'}]}]",
         "outputs[0].subtitles[0].codec",
         "MP4 takes no srt, but copy, mov_text"},
        {"[{'path':'/a.ts','video':{'codec':'vp9'}}]", "outputs[0].video.codec",
         "MPEG-TS takes no vp9, but h264, hevc, copy, none"},
        {"[{'path':'/a.ts','audio':[{'codec':'flac'}]}]",
         "outputs[0].audio[0].codec",
         "MPEG-TS takes no flac, but aac, ac3, eac3, opus, mp3, copy"},
        {"[{'path':'/a.ts','subtitles':[{},{'codec':'webvtt'}]}]",
         "outputs[0].subtitles[1].codec", "MPEG-TS takes no webvtt, but copy"},
        {"[{'path':'/a.mkv','subtitles':[{'codec':'mov_text'}]}]",
         "outputs[0].subtitles[0].codec",
         "Matroska takes no mov_text, but copy, webvtt, srt, ass"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error e = {0};
        print_message("%s\n", cases[i].outputs);
        assert_int_equal(check_outputs(cases[i].outputs, &e), -EINVAL);
        assert_string_equal(e.field, cases[i].field);
        assert_string_equal(e.text, cases[i].words);
    }
}

static void job_check__what_fits__is_taken(void **state)
{
    static const char *const cases[] = {
        "[{'path':'/a.mkv','video':{'width':640,'max_width':1280}}]",
        "[{'path':'/a.mkv','video':{'width':16384,'b_frames':16}}]",
        "[{'path':'/a.mkv','video':{'bitrate':5000,'max_bitrate':5000}}]",
        "[{'path':'/a.mkv','video':{'codec':'none','max_height':720}}]",
        "[{'path':'/a.mkv','video':{'codec':'none'},'audio':[],"
        "'subtitles':[{'codec':'ass'}]}]",
        "[{'path':'/a.mkv','video':{'preset':'ultrafast'}}]",
        "[{'path':'/a.mkv','video':{'preset':'p7','level':'4.1'}}]",
        "[{'path':'/a.mkv','video':{'codec':'av1','preset':'8',"
        "'quality':63}}]",
        "[{'path':'/a.mkv','video':{'codec':'vp9','preset':'realtime'}}]",
        "[{'path':'/a.mkv','video':{'quality':20,'max_bitrate':4000000,"
        "'buffer_size':8000000}}]",
        "[{'path':'/a.bin','format':'mpegts'}]",
        "[{'path':'/a.ts','subtitles':[{'codec':'copy'}]}]",
        "[{'path':'/a.webm','video':{'codec':'av1'},"
        "'audio':[{'codec':'vorbis'}],'subtitles':[{'codec':'webvtt'}]}]",
        "[{'path':'/a.mkv','audio':[{'codec':'flac','sample_rate':176400}]}]",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error e = {0};
        print_message("%s\n", cases[i]);
        int r = check_outputs(cases[i], &e);
        assert_string_equal(e.text, "");
        assert_int_equal(r, 0);
    }
}

static void job_check_template__profiles__are_judged(void **state)
{
    static const struct {
        const char *text, *field; // "": it is good
    } cases[] = {
        {"{}", ""},
        {"{'outputs':[{}]}", ""},
        {"{'outputs':[{'video':{'codec':'vp9'},'audio':[]}]}", ""},
        {"{'outputs':[{'format':'webm'}]}", "outputs[0].video.codec"},
        {"{'outputs':[{'path':'/a.mkv'}]}", "outputs[0].path"},
        {"{'input':{'path':'/a.mkv'}}", "input.path"},
        {"{'input':{'probe_size':100000}}", ""},
        {"{'key':'x'}", "key"},
        {"{'device':'cuda:1'}", ""},
        {"{'hardware':'none','device':'cuda:1'}", "device"},
        {"{'profile':'other'}", "profile"},
        {"{'outputs':[{'video':{'quality':99}}]}", "outputs[0].video.quality"},
        {"{'colour':'red'}", "colour"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *json = quote(cases[i].text);
        struct error e = {0};
        print_message("%s\n", cases[i].text);
        assert_int_equal(job_check_template(json, &e),
                         *cases[i].field ? -EINVAL : 0);
        assert_string_equal(e.field, cases[i].field);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_check_path__paths__are_judged),
        cmocka_unit_test(job_check_device__ids__are_judged),
        cmocka_unit_test(job_check_path__long_name__is_refused),
        cmocka_unit_test(job_check_name__names_of_profiles__are_judged),
        cmocka_unit_test(job_check_text__texts__are_judged),
        cmocka_unit_test(job_check__contradictions__are_refused),
        cmocka_unit_test(job_check__what_fits__is_taken),
        cmocka_unit_test(job_check_template__profiles__are_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
