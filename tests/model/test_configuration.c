#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "model/configuration.h"
#include "model/quote.h"

static int read_configuration(struct configuration *ret, const char *text,
                              struct error *e)
{
    json_t *json = quote(text);
    int r = configuration_from_json(ret, json, e);

    json_decref(json);
    return r;
}

static void configuration_init__nothing_decided__is_valid(void **state)
{
    struct configuration c;

    (void)state;
    configuration_init(&c);
    assert_int_equal(c.socket_mode, 0660);
    assert_null(c.socket_group);
    assert_null(c.admin_group);
    assert_int_equal(c.read_root_count, 0);
    assert_int_equal(c.write_root_count, 0);
    assert_null(c.output_group);
    assert_int_equal(c.output_mode, 0664);
    assert_null(c.profiles);
    assert_int_equal(c.log_level, LOG_LEVEL_INFO);
    assert_int_equal(c.limits.cpu_jobs, 2);
    configuration_fini(&c);
    configuration_fini(&c); // twice is harmless
}

static const char full[] =
    "{'socket_mode':'0600','socket_group':'video','admin_group':'wheel',"
    "'roots':{'read':['/media/','/'],'write':['/out']},"
    "'output_group':'media','output_mode':'0640',"
    "'profiles':'/etc/profiles','worker':'/opt/worker','opener':'/opt/files',"
    "'log_level':'debug','limits':{'cpu_jobs':4,'stall_timeout':'1min',"
    "'write_queue':'1M','clients':'7'}}";

