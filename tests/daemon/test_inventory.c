#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A device as a survey says it; with @decoders it can do something. */
static struct survey_device device(const char *id, const char *uuid,
                                   size_t decoders)
{
    struct survey_device d = {.vram = 4096, .compute = 61};

    (void)snprintf(d.id, sizeof(d.id), "%s", id);
    (void)snprintf(d.uuid, sizeof(d.uuid), "%s", uuid);
    d.decoders = xcalloc(decoders + 1, sizeof(*d.decoders));
    d.decoder_count = decoders;
    return d;
}

/* A survey of devices "ID=UUID"; "!" behind it: it can do nothing; "?": others
 * kept it from trying. */
static void survey(struct inventory *i, const char *const *devices,
                   size_t count)
{
    struct survey s = {.libav = "5.1", .device_count = count};

    s.devices = xcalloc(count + 1, sizeof(*s.devices));
    for (size_t n = 0; n < count; n++) {
        char id[16];
        char uuid[16];
        char mark = '\0';
        assert_true(sscanf(devices[n], "%15[^=]=%15[A-Z]%c", id, uuid, &mark) >=
                    2);
        s.devices[n] = device(id, uuid, mark ? 0 : 1);
        s.devices[n].is_partial = mark == '?';
    }
    inventory_set(i, &s);
    survey_fini(&s);
}

#define SURVEY(i, ...) \
    survey(i, (const char *const[]){__VA_ARGS__}, \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* "cuda:0=A cuda:1=B": those that are present. */
static const char *describe(const struct inventory *i)
{
    static char text[256];
    size_t used = 0;

    text[0] = '\0';
    for (struct inventory_device *d = inventory_next(i, NULL); d;
         d = inventory_next(i, d))
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%s",
                                 used ? " " : "", d->survey.id, d->survey.uuid);
    return text;
}

static void create__nothing_surveyed__says_so(void **state)
{
    struct inventory *i = inventory_create();

    (void)state;
    assert_false(inventory_is_settled(i));
    assert_string_equal(inventory_problem(i),
                        "the GPUs have not been surveyed yet");
    assert_null(inventory_next(i, NULL));
    assert_string_equal(inventory_libav(i), "");
    inventory_destroy(i);
}

static void set__devices__appear_and_are_found(void **state)
{
    struct inventory *i = inventory_create();

    (void)state;
    SURVEY(i, "cuda:0=A", "cuda:1=B");
    assert_true(inventory_is_settled(i));
    assert_string_equal(inventory_problem(i), "");
    assert_string_equal(inventory_libav(i), "5.1");
    assert_string_equal(describe(i), "cuda:0=A cuda:1=B");
    assert_ptr_equal(inventory_find(i, "cuda:1"), inventory_find_uuid(i, "B"));
    assert_null(inventory_find(i, "cuda:2"));
    assert_null(inventory_find_uuid(i, "C"));
    inventory_destroy(i);
}

static void set__device_that_vanished__keeps_its_notes_and_its_id(void **state)
{
    struct inventory *i = inventory_create();

    (void)state;
    SURVEY(i, "cuda:0=A", "cuda:1=B");
    struct inventory_device *a = inventory_find(i, "cuda:0");
    a->is_sampled = true;
    a->sample.temperature = 48;
    // the first fell off the bus, and the driver counts from 0 again
    SURVEY(i, "cuda:0=B");
    assert_string_equal(describe(i), "cuda:1=B");
    assert_ptr_equal(inventory_find(i, "cuda:0"), a);
    assert_false(a->is_present);
    assert_false(inventory_device_works(a));
    SURVEY(i, "cuda:0=A", "cuda:1=B");
    assert_ptr_equal(inventory_find_uuid(i, "A"), a);
    assert_true(a->is_present);
    assert_true(a->is_sampled);
    assert_string_equal(describe(i), "cuda:0=A cuda:1=B");
    inventory_destroy(i);
}

static void set__new_card_with_a_known_id__gets_one_of_its_own(void **state)
{
    struct inventory *i = inventory_create();

    (void)state;
    SURVEY(i, "cuda:0=A");
    SURVEY(i, "cuda:0=B", "cuda:1=A");
    assert_string_equal(describe(i), "cuda:0=A cuda:1=B");
    inventory_destroy(i);
}

static void set__what_it_can__is_renewed(void **state)
{
    struct inventory *i = inventory_create();

    (void)state;
    SURVEY(i, "cuda:0=A");
    assert_true(inventory_device_works(inventory_find(i, "cuda:0")));
    SURVEY(i, "cuda:0=A!");
    assert_false(inventory_device_works(inventory_find(i, "cuda:0")));
    assert_string_equal(describe(i), "cuda:0=A");
    inventory_destroy(i);
}

static void set__partial_survey__does_not_hide_what_is_known(void **state)
{
    struct inventory *i = inventory_create();

    (void)state;
    SURVEY(i, "cuda:0=A");
    SURVEY(i, "cuda:0=A?", "cuda:1=B?");
    assert_true(inventory_device_works(inventory_find(i, "cuda:0")));
    assert_false(inventory_device_works(inventory_find(i, "cuda:1")));
    SURVEY(i, "cuda:0=A!", "cuda:1=B");
    assert_false(inventory_device_works(inventory_find(i, "cuda:0")));
    assert_true(inventory_device_works(inventory_find(i, "cuda:1")));
    inventory_destroy(i);
}

