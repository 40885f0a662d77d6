#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "model/job.h"
#include "model/profile.h"
#include "model/quote.h"

static char folder[] = "/tmp/test_profile.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    int r = nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    memcpy(strrchr(folder, '.'), ".XXXXXX", 8); // for the next test
    return r;
}

static void put(const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", folder, name);
    char *quoted = requote(text);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(quoted, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(quoted);
    free(path);
}

/* The profiles of a folder that holds @text as "p". */
static struct profiles *load_one(const char *text)
{
    struct profiles *p = NULL;
    struct error e = {0};

    put("p.json", text);
    assert_int_equal(profiles_load(&p, folder, NULL, &e), 0);
    return p;
}

static void profiles_apply__job__is_merged_over_its_profile(void **state)
{
    static const struct {
        const char *profile, *job, *expect;
    } cases[] = {
        {"{'priority':'batch'}", "{'profile':'p'}",
         "{'priority':'batch','profile':'p'}"},
        {"{'priority':'batch'}", "{'profile':'p','priority':'normal'}",
         "{'priority':'normal','profile':'p'}"},
        {"{'priority':'batch'}", "{'profile':'p','priority':null}",
         "{'profile':'p'}"},
        {"{'input':{'probe_size':1000}}",
         "{'profile':'p','input':{'path':'/i'}}",
         "{'profile':'p','input':{'path':'/i','probe_size':1000}}"},
        {"{'outputs':[{'video':{'max_height':720,'quality':20}}]}",
         "{'profile':'p','outputs':[{'path':'/o','video':{'quality':25}}]}",
         "{'profile':'p','outputs':[{'path':'/o','video':{'max_height':720,"
         "'quality':25}}]}"},
        {"{'outputs':[{'video':{'quality':20}}]}",
         "{'profile':'p','outputs':[{'path':'/o','video':{'quality':null,"
         "'bitrate':1000000}}]}",
         "{'profile':'p','outputs':[{'path':'/o','video':{"
         "'bitrate':1000000}}]}"},
        // first with first, and more of them than the profile has
        {"{'outputs':[{'metadata':'drop'}]}",
         "{'profile':'p','outputs':[{'path':'/a'},{'path':'/b'}]}",
         "{'profile':'p','outputs':[{'path':'/a','metadata':'drop'},"
         "{'path':'/b'}]}"},
        {"{'outputs':[{'metadata':'drop'},{'metadata':'keep'}]}",
         "{'profile':'p','outputs':[{'path':'/a'}]}",
         "{'profile':'p','outputs':[{'path':'/a','metadata':'drop'},"
         "{'metadata':'keep'}]}"},
        // other lists are replaced
        {"{'outputs':[{'audio':[{'codec':'aac'},{'codec':'ac3'}]}]}",
         "{'profile':'p','outputs':[{'audio':[{'codec':'opus'}]}]}",
         "{'profile':'p','outputs':[{'audio':[{'codec':'opus'}]}]}"},
        {"{'outputs':[{'metadata':'drop'}]}", "{'profile':'p','outputs':7}",
         "{'profile':'p','outputs':7}"},
        {"{'outputs':[{'metadata':'drop'}]}",
         "{'profile':'p','outputs':[7,null]}",
         "{'profile':'p','outputs':[7,null]}"},
        {"{'priority':'batch'}", "{'overwrite':true}", "{'overwrite':true}"},
        {"{'priority':'batch'}", "{'profile':null}", "{'profile':null}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct profiles *p = load_one(cases[i].profile);
        json_t *job = quote(cases[i].job);
        json_t *merged = NULL;
        struct error e = {0};
        print_message("%s\n", cases[i].job);
        assert_int_equal(profiles_apply(p, job, &merged, &e), 0);
        assert_json(merged, cases[i].expect);
        assert_json(job, cases[i].job); // is as it was
        profiles_destroy(p);
    }
}

static void profiles_apply__unknown_profile__is_refused(void **state)
{
    struct profiles *p = load_one("{}");
    json_t *unknown = quote("{'profile':'q'}");
    json_t *number = quote("{'profile':7}");
    json_t *merged = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(profiles_apply(p, unknown, &merged, &e), -EINVAL);
    assert_string_equal(e.field, "profile");
    assert_string_equal(e.text, "there is no profile 'q'");
    assert_int_equal(profiles_apply(p, number, &merged, &e), -EINVAL);
    assert_string_equal(e.field, "profile");
    assert_null(merged);
    json_decref(unknown);
    json_decref(number);
    profiles_destroy(p);
}

static void
profiles_apply__what_is_no_object__is_left_to_the_parser(void **state)
{
    struct profiles *p = load_one("{}");
    json_t *list = quote("[1]");
    json_t *merged = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(profiles_apply(p, list, &merged, &e), 0);
    assert_json(merged, "[1]");
    json_decref(list);
    profiles_destroy(p);
}

static void
profiles_apply__fewer_outputs_than_rungs__names_the_path(void **state)
{
    struct profiles *p = load_one("{'outputs':[{},{}]}");
    json_t *job = quote("{'profile':'p','input':{'path':'/i'},"
                        "'outputs':[{'path':'/a.mkv'}]}");
    json_t *merged = NULL;
    struct job parsed;
    struct error e = {0};

    (void)state;
    assert_int_equal(profiles_apply(p, job, &merged, &e), 0);
    assert_int_equal(job_from_json(&parsed, merged, &e), -EINVAL);
    assert_string_equal(e.field, "outputs[1].path");
    assert_string_equal(e.text, "is missing");
    json_decref(job);
    json_decref(merged);
    profiles_destroy(p);
}

static void profiles_load__override__wins_and_adds(void **state)
{
    struct profiles *p = NULL;
    struct error e = {0};

    (void)state;
    put("h264-720p.json", "{'priority':'batch'}");
    put("own.json", "{}");
    put("notes.txt", "no profile");
    assert_int_equal(profiles_load(&p, "profiles", folder, &e), 0);
    assert_json(json_incref((json_t *)(size_t)profiles_find(p, "h264-720p")),
                "{'priority':'batch'}");
    assert_non_null(profiles_find(p, "own"));
    assert_non_null(profiles_find(p, "remux-mp4"));
    assert_null(profiles_find(p, "notes"));
    assert_null(profiles_find(p, "job.schema"));
    profiles_destroy(p);
}

static void profiles_load__folders__may_lack_where_said(void **state)
{
    struct profiles *p = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(profiles_load(&p, folder, "/nowhere", &e), 0);
    assert_json(profiles_to_json(p), "[]");
    profiles_destroy(p);
    assert_int_equal(profiles_load(&p, "/nowhere", NULL, &e), -ENOENT);
    assert_string_equal(e.text, "cannot open the folder '/nowhere': "
                                "No such file or directory");
}

static void profiles_load__bad_profile__is_named(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"{", "/p.json': not valid JSON in line 1"},
        {"[]", "/p.json': must be an object"},
        {"{'colour':1}", "/p.json': colour: there is no such field"},
        {"{'outputs':[{'path':'/o.mkv'}]}",
         "/p.json': outputs[0].path: belongs to a job, not to a profile"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct profiles *p = NULL;
        struct error e = {0};
        put("p.json", cases[i].text);
        assert_int_equal(profiles_load(&p, folder, NULL, &e), -EINVAL);
        assert_null(p);
        print_message("%s\n", e.text);
        assert_non_null(strstr(e.text, cases[i].words));
    }
}

static void
profiles_load__file_that_leads_nowhere__is_no_missing_folder(void **state)
{
    char *path = xasprintf("%s/p.json", folder);
    struct profiles *p = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(symlink("/nowhere/p.json", path), 0);
    assert_int_equal(profiles_load(&p, "profiles", folder, &e), -EINVAL);
    assert_non_null(strstr(e.text, "/p.json': cannot read it: No such file"));
    free(path);
}

/* A job over each profile, with as many outputs as it has rungs. */
static void profiles_load__shipped_ones__make_jobs(void **state)
{
    static const struct {
        const char *name;
        const char *paths[4];
        const char *video; // the first output's
        size_t renditions;
    } cases[] = {
        {"audio-aac", {"/o.m4a"}, "none", 0},
        {"h264-1080p", {"/o.mp4"}, "h264", 1},
        {"h264-480p", {"/o.ts"}, "h264", 1},
        {"h264-720p", {"/o.mkv"}, "h264", 1},
        {"hevc-1080p", {"/o.mp4"}, "hevc", 1},
        {"hevc-archive-10bit", {"/o.mkv"}, "hevc", 1},
        {"ladder-1080-720-480", {"/a.mp4", "/b.mp4", "/c.mp4"}, "h264", 3},
        {"remux-mp4", {"/o.mp4"}, "copy", 0},
    };
    struct profiles *p = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(profiles_load(&p, "profiles", NULL, &e), 0);
    json_t *list = profiles_to_json(p);
    assert_int_equal(json_array_size(list), sizeof(cases) / sizeof(cases[0]));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *name = json_object_get(json_array_get(list, i), "name");
        assert_string_equal(json_string_value(name), cases[i].name); // sorted

        json_t *job = json_pack("{s:O, s:{s:s}, s:[]}", "profile", name,
                                "input", "path", "/in.mkv", "outputs");
        for (const char *const *path = cases[i].paths; *path; path++)
            (void)json_array_append_new(json_object_get(job, "outputs"),
                                        json_pack("{s:s}", "path", *path));
        json_t *merged = NULL;
        struct job parsed;
        assert_int_equal(profiles_apply(p, job, &merged, &e), 0);
        int r = job_from_json(&parsed, merged, &e);
        assert_string_equal(e.text, "");
        assert_int_equal(r, 0);
        assert_string_equal(job_video_codec_name(parsed.outputs[0].video.codec),
                            cases[i].video);
        assert_int_equal(job_renditions(&parsed), cases[i].renditions);
        job_fini(&parsed);
        json_decref(merged);
        json_decref(job);
    }
    json_decref(list);
    profiles_destroy(p);
}

