/*
 * Commands that leave the files of a job to the daemon.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "support/scene.h"

static void usage__is_answered_without_a_daemon(void **state)
{
    static const struct scene_exchange cases[] = {
        {{"--version"}, NULL, 0, "transcodectl " TRANSCODED_VERSION "\n", ""},
        {{"operate"},
         NULL,
         2,
         "",
         "transcodectl: unknown command 'operate', see transcodectl --help\n"},
        {{"show", "seven"},
         NULL,
         2,
         "",
         "transcodectl: 'seven' is not a job's id\n"},
        {{"list", "--state", "done"},
         NULL,
         2,
         "",
         "transcodectl: no such state: 'done'\n"},
        {{"--socket", "nowhere", "status"},
         NULL,
         3,
         "",
         "transcodectl: there is no socket 'nowhere': is transcoded running? "
         "Start it, or name its socket with --socket or TRANSCODED_SOCKET\n"},
    };

    (void)state;
    SCENE_CHECK(cases);
}

static void job_file__faults__are_named_with_their_place(void **state)
{
    static const struct scene_exchange cases[] = {
        {{"submit", "nowhere.json"},
         NULL,
         2,
         "",
         "transcodectl: cannot read 'nowhere.json': No such file or "
         "directory\n"},
        {{"submit", "broken.json"},
         NULL,
         2,
         "",
         "transcodectl: 'broken.json': not valid JSON in line 2, column 3: "
         "string or '}' expected near 'x'\n"},
        {{"submit", "list.json"},
         NULL,
         2,
         "",
         "transcodectl: 'list.json': a job is a JSON object\n"},
        {{"submit", "large.json"},
         NULL,
         2,
         "",
         "transcodectl: 'large.json' is larger than a job may be, 65536 "
         "bytes\n"},
    };

    (void)state;
    scene_write("broken.json", "{\n  x");
    scene_write("list.json", "[1]");
    char *large = xcalloc(1, 70000);
    memset(large, ' ', 69999);
    scene_write("large.json", large);
    free(large);
    SCENE_CHECK(cases);
}

static void submit__job__prints_its_id(void **state)
{
    static const struct scene_exchange cases[] = {
        {{"submit", "job.json"},
         "call io.transcoded.Submit {\"detach\":true,\"job\":{\"input\":"
         "{\"path\":\"/in\"}}}\n"
         "reply {\"id\":17}\n",
         0,
         "17\n",
         ""},
        {{"submit", "--priority", "batch", "-"},
         "call io.transcoded.Submit {\"job\":{\"priority\":\"batch\","
         "\"input\":{\"path\":\"/from stdin\"}}}\n"
         "reply {\"id\":18}\n",
         0,
         "18\n",
         ""},
        {{"submit", "job.json"},
         "call io.transcoded.Submit\n"
         "error io.transcoded.InvalidJob {\"field\":\"outputs[0].path\","
         "\"reason\":\"no \\u001b folder\"}\n",
         2,
         "",
         "transcodectl: invalid job: outputs[0].path: no \\x1b folder\n"},
        {{"--json", "submit", "job.json"},
         "call io.transcoded.Submit\n"
         "error io.transcoded.TooMany {\"limit\":8}\n",
         2,
         "{\"error\":\"io.transcoded.TooMany\",\"parameters\":{\"limit\":8}}\n",
         "transcodectl: too many, the limit is: 8\n"},
        {{"submit", "job.json"},
         "call io.transcoded.Submit\nhangup\n",
         3,
         "",
         "transcodectl: the service hung up\n"},
    };

    (void)state;
    scene_write("job.json", "{\"input\":{\"path\":\"/in\"}}");
    scene_write("stdin", "{\"input\":{\"path\":\"/from stdin\"}}");
    SCENE_CHECK(cases);
}

static void submit_follow__ends_as_the_job_ends(void **state)
{
    static const struct scene_exchange cases[] = {
        {{"submit", "-f", "job.json"},
         "call io.transcoded.Submit {\"detach\":true}\n"
         "continue " SCENE_STATE("queued") "continue " SCENE_STATE(
             "running") "reply " SCENE_OUTCOME("done", "well"),
         0,
         "job 17: queued\njob 17: running\njob 17: done: well\n",
         ""},
        {{"submit", "-f", "job.json"},
         "call io.transcoded.Submit\n"
         "reply " SCENE_OUTCOME("bad_input", "it is empty"),
         1,
         "job 17: bad_input: it is empty\n",
         ""},
        {{"submit", "-f", "job.json"},
         "call io.transcoded.Submit\n"
         "continue " SCENE_STATE("running") "hangup\n",
         3,
         "job 17: running\n",
         "transcodectl: the service hung up\n"
         "transcodectl: job 17 goes on, 'transcodectl follow 17' shows it\n"},
        {{"follow", "17"},
         "call io.transcoded.Follow {\"id\":17}\n"
         "reply " SCENE_STATE("cancelled"),
         1,
         "job 17: cancelled\n",
         ""},
        {{"follow", "17", "--json"},
         "call io.transcoded.Follow {\"id\":17}\n"
         "reply {\"event\":{\"job\":17,\"attempt\":1,\"time\":1,"
         "\"event\":\"state\",\"state\":\"succeeded\"}}\n",
         0,
         "{\"job\":17,\"attempt\":1,\"time\":1,\"event\":\"state\","
         "\"state\":\"succeeded\"}\n",
         ""},
        {{"follow", "18"},
         "call io.transcoded.Follow {\"id\":18}\n"
         "error io.transcoded.NoSuchJob {\"id\":18}\n",
         2,
         "",
         "transcodectl: no such job: 18\n"},
    };

    (void)state;
    scene_write("job.json", "{\"input\":{\"path\":\"/in\"}}");
    SCENE_CHECK(cases);
}

static void ids__each_is_tried_and_the_worst_counts(void **state)
{
    static const struct scene_exchange cases[] = {
        {{"cancel", "1", "2", "3"},
         "call io.transcoded.Cancel {\"id\":1}\nreply {}\n"
         "call io.transcoded.Cancel {\"id\":2}\n"
         "error io.transcoded.WrongState {\"state\":\"failed\"}\n"
         "call io.transcoded.Cancel {\"id\":3}\nreply {}\n",
         2,
         "",
         "transcodectl: not possible, the job is: failed\n"
         "transcodectl: that was job 2\n"},
        {{"pause", "1"},
         "call io.transcoded.Pause {\"id\":1}\nreply {}\n",
         0,
         "",
         ""},
        {{"resume", "1"},
         "call io.transcoded.Resume {\"id\":1}\nreply {}\n",
         0,
         "",
         ""},
        {{"retry", "1"},
         "call io.transcoded.Retry {\"id\":1}\nreply {}\n",
         0,
         "",
         ""},
        {{"drain"}, "call io.transcoded.Drain\nreply {}\n", 0, "", ""},
        {{"undrain"}, "call io.transcoded.Undrain\nreply {}\n", 0, "", ""},
    };

    (void)state;
    SCENE_CHECK(cases);
}

static void views__replies__become_tables_and_pages(void **state)
{
    static const struct scene_exchange cases[] = {
        {{"list", "--state=queued,failed", "--limit", "2", "--before=9"},
         "call io.transcoded.List {\"states\":[\"queued\",\"failed\"],"
         "\"limit\":2,\"before\":9}\n"
         "reply {\"jobs\":[{\"id\":8,\"state\":\"failed\",\"created\":0,"
         "\"started\":1000000,\"ended\":91000000,\"priority\":\"batch\","
         "\"input\":\"/a\\u001b\"},{\"id\":7,\"state\":\"queued\","
         "\"created\":0,\"started\":null,\"ended\":null}]}\n",
         0,
         "ID  STATE   PRIORITY  SUBMITTED                TOOK  INPUT\n"
         " 8  failed  batch     1970-01-01 00:00:00  1min 30s  /a\\x1b\n"
         " 7  queued  -         1970-01-01 00:00:00         -  -\n",
         ""},
        {{"status"},
         "call io.transcoded.Status\n"
         "reply {\"version\":\"1.2\",\"uptime\":90.5,\"jobs\":{\"queued\":3,"
         "\"running\":1},\"drained\":true}\n",
         0,
         "transcoded\n"
         "  version     1.2\n"
         "  up          1min 30s\n"
         "  starts jobs no, it is drained\n"
         "  queued      3\n"
         "  running     1\n",
         ""},
        {{"status", "--json"},
         "call io.transcoded.Status\n"
         "reply {\"version\":\"1.2\",\"later\":1}\n",
         0,
         "{\"version\":\"1.2\",\"later\":1}\n",
         ""},
        {{"profiles"},
         "call io.transcoded.Profiles\n"
         "reply {\"profiles\":[{\"name\":\"h264-720p\",\"document\":"
         "{\"outputs\":[{\"video\":{\"codec\":\"h264\"},\"audio\":"
         "[{\"codec\":\"aac\"}]}]}}]}\n",
         0,
         "PROFILE    OUTPUTS  CODECS\n"
         "h264-720p        1  h264 aac\n",
         ""},
        {{"profiles", "a", "--json"},
         "call io.transcoded.Profiles\n"
         "reply {\"profiles\":[{\"name\":\"a\",\"document\":"
         "{\"priority\":\"batch\"}}]}\n",
         0,
         "{\"priority\":\"batch\"}\n",
         ""},
        {{"profiles", "b"},
         "call io.transcoded.Profiles\nreply {\"profiles\":[]}\n",
         2,
         "",
         "transcodectl: there is no profile 'b'\n"},
    };

    (void)state;
    SCENE_CHECK(cases);
}

static void show__job__is_a_page(void **state)
{
    static const struct scene_exchange cases[] = {
        {{"show", "17"},
         "call io.transcoded.Show {\"id\":17}\n"
         "reply {\"id\":17,\"state\":\"failed\",\"created\":0,"
         "\"started\":1000000,\"ended\":2000000,\"outcome\":\"crashed\","
         "\"uid\":0,\"attached\":false,\"job\":{\"priority\":\"normal\","
         "\"input\":{\"path\":\"/in.mkv\"},\"outputs\":[{\"path\":\"/"
         "o.mp4\"}]},"
         "\"attempts\":[{\"number\":1,\"device\":\"cpu\",\"plan\":[\"copy\"],"
         "\"started\":1000000,\"ended\":2000000,\"outcome\":\"crashed\","
         "\"text\":\"killed by signal 11\",\"log\":[\"last\\nwords\"]}]}\n",
         0,
         "job 17: failed\n"
         "  submitted   1970-01-01 00:00:00\n"
         "  started     1970-01-01 00:00:01\n"
         "  ended       1970-01-01 00:00:02\n"
         "  took        1s\n"
         "  outcome     crashed\n"
         "  owner's uid 0\n"
         "  priority    normal\n"
         "  input       /in.mkv\n"
         "  output      /o.mp4\n"
         "\n"
         "attempt 1 on cpu\n"
         "  plan        copy\n"
         "  started     1970-01-01 00:00:01\n"
         "  took        1s\n"
         "  outcome     crashed\n"
         "              killed by signal 11\n"
         "  log         last\\nwords\n",
         ""},
        {{"show", "17"},
         "call io.transcoded.Show {\"id\":17}\n"
         "reply {\"id\":17,\"state\":\"queued\",\"created\":0,\"job\":null,"
         "\"attempts\":null}\n",
         0,
         "job 17: queued\n"
         "  submitted   1970-01-01 00:00:00\n",
         ""},
    };

    (void)state;
    SCENE_CHECK(cases);
}

static void follow__interrupted__leaves_the_job_alone(void **state)
{
    static const char *const arguments[] = {"follow", "17", NULL};
    static const char line[] = "job 17: running\n";
    pid_t daemon =
        scene_start_daemon("call io.transcoded.Follow\n"
                           "continue " SCENE_STATE("running") "gone\n");
    char seen[64] = "";
    int out[2];

    (void)state;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t ctl = fork();
    if (ctl == 0) {
        (void)dup2(out[1], STDOUT_FILENO);
        scene_redirect(STDERR_FILENO, "stderr", O_WRONLY | O_CREAT | O_TRUNC);
        scene_exec(arguments);
    }
    fd_close(&out[1]);
    assert_int_equal(read(out[0], seen, sizeof(seen) - 1), strlen(line));
    assert_string_equal(seen, line); // it is in its loop now
    (void)kill(ctl, SIGINT);
    assert_int_equal(scene_wait(ctl), 130);
    assert_int_equal(scene_wait(daemon), 0);
    fd_close(&out[0]);
    char *err = scene_read("stderr");
    assert_string_equal(err, "transcodectl: job 17 goes on, 'transcodectl "
                             "follow 17' shows it\n");
    free(err);
}

static void output__is_full__is_told(void **state)
{
    static const struct {
        const char *script;
        const char *arguments[3];
    } cases[] = {
        {NULL, {"--help"}},
        {"call io.transcoded.Follow\ncontinue " SCENE_STATE("running") "gone\n",
         {"follow", "17"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pid_t daemon = scene_start_daemon(cases[i].script);
        pid_t ctl = fork();
        if (ctl == 0) {
            scene_redirect(STDOUT_FILENO, "/dev/full", O_WRONLY);
            scene_redirect(STDERR_FILENO, "stderr",
                           O_WRONLY | O_CREAT | O_TRUNC);
            scene_exec(cases[i].arguments);
        }
        assert_int_equal(scene_wait(ctl), 2);
        if (daemon > 0)
            assert_int_equal(scene_wait(daemon), 0);
        char *err = scene_read("stderr");
        assert_non_null(strstr(err, "cannot write to standard output\n"));
        free(err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage__is_answered_without_a_daemon),
        cmocka_unit_test(job_file__faults__are_named_with_their_place),
        cmocka_unit_test(submit__job__prints_its_id),
        cmocka_unit_test(submit_follow__ends_as_the_job_ends),
        cmocka_unit_test(ids__each_is_tried_and_the_worst_counts),
        cmocka_unit_test(views__replies__become_tables_and_pages),
        cmocka_unit_test(show__job__is_a_page),
        cmocka_unit_test(follow__interrupted__leaves_the_job_alone),
        cmocka_unit_test(output__is_full__is_told),
    };

    return cmocka_run_group_tests(tests, scene_open, scene_close);
}
