#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

/* Standard error goes into a pipe while a test writes. */
struct capture {
    int saved;
    int ends[2];
};

static int begin(void **state)
{
    static struct capture c;

    if (pipe2(c.ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    c.saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (dup2(c.ends[1], STDERR_FILENO) < 0)
        return -1;
    (void)unsetenv("JOURNAL_STREAM");
    log_set_level(LOG_LEVEL_INFO);
    *state = &c;
    return 0;
}

static int end(void **state)
{
    struct capture *c = *state;

    (void)dup2(c->saved, STDERR_FILENO);
    (void)unsetenv("JOURNAL_STREAM");
    fd_close(&c->saved);
    fd_close(&c->ends[0]);
    fd_close(&c->ends[1]);
    return 0;
}

/* What was written since the last call. */
static const char *written(struct capture *c)
{
    static char text[16384];
    ssize_t n = read(c->ends[0], text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void log_write__handles__name_the_subject(void **state)
{
    struct log job, stage;

    log_init(&job, NULL, "job %d", 17);
    log_init(&stage, &job, "decoder");
    log_info(NULL, "started");
    assert_string_equal(written(*state), "started\n");
    log_warning(&stage, "slow by %d ms", 5);
    assert_string_equal(written(*state), "job 17: decoder: slow by 5 ms\n");
}

static void log_write__level_above_the_most__is_silent(void **state)
{
    log_debug(NULL, "a decision");
    assert_string_equal(written(*state), "");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug(NULL, "a decision");
    assert_string_equal(written(*state), "a decision\n");
    log_set_level(LOG_LEVEL_ERROR);
    log_warning(NULL, "not so bad");
    log_error(NULL, "bad");
    assert_string_equal(written(*state), "bad\n");
}

static void log_write__control_characters__stay_in_one_line(void **state)
{
    log_info(NULL, "name %s", "a\n<0>forged\x1b[2J");
    assert_string_equal(written(*state), "name a\\n<0>forged\\x1b[2J\n");
}

static void log_write__long_text__is_one_cut_line(void **state)
{
    char most[9000];

    memset(most, 7, sizeof(most)); // each one needs four when escaped
    most[sizeof(most) - 1] = '\0';
    log_info(NULL, "%s", most);
    const char *line = written(*state);
    size_t length = strlen(line);
    assert_true(length > 1000 && length < 5000);
    assert_ptr_equal(strchr(line, '\n'), line + length - 1);
}

static void journal_is_stderr(void)
{
    char stream[64];
    struct stat st;

    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
}

static void log_write__to_the_journal__has_a_priority(void **state)
{
    journal_is_stderr();
    log_warning(NULL, "slow");
    assert_string_equal(written(*state), "<4>slow\n");
    assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
    log_warning(NULL, "slow");
    assert_string_equal(written(*state), "slow\n");
}

static struct {
    int result;
    char got[256];
} sink;

static int take(void *user, const struct log *l, int priority, const char *line)
{
    assert_ptr_equal(user, &sink);
    (void)snprintf(sink.got, sizeof(sink.got), "%d %s %s=%s", priority, line,
                   l->fields[0].name, l->fields[0].value);
    return sink.result;
}

static void log_write__with_a_sink__it_gets_what_the_journal_would(void **state)
{
    const struct log_field fields[] = {{"JOB", "17"}, {NULL, NULL}};
    struct log job;

    log_init(&job, NULL, "job 17");
    job.fields = fields;
    log_set_sink(take, &sink);
    log_info(&job, "on a terminal");
    assert_string_equal(written(*state), "job 17: on a terminal\n");
    assert_string_equal(sink.got, "");

    journal_is_stderr();
    log_info(&job, "a\nb");
    assert_string_equal(sink.got, "6 job 17: a\\nb JOB=17");
    assert_string_equal(written(*state), "");
    sink.result = -1; // the journal is gone
    log_error(&job, "c");
    assert_string_equal(written(*state), "<3>job 17: c\n");
    log_set_sink(NULL, NULL);
}

static void log_level_from_name__names__are_found(void **state)
{
    (void)state;
    for (int i = 0; i < LOG_LEVEL_COUNT; i++)
        assert_int_equal(log_level_from_name(log_level_name((enum log_level)i)),
                         i);
    assert_int_equal(log_level_from_name("loud"), -1);
}

static void log_init__long_name__is_cut(void **state)
{
    struct log l;

    (void)state;
    log_init(&l, NULL, "%0100d", 1);
    assert_int_equal(strlen(l.name), sizeof(l.name) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(log_write__handles__name_the_subject,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            log_write__level_above_the_most__is_silent, begin, end),
        cmocka_unit_test_setup_teardown(
            log_write__control_characters__stay_in_one_line, begin, end),
        cmocka_unit_test_setup_teardown(log_write__long_text__is_one_cut_line,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            log_write__to_the_journal__has_a_priority, begin, end),
        cmocka_unit_test_setup_teardown(
            log_write__with_a_sink__it_gets_what_the_journal_would, begin, end),
        cmocka_unit_test(log_level_from_name__names__are_found),
        cmocka_unit_test(log_init__long_name__is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
