#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include <libavutil/error.h>

#include "base/error.h"
#include "media/averror.h"

static void averror_code__libavs_tags__become_errno(void **state)
{
    static const struct {
        int averror;
        int code;
    } cases[] = {
        {AVERROR_INVALIDDATA, -EBADMSG},
        {AVERROR_EOF, -ENODATA},
        {AVERROR_DECODER_NOT_FOUND, -ENOTSUP},
        {AVERROR(ENOMEM), -ENOMEM},
        {AVERROR(ENOSPC), -ENOSPC},
        {AVERROR_EXTERNAL, -EIO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(averror_code(cases[i].averror), cases[i].code);
}

static void averror_set__words__say_what_and_why(void **state)
{
    struct error e = {0};

    (void)state;
    assert_int_equal(averror_set(&e, AVERROR(ENOSPC), "cannot write %d", 7),
                     -ENOSPC);
    assert_string_equal(e.text, "cannot write 7: No space left on device");
    assert_int_equal(averror_set(&e, AVERROR_INVALIDDATA, "cannot read"),
                     -EBADMSG);
    assert_string_equal(e.text,
                        "cannot read: the data is damaged or of another kind");
    assert_int_equal(averror_set(NULL, AVERROR_EOF, "x"), -ENODATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averror_code__libavs_tags__become_errno),
        cmocka_unit_test(averror_set__words__say_what_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
