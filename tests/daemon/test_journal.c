#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "support/folder.h"
#include "support/mailbox.h"

#define MANY 100000 // more than any socket takes

/* A journal that reads when the test does, and standard error that is said to
 * be its. */
struct scene {
    char *folder; // owned
    int journal;
    int before; // standard error
    struct journal *ours;
};

static void make_stderr_the_journals(struct scene *s)
{
    const char *path = folder_path(s->folder, "stderr");
    char stream[64];
    struct stat st;

    (void)fflush(stderr);
    s->before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    (void)close(fd);
    (void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
}

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));

    s->folder = folder_create();
    const char *path = folder_path(s->folder, "journal");
    s->journal = mailbox_open(path);
    s->ours = journal_start(path);
    assert_non_null(s->ours);
    make_stderr_the_journals(s);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    journal_stop(s->ours);
    (void)dup2(s->before, STDERR_FILENO);
    (void)close(s->before);
    (void)unsetenv("JOURNAL_STREAM");
    (void)close(s->journal);
    folder_remove(s->folder);
    free(s);
    return 0;
}

static void line__with_fields__is_an_entry(void **state)
{
    const struct log_field fields[] = {
        {"TRANSCODED_JOB", "17"}, {"TRANSCODED_DEVICE", ""}, {NULL, NULL}};
    const struct scene *s = *state;
    struct log job;

    log_init(&job, NULL, "job 17");
    job.fields = fields;
    log_warning(&job, "one\nline");
    assert_string_equal(mailbox_next(s->journal),
                        "MESSAGE=job 17: one\\nline\n"
                        "PRIORITY=4\n"
                        "SYSLOG_IDENTIFIER=transcoded\n"
                        "TRANSCODED_JOB=17\n");
    assert_string_equal(folder_get(s->folder, "stderr"), "");
}

/* It would stand still for ever if a line waited. */
static void journal__that_hangs__costs_lines_that_are_counted(void **state)
{
    const struct scene *s = *state;
    long long taken = 0;
    char expected[128];

    for (int i = 0; i < MANY; i++)
        log_info(NULL, "line %d", i);
    while (*mailbox_next(s->journal))
        taken++;
    assert_in_range(taken, 1, MANY - 1);
    log_info(NULL, "again");
    (void)snprintf(expected, sizeof(expected),
                   "MESSAGE=%lld lines were lost: the journal did not take "
                   "them\nPRIORITY=4\n",
                   MANY - taken);
    assert_memory_equal(mailbox_next(s->journal), expected, strlen(expected));
    assert_memory_equal(mailbox_next(s->journal), "MESSAGE=again\n", 14);
    assert_string_equal(mailbox_next(s->journal), "");
    assert_string_equal(folder_get(s->folder, "stderr"), "");
}

static void journal__that_is_gone__leaves_standard_error(void **state)
{
    const struct scene *s = *state;

    assert_int_equal(unlink(folder_path(s->folder, "journal")), 0);
    log_error(NULL, "alone");
    assert_string_equal(folder_get(s->folder, "stderr"), "<3>alone\n");
}

static void journal_start__no_address__is_none(void **state)
{
    (void)state;
    assert_null(journal_start("relative"));
    journal_stop(NULL);
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SCENE(line__with_fields__is_an_entry),
        SCENE(journal__that_hangs__costs_lines_that_are_counted),
        SCENE(journal__that_is_gone__leaves_standard_error),
        cmocka_unit_test(journal_start__no_address__is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
