/*
 * transcodectl as a whole, against a daemon that follows a script
 * (tests/fake/daemon.c). Everything happens in a temporary folder, which is the
 * working directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

#define ARGUMENTS_MOST 12
#define OUTPUT_MOST    (1 << 20)

#define STATE(state) \
    "{\"event\":{\"job\":17,\"attempt\":1,\"time\":1,\"event\":\"state\"," \
    "\"state\":\"" state "\"}}\n"
#define OUTCOME(outcome, text) \
    "{\"event\":{\"job\":17,\"attempt\":1,\"time\":1,\"event\":\"outcome\"," \
    "\"outcome\":\"" outcome "\",\"text\":\"" text \
    "\",\"frames\":1,\"errors\":0,\"outputs\":[]}}\n"

struct place {
    char build[PATH_MAX]; // where the programs are
    char folder[PATH_MAX];
};

struct result {
    int status;
    char *out; // owned
    char *err; // owned
};

static struct place place;

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static char *read_file(const char *name)
{
    char *text = NULL;
    size_t size;

    assert_int_equal(fd_read_file(AT_FDCWD, name, OUTPUT_MOST, &text, &size),
                     0);
    return text;
}

static int wait_for(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The fake daemon, listening on "socket"; -1 without a script. */
static pid_t start_daemon(const char *script)
{
    char program[PATH_MAX + 32];
    int ready[2];
    char word[8];

    if (!script)
        return -1;
    write_file("script", script);
    (void)unlink("socket"); // of the daemon before
    (void)snprintf(program, sizeof(program), "%s/tests/fake/daemon",
                   place.build);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ready[1], STDOUT_FILENO);
        (void)execl(program, "daemon", "socket", "script", NULL);
        _exit(127);
    }
    fd_close(&ready[1]);
    assert_int_equal(read(ready[0], word, sizeof(word)), strlen("ready\n"));
    fd_close(&ready[0]);
    return pid;
}

static void exec_ctl(const char *const *arguments)
{
    const char *argv[ARGUMENTS_MOST + 4] = {"transcodectl", "--socket",
                                            "socket"};
    char program[PATH_MAX + 32];

    for (size_t i = 0; arguments[i]; i++)
        argv[3 + i] = arguments[i];
    (void)snprintf(program, sizeof(program), "%s/transcodectl", place.build);
    (void)execv(program, (char *const *)(size_t)argv);
    _exit(127);
}

static void redirect(int fd, const char *name, int flags)
{
    int file = open(name, flags | O_CLOEXEC, 0600);

    if (file < 0 || dup2(file, fd) < 0)
        _exit(126);
}

/* Runs transcodectl with @arguments against a daemon that follows @script, and
 * sees to it that the script was followed to its end. */
static struct result run(const char *script, const char *const *arguments)
{
    pid_t daemon = start_daemon(script);
    pid_t ctl = fork();

    if (ctl == 0) {
        redirect(STDIN_FILENO, "stdin", O_RDONLY);
        redirect(STDOUT_FILENO, "stdout", O_WRONLY | O_CREAT | O_TRUNC);
        redirect(STDERR_FILENO, "stderr", O_WRONLY | O_CREAT | O_TRUNC);
        exec_ctl(arguments);
    }
    struct result r = {.status = wait_for(ctl)};
    r.out = read_file("stdout");
    r.err = read_file("stderr");
    int followed = daemon > 0 ? wait_for(daemon) : 0;
    if (followed != 0)
        print_message("%s%s", r.out, r.err);
    assert_int_equal(followed, 0);
    return r;
}

static void result_fini(struct result *r)
{
    free(r->out);
    free(r->err);
}

struct exchange {
    const char *arguments[ARGUMENTS_MOST];
    const char *script; // NULL: no daemon
    int status;
    const char *out;
    const char *err;
};

static void check_exchanges(const struct exchange *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t a = 0; cases[i].arguments[a]; a++)
            print_message("%s ", cases[i].arguments[a]);
        print_message("\n");
        struct result r = run(cases[i].script, cases[i].arguments);
        assert_string_equal(r.err, cases[i].err);
        assert_string_equal(r.out, cases[i].out);
        assert_int_equal(r.status, cases[i].status);
        result_fini(&r);
    }
}

#define CHECK(cases) check_exchanges(cases, sizeof(cases) / sizeof((cases)[0]))