/* "470.256.02" as a sample tells it, of the only card. */
static bool tell_driver(struct inventory *i, const char *driver)
{
    struct sample s;

    sample_init(&s);
    (void)snprintf(s.uuid, sizeof(s.uuid), "A");
    (void)snprintf(s.driver, sizeof(s.driver), "%s", driver);
    return inventory_has_new_driver(i, inventory_sample(i, &s, 1));
}

static void has_new_driver__exchanged__is_said_once(void **state)
{
    struct inventory *i = inventory_create();
    struct survey_device card = {.id = "cuda:0", .uuid = "A", .driver = "1"};
    const struct survey survey = {.devices = &card, .device_count = 1};

    (void)state;
    inventory_set(i, &survey);
    assert_false(tell_driver(i, "1"));
    assert_false(tell_driver(i, "")); // not known
    assert_true(tell_driver(i, "2"));
    assert_false(tell_driver(i, "2")); // also where a survey saw the old one
    assert_false(tell_driver(i, ""));
    inventory_set(i, &survey);
    assert_false(tell_driver(i, "2"));
    (void)strcpy(card.driver, "2");
    inventory_set(i, &survey);
    assert_false(tell_driver(i, "2"));
    assert_true(tell_driver(i, "1")); // and back
    inventory_destroy(i);
}

static void
set__partial_survey__of_another_driver__is_all_that_is_known(void **state)
{
    struct inventory *i = inventory_create();
    struct survey_device card = device("cuda:0", "A", 1);
    const struct survey survey = {.devices = &card, .device_count = 1};

    (void)state;
    (void)strcpy(card.driver, "1");
    inventory_set(i, &survey);
    (void)strcpy(card.driver, "2");
    card.decoder_count = 0;
    card.is_partial = true;
    inventory_set(i, &survey);
    assert_false(inventory_device_works(inventory_find(i, "cuda:0")));
    free(card.decoders);
    inventory_destroy(i);
}

static void set__problems__become_one_line(void **state)
{
    struct inventory *i = inventory_create();
    char *words[] = {(char[]){"no driver"}, (char[]){"no card"}};
    const struct survey s = {.problems = words, .problem_count = 2};

    (void)state;
    inventory_set(i, &s);
    assert_string_equal(inventory_problem(i), "no driver; no card");
    inventory_destroy(i);
}

static void fail__devices_that_were_known__stay(void **state)
{
    struct inventory *i = inventory_create();

    (void)state;
    SURVEY(i, "cuda:0=A");
    assert_true(inventory_is_current(i));
    inventory_fail(i, "it crashed");
    assert_false(inventory_is_current(i));
    assert_string_equal(describe(i), "cuda:0=A");
    assert_string_equal(inventory_problem(i), "it crashed");
    inventory_destroy(i);
}

static void fail__of_the_first__settles(void **state)
{
    struct inventory *i = inventory_create();

    (void)state;
    inventory_fail(i, "it crashed");
    assert_true(inventory_is_settled(i));
    inventory_destroy(i);
}

static void free_copies(struct survey_device *copies, size_t count)
{
    for (size_t n = 0; n < count; n++)
        survey_device_fini(&copies[n]);
    free(copies);
}

static void copy_surveys__only_those_that_work__and_deep(void **state)
{
    struct inventory *i = inventory_create();
    struct survey_device *copies;
    size_t count;

    (void)state;
    SURVEY(i, "cuda:0=A!", "cuda:1=B", "cuda:2=C");
    inventory_copy_surveys(i, NULL, &copies, &count);
    inventory_destroy(i);
    assert_int_equal(count, 2);
    assert_string_equal(copies[0].id, "cuda:1");
    assert_string_equal(copies[1].uuid, "C");
    assert_int_equal(copies[1].decoder_count, 1);
    free_copies(copies, count);
}

static void copy_surveys__of_one__is_that_alone_if_it_works(void **state)
{
    static const struct {
        const char *id;
        size_t count;
    } cases[] = {{"cuda:0", 0}, {"cuda:1", 1}, {"cuda:3", 0}};
    struct inventory *i = inventory_create();

    (void)state;
    SURVEY(i, "cuda:0=A!", "cuda:1=B", "cuda:2=C");
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        struct survey_device *copies;
        size_t count;
        inventory_copy_surveys(i, cases[n].id, &copies, &count);
        assert_int_equal(count, cases[n].count);
        if (count)
            assert_string_equal(copies[0].id, cases[n].id);
        free_copies(copies, count);
    }
    inventory_destroy(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create__nothing_surveyed__says_so),
        cmocka_unit_test(set__devices__appear_and_are_found),
        cmocka_unit_test(set__device_that_vanished__keeps_its_notes_and_its_id),
        cmocka_unit_test(set__new_card_with_a_known_id__gets_one_of_its_own),
        cmocka_unit_test(set__what_it_can__is_renewed),
        cmocka_unit_test(set__partial_survey__does_not_hide_what_is_known),
        cmocka_unit_test(has_new_driver__exchanged__is_said_once),
        cmocka_unit_test(
            set__partial_survey__of_another_driver__is_all_that_is_known),
        cmocka_unit_test(set__problems__become_one_line),
        cmocka_unit_test(fail__devices_that_were_known__stay),
        cmocka_unit_test(fail__of_the_first__settles),
        cmocka_unit_test(copy_surveys__only_those_that_work__and_deep),
        cmocka_unit_test(copy_surveys__of_one__is_that_alone_if_it_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
