#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "media/library.h"

/* The C library's mathematics stand for a library of NVIDIA's. */
#define LIBRARY "libm.so.6"

struct functions {
    double (*root)(double);
    double (*nothing)(double);
    double (*power)(double, double);
};

#define IN(f) offsetof(struct functions, f)

static void open__what_it_has__is_filled_in(void **state)
{
    static const struct library_symbol symbols[] = {
        {"sqrt", IN(root), LIBRARY_NEEDED},
        {"transcoded_nothing", IN(nothing), LIBRARY_OPTIONAL},
        {"pow", IN(power), LIBRARY_OPTIONAL},
    };
    struct functions f;
    struct error e = {0};
    void *library;

    (void)state;
    memset(&f, 0xff, sizeof(f));
    assert_int_equal(library_open(&library, LIBRARY, symbols, 3, &f, &e), 0);
    assert_true(f.root(16) > 3.99 && f.root(16) < 4.01);
    assert_true(f.power(2, 10) > 1023.9 && f.power(2, 10) < 1024.1);
    assert_null(f.nothing);
    library_close(library);
}

static void open__no_such_library__is_named(void **state)
{
    struct error e = {0};
    void *library = &e;

    (void)state;
    assert_int_equal(
        library_open(&library, "libtranscoded-no.so.1", NULL, 0, NULL, &e),
        -ENOENT);
    print_message("%s\n", e.text);
    assert_non_null(strstr(e.text, "cannot load libtranscoded-no.so.1"));
    assert_ptr_equal(library, &e); // untouched
}

static void open__needed_one_is_missing__says_which(void **state)
{
    static const struct library_symbol symbols[] = {
        {"sqrt", IN(root), LIBRARY_NEEDED},
        {"transcoded_nothing", IN(nothing), LIBRARY_NEEDED},
    };
    struct functions f;
    struct error e = {0};
    void *library = &e;

    (void)state;
    assert_int_equal(library_open(&library, LIBRARY, symbols, 2, &f, &e),
                     -ENODEV);
    print_message("%s\n", e.text);
    assert_non_null(strstr(e.text, "'" LIBRARY "'"));
    assert_non_null(strstr(e.text, "'transcoded_nothing'"));
    assert_ptr_equal(library, &e);
    library_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open__what_it_has__is_filled_in),
        cmocka_unit_test(open__no_such_library__is_named),
        cmocka_unit_test(open__needed_one_is_missing__says_which),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
