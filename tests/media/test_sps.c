#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "media/sps.h"

static void sps_reordering__damaged_records__are_survived(void **state)
{
    // as libx264 writes it: High, 3 B-frames in a pyramid, reordering 2
    static const uint8_t record[] = {
        1,    0x64, 0x00, 0x0d, 0xff, 0xe1, 0x00, 0x19, 0x67, 0x64, 0x00, 0x0d,
        0xac, 0xd9, 0x41, 0x41, 0x9f, 0x9f, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00,
        0x10, 0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x42, 0x99, 0x60};
    uint8_t *copy = malloc(sizeof(record));

    (void)state;
    for (size_t size = 0; size < sizeof(record); size++) {
        uint8_t *cut = malloc(size + 1); // ASan watches its end
        memcpy(cut, record, size);
        assert_in_range(sps_reordering(cut, size) + 1, 0, 17);
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * sizeof(record); bit++) {
        memcpy(copy, record, sizeof(record));
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_in_range(sps_reordering(copy, sizeof(record)) + 1, 0, 17);
    }
    free(copy);
}

static void sps_reordering__no_record__is_not_known(void **state)
{
    static const uint8_t annex_b[] = {0, 0, 0, 1, 0x67, 0x64, 0, 0x0d, 0xac};

    (void)state;
    assert_int_equal(sps_reordering(annex_b, sizeof(annex_b)), -1);
    assert_int_equal(sps_reordering(NULL, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sps_reordering__damaged_records__are_survived),
        cmocka_unit_test(sps_reordering__no_record__is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
