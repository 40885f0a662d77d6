/*
 * Commands that open the files of a job with the rights of their user.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/scene.h"

/* "job.json" from "in" to "out/made.mkv", with @more in front. */
static void write_attached_job(const char *more)
{
    char *job = xasprintf("{%s\"input\":{\"path\":\"%s/in\"},\"outputs\":"
                          "[{\"path\":\"%s/out/made.mkv\"}]}",
                          more, scene_folder(), scene_folder());

    scene_write("in", "media");
    scene_write("job.json", job);
    free(job);
    (void)mkdir("out", 0700);
    (void)unlink("out/made.mkv");
}

static size_t count_outputs(void)
{
    size_t count = 0;
    DIR *folder = opendir("out");

    assert_non_null(folder);
    for (const struct dirent *e; (e = readdir(folder));)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    (void)closedir(folder);
    return count;
}

#define WORKER_MAKES_IT \
    "channel attempt 1\nchannel input 0\nchannel output 0\nwrite whole\n" \
    "channel done output 0\n"

static void run__job__serves_its_files(void **state)
{
    static const struct scene_exchange cases[] = {
        {{"run", "job.json"},
         "call io.transcoded.Submit {\"job\":{\"input\":{}}}\n"
         "continue " SCENE_STATE("running") WORKER_MAKES_IT
         "reply " SCENE_OUTCOME("done", "well"),
         0,
         "job 17: running\njob 17: done: well\n",
         ""},
    };

    (void)state;
    write_attached_job("");
    SCENE_CHECK(cases);
    char *made = scene_read("out/made.mkv");
    assert_string_equal(made, "whole");
    assert_int_equal(count_outputs(), 1);
    free(made);
}

static void run__profile__is_merged_for_the_names(void **state)
{
    static const struct scene_exchange cases[] = {
        {{"run", "job.json"},
         "call io.transcoded.Profiles\n"
         "reply {\"profiles\":[{\"name\":\"p\",\"document\":{\"outputs\":"
         "[{\"video\":{\"codec\":\"copy\"}}]}}]}\n"
         "call io.transcoded.Submit {\"job\":{\"profile\":\"p\"}}\n"
         "continue " SCENE_STATE("running") WORKER_MAKES_IT
         "reply " SCENE_OUTCOME("done", "well"),
         0,
         "job 17: running\njob 17: done: well\n",
         ""},
        {{"run", "other.json"},
         "call io.transcoded.Profiles\nreply {\"profiles\":[]}\n",
         2,
         "",
         "transcodectl: invalid job: profile: there is no profile 'q'\n"},
    };

    (void)state;
    write_attached_job("\"profile\":\"p\",");
    scene_write("other.json", "{\"profile\":\"q\"}");
    SCENE_CHECK(cases);
}

static void run__faults__are_found_before_anything_starts(void **state)
{
    static const char nothing_asked[] = "connect\ngone\n";
    static const struct scene_exchange cases[] = {
        {{"run", "relative.json"},
         nothing_asked,
         2,
         "",
         "transcodectl: invalid job: input.path: must be an absolute path\n"},
        {{"run", "unknown.json"},
         nothing_asked,
         2,
         "",
         "transcodectl: invalid job: colour: there is no such field\n"},
    };

    (void)state;
    scene_write("relative.json", "{\"input\":{\"path\":\"in\"},\"outputs\":"
                                 "[{\"path\":\"/o.mkv\"}]}");
    scene_write("unknown.json", "{\"colour\":1,\"input\":{\"path\":\"/in\"},"
                                "\"outputs\":[{\"path\":\"/o.mkv\"}]}");
    SCENE_CHECK(cases);
}

static void run__output_is_there__is_refused_unless_overwrite(void **state)
{
    static const char *const arguments[] = {"run", "job.json", NULL};

    (void)state;
    write_attached_job("");
    scene_write("out/made.mkv", "old");
    struct scene_result r = scene_run("connect\ngone\n", arguments);
    assert_int_equal(r.status, 2);
    assert_non_null(strstr(r.err, "invalid job: outputs[0].path: "));
    scene_result_fini(&r);
    char *kept = scene_read("out/made.mkv");
    assert_string_equal(kept, "old");
    free(kept);
}

static void run__interrupted__cancels_and_leaves_nothing(void **state)
{
    static const struct scene_exchange cases[] = {
        {{"run", "job.json"},
         "call io.transcoded.Submit\n"
         "continue " SCENE_STATE(
             "running") "channel attempt 1\nchannel output "
                        "0\nwrite half\nsignal 2\n"
                        "connect\ncall io.transcoded.Cancel "
                        "{\"id\":17}\nreply {}\nback\n"
                        "reply " SCENE_OUTCOME("cancelled", "by its owner"),
         130,
         "job 17: running\njob 17: cancelled: by its owner\n",
         ""},
        {{"run", "job.json"},
         "call io.transcoded.Submit\n"
         "continue " SCENE_STATE(
             "running") "channel attempt 1\nchannel output "
                        "0\nwrite half\nsignal 15\n"
                        "connect\ncall io.transcoded.Cancel "
                        "{\"id\":17}\nreply {}\nback\n"
                        "signal 2\ngone\n",
         130,
         "job 17: running\n",
         ""},
        {{"run", "job.json"},
         "call io.transcoded.Submit\n"
         "continue " SCENE_STATE("running") "channel attempt 1\nchannel output "
                                            "0\nwrite half\nhangup\n",
         3,
         "job 17: running\n",
         "transcodectl: the service hung up\n"},
    };

    (void)state;
    write_attached_job("");
    SCENE_CHECK(cases);
    assert_int_equal(count_outputs(), 0);
}

static void plan__job__says_how_and_why_and_writes_nothing(void **state)
{
    static const struct scene_exchange cases[] = {
        {{"plan", "job.json"},
         "call io.transcoded.Plan\n"
         "channel attempt 1\nchannel input 0\n"
         "reply {\"device\":\"cpu\",\"plan\":[\"native>libx264\",\"copy\"],"
         "\"why\":[\"there is no GPU\"]}\n",
         0,
         "cpu: native>libx264\ncpu: copy\nbecause: there is no GPU\n",
         ""},
    };

    (void)state;
    write_attached_job("");
    SCENE_CHECK(cases);
    assert_int_equal(count_outputs(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__job__serves_its_files),
        cmocka_unit_test(run__profile__is_merged_for_the_names),
        cmocka_unit_test(run__faults__are_found_before_anything_starts),
        cmocka_unit_test(run__output_is_there__is_refused_unless_overwrite),
        cmocka_unit_test(run__interrupted__cancels_and_leaves_nothing),
        cmocka_unit_test(plan__job__says_how_and_why_and_writes_nothing),
    };

    return cmocka_run_group_tests(tests, scene_open, scene_close);
}
