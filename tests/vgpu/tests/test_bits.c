#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bits.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void bits_ue__numbers__are_read_back(void **state)
{
    static const uint32_t numbers[] = {0, 1,   2,     3,          7,
                                       8, 254, 65535, 0x7fffffff, 5};
    struct bits b = {0};
    struct reader r;

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++)
        bits_ue(&b, numbers[i]);
    reader_init(&r, b.bytes.data, b.bytes.size);
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_int_equal(reader_ue(&r), numbers[i]);
    assert_int_equal(r.at, b.count);
    assert_false(r.past_end);
    bits_free(&b);
}

static void bits_se__numbers__are_mapped_by_size(void **state)
{
    static const struct {
        int32_t number;
        uint32_t code;
    } cases[] = {{0, 0}, {1, 1}, {-1, 2}, {2, 3}, {-2, 4}, {-128, 256}};
    struct bits b = {0};
    struct reader r;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        bits_se(&b, cases[i].number);
    reader_init(&r, b.bytes.data, b.bytes.size);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(reader_ue(&r), cases[i].code);
    bits_free(&b);
}

static void bits_append_nal__start_codes_inside__are_escaped(void **state)
{
    static const struct {
        uint8_t plain[6];
        size_t size;
        uint8_t escaped[12];
        size_t escaped_size;
    } cases[] = {
        {{1, 2}, 2, {0, 0, 1, 1, 2}, 5},
        {{0, 0, 1}, 3, {0, 0, 1, 0, 0, 3, 1}, 7},
        {{0, 0, 0, 0, 4}, 5, {0, 0, 1, 0, 0, 3, 0, 0, 4}, 9},
        {{0, 0, 3}, 3, {0, 0, 1, 0, 0, 3, 3}, 7},
        {{0, 0, 4}, 3, {0, 0, 1, 0, 0, 4}, 6},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bits b = {0};
        struct bytes nal = {0}, plain = {0};
        for (size_t n = 0; n < cases[i].size; n++)
            bits_put(&b, 8, cases[i].plain[n]);
        bits_append_nal(&nal, &b);
        assert_int_equal(nal.size, cases[i].escaped_size);
        assert_memory_equal(nal.data, cases[i].escaped, nal.size);

        bytes_unescape(&plain, nal.data + 3, nal.size - 3);
        assert_int_equal(plain.size, cases[i].size);
        assert_memory_equal(plain.data, cases[i].plain, plain.size);
        bits_free(&b);
        bytes_free(&nal);
        bytes_free(&plain);
    }
}

static void reader__behind_the_end__says_so(void **state)
{
    static const uint8_t zeros[2] = {0, 0};
    struct reader r;

    (void)state;
    reader_init(&r, zeros, sizeof(zeros));
    assert_int_equal(reader_ue(&r), 0);
    assert_true(r.past_end);
}

static void bytes_same__second_time__is_the_same(void **state)
{
    struct bytes known = {0}, now = {0};

    (void)state;
    bytes_append(&now, "abc", 3);
    assert_false(bytes_same(&known, &now));
    assert_true(bytes_same(&known, &now));
    bytes_append(&now, "d", 1);
    assert_false(bytes_same(&known, &now));
    bytes_free(&known);
    bytes_free(&now);
}

static void bits_for__counts__are_rounded_up(void **state)
{
    static const struct {
        uint32_t count;
        unsigned bits;
    } cases[] = {{0, 0}, {1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {65537, 17}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(bits_for(cases[i].count), cases[i].bits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_ue__numbers__are_read_back),
        cmocka_unit_test(bits_se__numbers__are_mapped_by_size),
        cmocka_unit_test(bits_append_nal__start_codes_inside__are_escaped),
        cmocka_unit_test(reader__behind_the_end__says_so),
        cmocka_unit_test(bytes_same__second_time__is_the_same),
        cmocka_unit_test(bits_for__counts__are_rounded_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
