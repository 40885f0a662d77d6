#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "wire/interface.h"

#define WORD_MOST 64

/* The names of the header, which must be those of the texts. */
static const char *const methods[] = {
    INTERFACE_GET_INFO,
    INTERFACE_GET_DESCRIPTION,
    INTERFACE_SUBMIT,
    INTERFACE_PLAN,
    INTERFACE_LIST,
    INTERFACE_SHOW,
    INTERFACE_FOLLOW,
    INTERFACE_CANCEL,
    INTERFACE_PAUSE,
    INTERFACE_RESUME,
    INTERFACE_RETRY,
    INTERFACE_DEVICES,
    INTERFACE_PROFILES,
    INTERFACE_DIAGNOSE,
    INTERFACE_REPORT,
    INTERFACE_STATUS,
    INTERFACE_DRAIN,
    INTERFACE_UNDRAIN,
    NULL,
};
static const char *const errors[] = {
    INTERFACE_INVALID_JOB,       INTERFACE_NO_SUCH_JOB,
    INTERFACE_WRONG_STATE,       INTERFACE_NOT_PERMITTED,
    INTERFACE_TOO_MANY,          INTERFACE_SHUTTING_DOWN,
    INTERFACE_UNAVAILABLE,       INTERFACE_NOT_FOUND,
    INTERFACE_METHOD_NOT_FOUND,  INTERFACE_METHOD_NOT_IMPLEMENTED,
    INTERFACE_INVALID_PARAMETER, INTERFACE_PERMISSION_DENIED,
    INTERFACE_EXPECTED_MORE,     NULL,
};

/* What is left of a description. */
struct source {
    const char *p;
};

static void skip_blank(struct source *s)
{
    for (;;) {
        s->p += strspn(s->p, " \t\n");
        if (*s->p != '#')
            return;
        s->p += strcspn(s->p, "\n");
    }
}

static bool take(struct source *s, const char *symbol)
{
    skip_blank(s);
    if (strncmp(s->p, symbol, strlen(symbol)) != 0)
        return false;
    s->p += strlen(symbol);
    return true;
}

static void take_word(struct source *s, char ret[WORD_MOST])
{
    size_t n = 0;

    skip_blank(s);
    while (isalnum((unsigned char)s->p[n]) || s->p[n] == '_' || s->p[n] == '.')
        n++;
    assert_in_range(n, 1, WORD_MOST - 1);
    memcpy(ret, s->p, n);
    ret[n] = '\0';
    s->p += n;
}

/* A member's name as varlink wants it: [A-Za-z]([_]?[A-Za-z0-9])* */
static void assert_member_name(const char *word)
{
    assert_true(isalpha((unsigned char)word[0]));
    assert_null(strstr(word, "__"));
    assert_null(strchr(word, '.'));
    assert_int_not_equal(word[strlen(word) - 1], '_');
}

static bool is_defined(const char *text, const char *type)
{
    char line[WORD_MOST + 16];

    (void)snprintf(line, sizeof(line), "\ntype %s (", type);
    return strstr(text, line) != NULL;
}

/* ? and [] in front of a built-in type, one of @text's, or an object. */
static void take_type(struct source *s, const char *text)
{
    static const char *const known[] = {"bool", "int", "float", "string",
                                        "object"};
    char word[WORD_MOST];

    (void)take(s, "?");
    while (take(s, "[]"))
        ;
    take_word(s, word);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i], word) == 0)
            return;
    }
    print_message("  type %s\n", word);
    assert_true(is_defined(text, word));
}

/* (name: type, …) or (name, …); never both. */
static void take_struct(struct source *s, const char *text)
{
    char word[WORD_MOST];
    bool typed = false;

    assert_true(take(s, "("));
    if (take(s, ")"))
        return;
    for (int i = 0;; i++) {
        take_word(s, word);
        assert_member_name(word);
        bool has_type = take(s, ":");
        assert_true(i == 0 || has_type == typed);
        typed = has_type;
        if (typed)
            take_type(s, text);
        if (take(s, ")"))
            return;
        assert_true(take(s, ","));
    }
}

static bool is_listed(const char *const *names, const char *interface,
                      const char *word)
{
    char full[2 * WORD_MOST];

    (void)snprintf(full, sizeof(full), "%s.%s", interface, word);
    for (; *names; names++) {
        if (strcmp(*names, full) == 0)
            return true;
    }
    return false;
}

/* Reads all of @text by varlink's grammar; counts methods and errors. */
static void read_description(const char *name, const char *text,
                             size_t *ret_methods, size_t *ret_errors)
{
    struct source s = {.p = text};
    char word[WORD_MOST];

    assert_true(take(&s, "interface "));
    take_word(&s, word);
    assert_string_equal(word, name);
    for (skip_blank(&s); *s.p; skip_blank(&s)) {
        bool method = take(&s, "method ");
        bool error = !method && take(&s, "error ");
        assert_true(method || error || take(&s, "type "));
        take_word(&s, word);
        print_message("%s.%s\n", name, word);
        assert_true(isupper((unsigned char)word[0]));
        take_struct(&s, text);
        if (method) {
            assert_true(take(&s, "->"));
            take_struct(&s, text);
            assert_true(is_listed(methods, name, word));
        } else if (error) {
            assert_true(is_listed(errors, name, word));
        }
        *ret_methods += method;
        *ret_errors += error;
    }
}

static void description__of_each_interface__is_valid_and_complete(void **state)
{
    size_t method_count = 0;
    size_t error_count = 0;

    (void)state;
    for (size_t i = 0; interface_names[i]; i++) {
        const char *text = interface_description(interface_names[i]);
        assert_non_null(text);
        read_description(interface_names[i], text, &method_count, &error_count);
    }
    assert_int_equal(method_count, sizeof(methods) / sizeof(methods[0]) - 1);
    assert_int_equal(error_count, sizeof(errors) / sizeof(errors[0]) - 1);
}

static void description__of_another_interface__is_none(void **state)
{
    (void)state;
    assert_null(interface_description("org.example"));
    assert_null(interface_description(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(description__of_each_interface__is_valid_and_complete),
        cmocka_unit_test(description__of_another_interface__is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