static void configuration_from_json__everything_decided__is_read(void **state)
{
    struct configuration c;
    struct error e = {0};

    (void)state;
    assert_int_equal(read_configuration(&c, full, &e), 0);
    assert_int_equal(c.socket_mode, 0600);
    assert_string_equal(c.socket_group, "video");
    assert_string_equal(c.admin_group, "wheel");
    assert_int_equal(c.read_root_count, 2);
    assert_string_equal(c.read_roots[0], "/media/");
    assert_string_equal(c.read_roots[1], "/");
    assert_int_equal(c.write_root_count, 1);
    assert_string_equal(c.write_roots[0], "/out");
    assert_string_equal(c.output_group, "media");
    assert_int_equal(c.output_mode, 0640);
    assert_string_equal(c.profiles, "/etc/profiles");
    assert_string_equal(c.worker, "/opt/worker");
    assert_string_equal(c.opener, "/opt/files");
    assert_int_equal(c.log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(c.limits.cpu_jobs, 4);
    assert_int_equal(c.limits.clients, 7);
    assert_int_equal(c.limits.stall_timeout, 60 * SECOND);
    assert_int_equal(c.limits.write_queue, 1 << 20);
    assert_int_equal(c.limits.tries, 3); // the default, for what is left out
    configuration_fini(&c);
}

static void
configuration_to_json__what_is_shown__is_read_back_the_same(void **state)
{
    struct configuration c, again;
    struct error e = {0};

    (void)state;
    assert_int_equal(read_configuration(&c, full, &e), 0);
    json_t *json = configuration_to_json(&c);
    assert_int_equal(configuration_from_json(&again, json, &e), 0);
    json_t *second = configuration_to_json(&again);
    assert_true(json_equal(json, second));
    assert_json(json_incref(json_object_get(json, "socket_mode")), "'0600'");
    assert_json(json_incref(json_object_get(json, "roots")),
                "{'read':['/media/','/'],'write':['/out']}");
    json_decref(json);
    json_decref(second);
    configuration_fini(&c);
    configuration_fini(&again);
}

static void
configuration_from_json__bad_values__name_key_and_reason(void **state)
{
    static const char mode[] = "must be a mode such as \"0660\"";
    static const struct {
        const char *text, *field, *words;
    } cases[] = {
        {"[]", "", "must be an object"},
        {"{'sockets':1}", "sockets", "there is no such field"},
        {"{'socket_mode':660}", "socket_mode", mode},
        {"{'socket_mode':'rw'}", "socket_mode", mode},
        {"{'socket_mode':''}", "socket_mode", mode},
        {"{'socket_mode':'0668'}", "socket_mode", mode},
        {"{'socket_mode':'1777'}", "socket_mode", "must not be more than 0777"},
        {"{'socket_group':''}", "socket_group", "must not be empty"},
        {"{'output_group':7}", "output_group", "must be a string"},
        {"{'output_mode':664}", "output_mode", mode},
        {"{'output_mode':'0464'}", "output_mode",
         "must let the owner read and write"},
        {"{'roots':[]}", "roots", "must be an object"},
        {"{'roots':{'reed':[]}}", "roots.reed", "there is no such field"},
        {"{'roots':{'read':'/media'}}", "roots.read", "must be a list"},
        {"{'roots':{'read':['/a','media']}}", "roots.read[1]",
         "must be an absolute path"},
        {"{'roots':{'write':['/a/../b']}}", "roots.write[0]",
         "has an empty, '.' or '..' component"},
        {"{'roots':{'write':['/a//b/']}}", "roots.write[0]",
         "has an empty, '.' or '..' component"},
        {"{'roots':{'write':['']}}", "roots.write[0]",
         "must be an absolute path"},
        {"{'log_level':'loud'}", "log_level",
         "must be error, warning, info, debug or trace"},
        {"{'worker':'worker'}", "worker", "must be an absolute path"},
        {"{'limits':7}", "limits", "must be an object"},
        {"{'limits':{'jobs':1}}", "limits.jobs", "there is no such limit"},
        {"{'limits':{'cpu_jobs':0}}", "limits.cpu_jobs",
         "'0' is not between 1 and 64"},
        {"{'limits':{'cpu_jobs':1.5}}", "limits.cpu_jobs",
         "must be a number or a string"},
        {"{'limits':{'stall_timeout':'soon'}}", "limits.stall_timeout",
         "'soon' is not a duration such as 30s"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct configuration c;
        struct error e = {0};
        print_message("%s\n", cases[i].text);
        assert_true(read_configuration(&c, cases[i].text, &e) < 0);
        assert_string_equal(e.field, cases[i].field);
        assert_string_equal(e.text, cases[i].words);
    }
}

/* Reads a configuration whose file holds @text. */
static int read_file(const char *text, struct configuration *ret,
                     struct error *e)
{
    char path[] = "/tmp/test_configuration.XXXXXX";
    int fd = mkstemp(path);
    char *quoted = requote(text);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, quoted, strlen(quoted)), 0);
    fd_close(&fd);
    int r = configuration_from_file(ret, path, e);
    (void)unlink(path);
    free(quoted);
    return r;
}

static void configuration_from_file__files__are_read_or_named(void **state)
{
    struct configuration c;
    struct error e = {0};

    (void)state;
    assert_int_equal(read_file("{'log_level':'error'}", &c, &e), 0);
    assert_int_equal(c.log_level, LOG_LEVEL_ERROR);
    configuration_fini(&c);

    assert_int_equal(read_file("{'limits':{'tries':'x'}}", &c, &e), -EINVAL);
    assert_non_null(strstr(e.text, "configuration '/tmp/test_configuration."));
    assert_non_null(
        strstr(e.text, "': limits.tries: 'x' is not a whole number"));

    assert_int_equal(read_file("{\n'a':}", &c, &e), -EINVAL);
    assert_non_null(strstr(e.text, "not valid JSON in line 2"));

    assert_int_equal(configuration_from_file(&c, "/nowhere/c.json", &e),
                     -ENOENT);
    assert_string_equal(e.text, "cannot read configuration '/nowhere/c.json': "
                                "No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configuration_init__nothing_decided__is_valid),
        cmocka_unit_test(configuration_from_json__everything_decided__is_read),
        cmocka_unit_test(
            configuration_to_json__what_is_shown__is_read_back_the_same),
        cmocka_unit_test(
            configuration_from_json__bad_values__name_key_and_reason),
        cmocka_unit_test(configuration_from_file__files__are_read_or_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
