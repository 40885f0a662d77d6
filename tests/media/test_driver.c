#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "media/driver.h"
#include "support/machine.h"

#define UUID "GPU-00000000-7667-7075-0000-000000000001"

/* What a child found. */
struct find {
    int result;
    int count;
    int index;      // of the card by its UUID
    int stranger;   // of one that is not there
    int no_context; // why not
    int64_t free;   // bytes
    struct driver_card card;
    char version[32];
    char words[64]; // of CUDA, for running out of memory
    struct error error;
};

static void look(void *ret)
{
    struct find *f = ret;
    struct driver *d;

    f->result = driver_open(&d, &f->error);
    if (f->result < 0)
        return;
    f->count = driver_count(d);
    f->result = driver_card(d, 0, &f->card, &f->error);
    f->index = driver_find(d, UUID, NULL);
    (void)strcpy(f->version, driver_version(d));
    (void)strcpy(f->words, driver_words(d, 2));
    f->no_context = driver_try_context(d, 0, &f->error);
    f->free = driver_free_memory(d, NULL);
    driver_close(d);
}

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void card__p1000__is_described(void **state)
{
    struct find f = {0};

    (void)state;
    machine_run(NULL, look, &f, sizeof(f));
    assert_int_equal(f.result, 0);
    assert_int_equal(f.count, 1);
    assert_string_equal(f.card.name, "Quadro P1000");
    assert_string_equal(f.card.uuid, UUID);
    assert_int_equal(f.card.compute, 61);
    assert_int_equal(f.card.vram, INT64_C(4096) << 20);
    assert_int_equal(f.index, 0);
    assert_string_equal(f.version, "470.256.02");
    assert_non_null(strstr(f.words, "memory"));
    assert_int_equal(f.no_context, 0);
}

static void card__other_numbers__are_told(void **state)
{
    struct find f = {0};

    (void)state;
    machine_run(SETTINGS("name=Tesla T4", "compute_capability=75", "vram=2048",
                         "driver_version=535.1"),
                look, &f, sizeof(f));
    assert_string_equal(f.card.name, "Tesla T4");
    assert_int_equal(f.card.compute, 75);
    assert_int_equal(f.card.vram, INT64_C(2048) << 20);
    assert_string_equal(f.version, "535.1");
}

static void open__no_driver__says_so(void **state)
{
    struct find f = {0};

    (void)state;
    machine_run(SETTINGS("no_driver=1"), look, &f, sizeof(f));
    print_message("%s\n", f.error.text);
    assert_true(f.result == -ENOENT || f.result == -EACCES ||
                f.result == -ENODEV);
    assert_int_equal(f.error.code, f.result);
    assert_non_null(strstr(f.error.text, "NVIDIA"));
}

static void try_context__no_memory__is_told_from_no_device(void **state)
{
    struct find f = {0};

    (void)state;
    machine_run(SETTINGS("foreign_vram=4090"), look, &f, sizeof(f));
    print_message("%s\n", f.error.text);
    assert_int_equal(f.no_context, -ENOMEM);
    assert_non_null(strstr(f.error.text, "memory"));
}

/* Where no context is, nobody says how much is free. */
static void free_memory__no_context__is_unknown(void **state)
{
    struct find f = {0};

    (void)state;
    machine_run(NULL, look, &f, sizeof(f));
    assert_int_equal(f.free, -1);
}

static void miss(void *ret)
{
    struct find *f = ret;
    struct driver *d;

    f->result = driver_open(&d, &f->error);
    if (f->result < 0)
        return;
    f->stranger = driver_find(d, "GPU-of-yesterday", &f->error);
    f->result = driver_card(d, 7, &f->card, NULL);
    f->no_context = driver_try_context(d, 7, NULL);
    driver_close(d);
    driver_close(NULL);
}

static void card__that_is_not_there__is_named(void **state)
{
    struct find f = {0};

    (void)state;
    machine_run(NULL, miss, &f, sizeof(f));
    assert_int_equal(f.stranger, -ENODEV);
    assert_string_equal(f.error.text,
                        "there is no card GPU-of-yesterday any more");
    assert_int_equal(f.result, -EIO);
    assert_string_equal(f.card.uuid, ""); // untouched
    assert_int_equal(f.no_context, -ENODEV);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(card__p1000__is_described),
        cmocka_unit_test(card__other_numbers__are_told),
        cmocka_unit_test(open__no_driver__says_so),
        cmocka_unit_test(try_context__no_memory__is_told_from_no_device),
        cmocka_unit_test(free_memory__no_context__is_unknown),
        cmocka_unit_test(card__that_is_not_there__is_named),
    };

    (void)argc;
    machine_enter(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
