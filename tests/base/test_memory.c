#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

static void xcalloc__no_elements__gives_memory_to_free(void **state)
{
    void *p = xcalloc(0, 0);

    (void)state;
    assert_non_null(p);
    free(p);
}

static void xstrdup__null__stays_null(void **state)
{
    char *copy = xstrdup("word");

    (void)state;
    assert_null(xstrdup(NULL));
    assert_string_equal(copy, "word");
    free(copy);
}

static void xstrndup__shorter_text__is_copied_whole(void **state)
{
    char *cut = xstrndup("word", 2);
    char *whole = xstrndup("word", 20);

    (void)state;
    assert_string_equal(cut, "wo");
    assert_string_equal(whole, "word");
    free(cut);
    free(whole);
}

static void xasprintf__format__is_filled(void **state)
{
    char *s = xasprintf("job %d", 17);

    (void)state;
    assert_string_equal(s, "job 17");
    free(s);
}

static void xmemdup__no_bytes__gives_memory_to_free(void **state)
{
    char *none = xmemdup(NULL, 0);
    char *some = xmemdup("abc", 3);

    (void)state;
    assert_non_null(none);
    assert_memory_equal(some, "abc", 3);
    free(none);
    free(some);
}

static void xgrow__elements__are_kept_and_room_doubles(void **state)
{
    size_t room = 0;
    size_t moves = 0;
    int *numbers = NULL;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        size_t before = room;
        numbers = xgrow(numbers, &room, i + 1, sizeof(*numbers));
        assert_true(room > i);
        moves += room != before;
        numbers[i] = (int)i;
    }
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    assert_true(moves < 10); // a doubling for each power of two
    free(numbers);
}

static void xgrow__enough_room__changes_nothing(void **state)
{
    char here;
    size_t room = 4;

    (void)state;
    assert_ptr_equal(xgrow(&here, &room, 4, 1), &here);
    assert_int_equal(room, 4);
}

/* Runs @f in a child. Did the child come to an end that is no success? */
static bool ends_badly(void (*f)(void))
{
    const struct rlimit no_core = {0, 0};
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO);
        f();
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void ask_for_too_much(void)
{
    // more elements than there are bytes to address
    free(xrealloc(NULL, (size_t)-1 / 16 + 2, 16)); // 16 of them, if it wrapped
}

static void xrealloc__size_overflows__does_not_return(void **state)
{
    (void)state;
    // a sanitizer reports the size itself, and exits
    assert_true(ends_badly(ask_for_too_much));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xcalloc__no_elements__gives_memory_to_free),
        cmocka_unit_test(xstrdup__null__stays_null),
        cmocka_unit_test(xstrndup__shorter_text__is_copied_whole),
        cmocka_unit_test(xasprintf__format__is_filled),
        cmocka_unit_test(xmemdup__no_bytes__gives_memory_to_free),
        cmocka_unit_test(xgrow__elements__are_kept_and_room_doubles),
        cmocka_unit_test(xgrow__enough_room__changes_nothing),
        cmocka_unit_test(xrealloc__size_overflows__does_not_return),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
