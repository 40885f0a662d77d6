#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
    int value;
    struct list link; // of the list in each test
};

/* The values as a number: 1, 2, 3 is 123. */
static int read_digits(const struct list *head)
{
    int digits = 0;

    for (const struct list *l = head->next; l != head; l = l->next)
        digits = digits * 10 + list_entry(l, struct item, link)->value;
    return digits;
}

static int read_backwards(const struct list *head)
{
    int digits = 0;

    for (const struct list *l = head->prev; l != head; l = l->prev)
        digits = digits * 10 + list_entry(l, struct item, link)->value;
    return digits;
}

static void list_init__head__is_empty(void **state)
{
    struct list head;

    (void)state;
    list_init(&head);
    assert_true(list_empty(&head));
}

static void list_append__items__keep_their_order(void **state)
{
    struct item items[] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list head;

    (void)state;
    list_init(&head);
    for (size_t i = 0; i < 3; i++)
        list_append(&head, &items[i].link);
    assert_false(list_empty(&head));
    assert_int_equal(read_digits(&head), 123);
    assert_int_equal(read_backwards(&head), 321);
}

static void list_insert__position__is_followed_by_it(void **state)
{
    struct item items[] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list head;

    (void)state;
    list_init(&head);
    list_insert(&head, &items[1].link);
    list_insert(&head, &items[0].link); // behind a head: the front
    list_insert(&items[1].link, &items[2].link);
    assert_int_equal(read_digits(&head), 123);
}

static void list_remove__twice__is_harmless(void **state)
{
    struct item items[] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list head;

    (void)state;
    list_init(&head);
    for (size_t i = 0; i < 3; i++)
        list_append(&head, &items[i].link);
    list_remove(&items[1].link);
    list_remove(&items[1].link);
    assert_true(list_empty(&items[1].link));
    assert_int_equal(read_digits(&head), 13);
    assert_int_equal(read_backwards(&head), 31);
}

static void list_foreach__body_removes__visits_all(void **state)
{
    struct item items[] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list head;
    int sum = 0;

    (void)state;
    list_init(&head);
    for (size_t i = 0; i < 3; i++)
        list_append(&head, &items[i].link);
    list_foreach (link, next, &head) {
        sum += list_entry(link, struct item, link)->value;
        list_remove(link);
    }
    assert_int_equal(sum, 6);
    assert_true(list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_init__head__is_empty),
        cmocka_unit_test(list_append__items__keep_their_order),
        cmocka_unit_test(list_insert__position__is_followed_by_it),
        cmocka_unit_test(list_remove__twice__is_harmless),
        cmocka_unit_test(list_foreach__body_removes__visits_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