static void usage__is_answered_without_a_daemon(void **state)
{
    static const struct exchange cases[] = {
        {{"--version"}, NULL, 0, "transcodectl " TRANSCODED_VERSION "\n", ""},
        {{"doctor"},
         NULL,
         2,
         "",
         "transcodectl: unknown command 'doctor', see transcodectl --help\n"},
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
    CHECK(cases);
}

static void job_file__faults__are_named_with_their_place(void **state)
{
    static const struct exchange cases[] = {
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
    write_file("broken.json", "{\n  x");
    write_file("list.json", "[1]");
    char *large = xcalloc(1, 70000);
    memset(large, ' ', 69999);
    write_file("large.json", large);
    free(large);
    CHECK(cases);
}

static void submit__job__prints_its_id(void **state)
{
    static const struct exchange cases[] = {
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
    write_file("job.json", "{\"input\":{\"path\":\"/in\"}}");
    write_file("stdin", "{\"input\":{\"path\":\"/from stdin\"}}");
    CHECK(cases);
}

static void submit_follow__ends_as_the_job_ends(void **state)
{
    static const struct exchange cases[] = {
        {{"submit", "-f", "job.json"},
         "call io.transcoded.Submit {\"detach\":true}\n"
         "continue " STATE("queued") "continue " STATE(
             "running") "reply " OUTCOME("done", "well"),
         0,
         "job 17: queued\njob 17: running\njob 17: done: well\n",
         ""},
        {{"submit", "-f", "job.json"},
         "call io.transcoded.Submit\n"
         "reply " OUTCOME("bad_input", "it is empty"),
         1,
         "job 17: bad_input: it is empty\n",
         ""},
        {{"submit", "-f", "job.json"},
         "call io.transcoded.Submit\n"
         "continue " STATE("running") "hangup\n",
         3,
         "job 17: running\n",
         "transcodectl: the service hung up\n"
         "transcodectl: job 17 goes on, 'transcodectl follow 17' shows it\n"},
        {{"follow", "17"},
         "call io.transcoded.Follow {\"id\":17}\n"
         "reply " STATE("cancelled"),
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
    write_file("job.json", "{\"input\":{\"path\":\"/in\"}}");
    CHECK(cases);
}

static void ids__each_is_tried_and_the_worst_counts(void **state)
{
    static const struct exchange cases[] = {
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
    CHECK(cases);
}

static void views__replies__become_tables_and_pages(void **state)
{
    static const struct exchange cases[] = {
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
        {{"devices"},
         "call io.transcoded.Devices\n"
         "reply {\"devices\":[{\"id\":\"cpu\",\"name\":\"Some CPU\","
         "\"cores\":4,\"running\":1,\"limit\":2,\"load\":0.25,"
         "\"health\":\"ok\"}]}\n",
         0,
         "DEVICE  JOBS  LIMIT  CORES  LOAD  HEALTH  NAME\n"
         "cpu        1      2      4   25%  ok      Some CPU\n",
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
    CHECK(cases);
}

static void show__job__is_a_page(void **state)
{
    static const struct exchange cases[] = {
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
    CHECK(cases);
}

/*
 * Attached jobs, with their file channel.
 */

/* "job.json" from "in" to "out/made.mkv", with @more in front. */
static void write_attached_job(const char *more)
{
    char *job = xasprintf("{%s\"input\":{\"path\":\"%s/in\"},\"outputs\":"
                          "[{\"path\":\"%s/out/made.mkv\"}]}",
                          more, place.folder, place.folder);

    write_file("in", "media");
    write_file("job.json", job);
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
    static const struct exchange cases[] = {
        {{"run", "job.json"},
         "call io.transcoded.Submit {\"job\":{\"input\":{}}}\n"
         "continue " STATE("running") WORKER_MAKES_IT
         "reply " OUTCOME("done", "well"),
         0,
         "job 17: running\njob 17: done: well\n",
         ""},
    };

    (void)state;
    write_attached_job("");
    CHECK(cases);
    char *made = read_file("out/made.mkv");
    assert_string_equal(made, "whole");
    assert_int_equal(count_outputs(), 1);
    free(made);
}

static void run__profile__is_merged_for_the_names(void **state)
{
    static const struct exchange cases[] = {
        {{"run", "job.json"},
         "call io.transcoded.Profiles\n"
         "reply {\"profiles\":[{\"name\":\"p\",\"document\":{\"outputs\":"
         "[{\"video\":{\"codec\":\"copy\"}}]}}]}\n"
         "call io.transcoded.Submit {\"job\":{\"profile\":\"p\"}}\n"
         "continue " STATE("running") WORKER_MAKES_IT
         "reply " OUTCOME("done", "well"),
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
    write_file("other.json", "{\"profile\":\"q\"}");
    CHECK(cases);
}

static void run__faults__are_found_before_anything_starts(void **state)
{
    static const char nothing_asked[] = "connect\ngone\n";
    static const struct exchange cases[] = {
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
    write_file("relative.json", "{\"input\":{\"path\":\"in\"},\"outputs\":"
                                "[{\"path\":\"/o.mkv\"}]}");
    write_file("unknown.json", "{\"colour\":1,\"input\":{\"path\":\"/in\"},"
                               "\"outputs\":[{\"path\":\"/o.mkv\"}]}");
    CHECK(cases);
}

static void run__output_is_there__is_refused_unless_overwrite(void **state)
{
    static const char *const arguments[] = {"run", "job.json", NULL};

    (void)state;
    write_attached_job("");
    write_file("out/made.mkv", "old");
    struct result r = run("connect\ngone\n", arguments);
    assert_int_equal(r.status, 2);
    assert_non_null(strstr(r.err, "invalid job: outputs[0].path: "));
    result_fini(&r);
    char *kept = read_file("out/made.mkv");
    assert_string_equal(kept, "old");
    free(kept);
}

static void run__interrupted__cancels_and_leaves_nothing(void **state)
{
    static const struct exchange cases[] = {
        {{"run", "job.json"},
         "call io.transcoded.Submit\n"
         "continue " STATE("running") "channel attempt 1\nchannel output "
                                      "0\nwrite half\nsignal 2\n"
                                      "connect\ncall io.transcoded.Cancel "
                                      "{\"id\":17}\nreply {}\nback\n"
                                      "reply " OUTCOME("cancelled",
                                                       "by its owner"),
         130,
         "job 17: running\njob 17: cancelled: by its owner\n",
         ""},
        {{"run", "job.json"},
         "call io.transcoded.Submit\n"
         "continue " STATE("running") "channel attempt 1\nchannel output "
                                      "0\nwrite half\nsignal 15\n"
                                      "connect\ncall io.transcoded.Cancel "
                                      "{\"id\":17}\nreply {}\nback\n"
                                      "signal 2\ngone\n",
         130,
         "job 17: running\n",
         ""},
        {{"run", "job.json"},
         "call io.transcoded.Submit\n"
         "continue " STATE("running") "channel attempt 1\nchannel output "
                                      "0\nwrite half\nhangup\n",
         3,
         "job 17: running\n",
         "transcodectl: the service hung up\n"},
    };

    (void)state;
    write_attached_job("");
    CHECK(cases);
    assert_int_equal(count_outputs(), 0);
}

static void plan__job__says_how_and_why_and_writes_nothing(void **state)
{
    static const struct exchange cases[] = {
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
    CHECK(cases);
    assert_int_equal(count_outputs(), 0);
}

static void follow__interrupted__leaves_the_job_alone(void **state)
{
    static const char *const arguments[] = {"follow", "17", NULL};
    static const char line[] = "job 17: running\n";
    pid_t daemon = start_daemon("call io.transcoded.Follow\n"
                                "continue " STATE("running") "gone\n");
    char seen[64] = "";
    int out[2];

    (void)state;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t ctl = fork();
    if (ctl == 0) {
        (void)dup2(out[1], STDOUT_FILENO);
        redirect(STDERR_FILENO, "stderr", O_WRONLY | O_CREAT | O_TRUNC);
        exec_ctl(arguments);
    }
    fd_close(&out[1]);
    assert_int_equal(read(out[0], seen, sizeof(seen) - 1), strlen(line));
    assert_string_equal(seen, line); // it is in its loop now
    (void)kill(ctl, SIGINT);
    assert_int_equal(wait_for(ctl), 130);
    assert_int_equal(wait_for(daemon), 0);
    fd_close(&out[0]);
    char *err = read_file("stderr");
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
        {"call io.transcoded.Follow\ncontinue " STATE("running") "gone\n",
         {"follow", "17"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pid_t daemon = start_daemon(cases[i].script);
        pid_t ctl = fork();
        if (ctl == 0) {
            redirect(STDOUT_FILENO, "/dev/full", O_WRONLY);
            redirect(STDERR_FILENO, "stderr", O_WRONLY | O_CREAT | O_TRUNC);
            exec_ctl(cases[i].arguments);
        }
        assert_int_equal(wait_for(ctl), 2);
        if (daemon > 0)
            assert_int_equal(wait_for(daemon), 0);
        char *err = read_file("stderr");
        assert_non_null(strstr(err, "cannot write to standard output\n"));
        free(err);
    }
}

/*
 * On a terminal.
 */

/* What transcodectl draws on a terminal of @columns. */
static char *run_on_terminal(const char *script, unsigned short columns,
                             const char *const *arguments)
{
    pid_t daemon = start_daemon(script);
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    char *text = xcalloc(1, OUTPUT_MOST);
    size_t used = 0;
    int fd;

    pid_t ctl = forkpty(&fd, NULL, NULL, &size);
    if (ctl == 0) {
        (void)setenv("TERM", "xterm", 1);
        exec_ctl(arguments);
    }
    for (ssize_t n; used < OUTPUT_MOST - 1 &&
                    (n = read(fd, text + used, OUTPUT_MOST - 1 - used)) > 0;)
        used += (size_t)n;
    assert_int_equal(wait_for(ctl), 0);
    assert_int_equal(wait_for(daemon), 0);
    fd_close(&fd);
    return text;
}

#define PROGRESS(percent) \
    "{\"event\":{\"job\":17,\"attempt\":1,\"time\":1,\"event\":\"progress\"," \
    "\"frame\":50,\"fps\":25.0,\"speed\":1.0,\"out_time\":2.0," \
    "\"percent\":" percent ",\"eta\":2.0,\"size\":1000,\"bitrate\":4000}}\n"

static void terminal__progress__is_a_bar_of_its_width(void **state)
{
    static const char script[] =
        "call io.transcoded.Follow\n"
        "continue " PROGRESS("50.0") "reply " OUTCOME("done", "well");
    static const char *const arguments[] = {"follow", "17", NULL};
    static const struct {
        const char *no_colour;
        unsigned short columns;
        const char *expect;
    } cases[] = {
        {"", 40,
         "\r 50.0%  [######------]  ETA 0:02  1.00x\033[K\r\033[K"
         "\033[32mjob 17: done: well\033[m\r\n"},
        {"1", 30,
         "\r 50.0%  ETA 0:02  1.00x\033[K\r\033[Kjob 17: done: well\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%d columns\n", cases[i].columns);
        (void)setenv("NO_COLOR", cases[i].no_colour, 1);
        char *text = run_on_terminal(script, cases[i].columns, arguments);
        assert_string_equal(text, cases[i].expect);
        free(text);
    }
}

static void terminal__json__cannot_steer_it(void **state)
{
    static const char *const arguments[] = {"status", "--json", NULL};

    (void)state;
    char *text = run_on_terminal("call io.transcoded.Status\n"
                                 "reply {\"version\":\"\\u009b2J\\u202e\"}\n",
                                 80, arguments);
    assert_string_equal(text, "{\"version\":\"\\u009B2J\\u202E\"}\r\n");
    free(text);
}

static int open_place(void **state)
{
    const char *tmp = getenv("TMPDIR");
    ssize_t n = readlink("/proc/self/exe", place.build, PATH_MAX - 1);

    (void)state;
    if (n < 0)
        return -1;
    for (int up = 0; up < 3; up++) // build/tests/ctl/test_program
        *strrchr(place.build, '/') = '\0';
    (void)snprintf(place.folder, sizeof(place.folder), "%s/transcodectl-XXXXXX",
                   tmp ? tmp : "/tmp");
    if (!mkdtemp(place.folder) || chdir(place.folder) < 0)
        return -1;
    (void)setenv("TZ", "UTC", 1);
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    write_file("stdin", "");
    return 0;
}

static int close_place(void **state)
{
    char *command = xasprintf("rm -rf '%s'", place.folder);
    int r = system(command);

    (void)state;
    free(command);
    return r;
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
        cmocka_unit_test(run__job__serves_its_files),
        cmocka_unit_test(run__profile__is_merged_for_the_names),
        cmocka_unit_test(run__faults__are_found_before_anything_starts),
        cmocka_unit_test(run__output_is_there__is_refused_unless_overwrite),
        cmocka_unit_test(run__interrupted__cancels_and_leaves_nothing),
        cmocka_unit_test(plan__job__says_how_and_why_and_writes_nothing),
        cmocka_unit_test(follow__interrupted__leaves_the_job_alone),
        cmocka_unit_test(output__is_full__is_told),
        cmocka_unit_test(terminal__json__cannot_steer_it),
        cmocka_unit_test(terminal__progress__is_a_bar_of_its_width),
    };

    return cmocka_run_group_tests(tests, open_place, close_place);
}
