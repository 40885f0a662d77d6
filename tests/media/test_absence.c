#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "media/absence.h"

#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>

#include "model/diagnosis.h"

static void absences__are_what_libav_does_not_have(void **state)
{
    struct diagnosis_absence found[DIAGNOSIS_ABSENCES_MOST];

    (void)state;
    size_t count = absence_find(found, DIAGNOSIS_ABSENCES_MOST);
    assert_true(count < DIAGNOSIS_ABSENCES_MOST);
    for (size_t i = 0; i < count; i++) {
        print_message("%s %s\n", found[i].kind, found[i].name);
        if (strcmp(found[i].kind, "encoder") == 0)
            assert_null(avcodec_find_encoder_by_name(found[i].name));
        else if (strcmp(found[i].kind, "filter") == 0)
            assert_null(avfilter_get_by_name(found[i].name));
        else
            assert_string_equal(found[i].kind, "nvdec");
        // no libav is built without it
        assert_string_not_equal(found[i].name, "aac");
    }
}

static void absences__no_room__are_still_counted(void **state)
{
    struct diagnosis_absence found[DIAGNOSIS_ABSENCES_MOST];

    (void)state;
    assert_int_equal(absence_find(NULL, 0),
                     absence_find(found, DIAGNOSIS_ABSENCES_MOST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absences__are_what_libav_does_not_have),
        cmocka_unit_test(absences__no_room__are_still_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
