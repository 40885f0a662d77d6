/*
 * list: an intrusive, circular, doubly linked list.
 *
 * The link is a member of the element; its comment names the list that it is
 * linked into. The list owns nothing. list_remove() leaves a link that is
 * alone, so that removing twice, or from a half-built object after
 * list_init(), is harmless.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

/* Put @link behind @position; behind a head that is the front. */
static inline void list_insert(struct list *position, struct list *link)
{
    link->prev = position;
    link->next = position->next;
    position->next->prev = link;
    position->next = link;
}

static inline void list_append(struct list *head, struct list *link)
{
    list_insert(head->prev, link);
}

static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* The element of type T whose member @member is @link. */
#define list_entry(link, T, member) \
    ((T *)(void *)((char *)(link)-offsetof(T, member)))

/* Loop over links; the body may remove @link but no other. */
#define list_foreach(link, next_, head) \
    for (struct list *link = (head)->next, *next_ = link->next; \
         link != (head); link = next_, next_ = link->next)

#endif
