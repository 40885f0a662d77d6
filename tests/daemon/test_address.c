#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "address.h"

#include <errno.h>
#include <string.h>

static void address_parse__texts__are_judged(void **state)
{
    static const size_t head = offsetof(struct sockaddr_un, sun_path);
    static const struct {
        const char *text;
        int result;
        size_t name; // bytes of it
    } cases[] = {
        {"/a", 0, 3}, // with its end
        {"@a", 0, 2}, // without
        {"", -EINVAL, 0},  {"@", -EINVAL, 0},
        {"a", -EINVAL, 0}, {"vsock:2:3", -EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address a = {.size = 0};
        assert_int_equal(address_parse(&a, cases[i].text), cases[i].result);
        assert_int_equal(a.size, cases[i].name ? head + cases[i].name : 0);
    }
}

static void address_parse__long_path__is_refused(void **state)
{
    char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
    struct address a;

    (void)state;
    memset(path, '/', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(address_parse(&a, path), -ENAMETOOLONG);
    path[sizeof(path) - 2] = '\0';
    assert_int_equal(address_parse(&a, path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_parse__texts__are_judged),
        cmocka_unit_test(address_parse__long_path__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