static void profiles_from_json__what_was_written__is_read_back(void **state)
{
    struct profiles *p = NULL;
    struct profiles *again = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(profiles_load(&p, "profiles", NULL, &e), 0);
    json_t *list = profiles_to_json(p);
    assert_int_equal(profiles_from_json(&again, list, &e), 0);
    json_t *second = profiles_to_json(again);
    assert_true(json_equal(list, second));
    json_decref(list);
    json_decref(second);
    profiles_destroy(p);
    profiles_destroy(again);
}

static void profiles_from_json__bad_rows__are_refused(void **state)
{
    static const struct {
        const char *list, *words;
    } cases[] = {
        {"[{}]", "a profile has no name or no document"},
        {"[7]", "a profile has no name or no document"},
        {"[{'name':'../p','document':{}}]", "profile '../p': must be letters"},
        {"[{'name':'p','document':{'colour':1}}]",
         "profile 'p': there is no such field"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *list = quote(cases[i].list);
        struct profiles *p = NULL;
        struct error e = {0};
        assert_int_equal(profiles_from_json(&p, list, &e), -EINVAL);
        assert_null(p);
        assert_non_null(strstr(e.text, cases[i].words));
        json_decref(list);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(profiles_apply__job__is_merged_over_its_profile),
        TEST(profiles_apply__unknown_profile__is_refused),
        TEST(profiles_apply__what_is_no_object__is_left_to_the_parser),
        TEST(profiles_apply__fewer_outputs_than_rungs__names_the_path),
        TEST(profiles_load__override__wins_and_adds),
        TEST(profiles_load__folders__may_lack_where_said),
        TEST(profiles_load__bad_profile__is_named),
        TEST(profiles_load__file_that_leads_nowhere__is_no_missing_folder),
        TEST(profiles_load__shipped_ones__make_jobs),
        TEST(profiles_from_json__what_was_written__is_read_back),
        TEST(profiles_from_json__bad_rows__are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
