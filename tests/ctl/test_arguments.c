#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "base/error.h"
#include "base/memory.h"

#define WORDS_MOST 8

struct line {
    char *words[WORDS_MOST];
};

static int parse(struct invocation *ret, const struct line *l, struct error *e)
{
    int count = 0;

    while (count < WORDS_MOST && l->words[count])
        count++;
    return arguments_parse(ret, count, (char **)(size_t)l->words, e);
}

/* What was understood, in one line; the caller frees. */
static char *describe(const struct invocation *v)
{
    const struct settings *s = &v->settings;
    char *text = xasprintf(
        "%s%s%s%s%s%s%s%s%s%s%s%s", v->command ? v->command->name : "-",
        s->json ? " json" : "", s->help ? " help" : "",
        s->version ? " version" : "", s->follow ? " follow" : "",
        s->test ? " test" : "", s->socket ? " socket=" : "",
        s->socket ? s->socket : "", s->priority ? " priority=" : "",
        s->priority ? s->priority : "", s->state ? " state=" : "",
        s->state ? s->state : "");

    for (size_t i = 0; i < v->operand_count; i++) {
        char *longer = xasprintf("%s '%s'", text, v->operands[i]);
        free(text);
        text = longer;
    }
    return text;
}

static void parse__good_lines__are_understood(void **state)
{
    static const struct {
        struct line line;
        const char *expect;
    } cases[] = {
        {{{"status"}}, "status"},
        {{{"--help"}}, "- help"},
        {{{"doctor", "--test"}}, "doctor test"},
        {{{"-h"}}, "- help"},
        {{{"--version"}}, "- version"},
        {{{"run", "--help"}}, "run help"},
        {{{"--json", "list"}}, "list json"},
        {{{"list", "--json"}}, "list json"},
        {{{"--socket", "/s", "status"}}, "status socket=/s"},
        {{{"status", "--socket=/s"}}, "status socket=/s"},
        {{{"submit", "-f", "a.json"}}, "submit follow 'a.json'"},
        {{{"submit", "a.json", "--follow"}}, "submit follow 'a.json'"},
        {{{"submit", "--priority=batch", "-"}}, "submit priority=batch '-'"},
        {{{"run", "--", "--json"}}, "run '--json'"},
        {{{"cancel", "1", "2", "3"}}, "cancel '1' '2' '3'"},
        {{{"list", "--state", "queued,running"}}, "list state=queued,running"},
        {{{"follow"}}, "follow"},
        {{{"follow", "7"}}, "follow '7'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct invocation v;

        print_message("%s\n", cases[i].expect);
        assert_int_equal(parse(&v, &cases[i].line, &e), 0);
        char *text = describe(&v);
        assert_string_equal(text, cases[i].expect);
        free(text);
        arguments_fini(&v);
    }
}

static void parse__bad_lines__are_refused_in_words(void **state)
{
    static const struct {
        struct line line;
        const char *expect;
    } cases[] = {
        {{{NULL}}, "no command is given, see transcodectl --help"},
        {{{"--json"}}, "no command is given, see transcodectl --help"},
        {{{"operate"}}, "unknown command 'operate', see transcodectl --help"},
        {{{"--nice"}}, "unknown option '--nice'"},
        {{{"status", "-x"}}, "unknown option '-x'"},
        {{{"run", "--follow", "x"}}, "unknown option '--follow'"},
        {{{"--follow", "submit", "x"}}, "unknown option '--follow'"},
        {{{"--json=yes", "list"}}, "option '--json' takes no value"},
        {{{"submit", "-fx", "a"}}, "option '-f' takes no value"},
        {{{"status", "--socket"}}, "option '--socket' needs a value"},
        {{{"list", "--limit", "0"}},
         "option '--limit': '0' is not between 1 and 1000"},
        {{{"list", "-nmany"}}, "option '-n': 'many' is not a whole number"},
        {{{"run"}}, "usage: transcodectl run FILE|-"},
        {{{"show", "1", "2"}}, "'2' is one argument too many"},
        {{{"status", "now"}}, "'now' is one argument too many"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct invocation v;

        print_message("%s\n", cases[i].expect);
        assert_true(parse(&v, &cases[i].line, &e) < 0);
        assert_string_equal(e.text, cases[i].expect);
        assert_string_equal(e.field, "");
    }
}

static void parse__nothing_said__leaves_defaults(void **state)
{
    static const struct line line = {{"list"}};
    struct error e = {0};
    struct invocation v;

    (void)state;
    assert_int_equal(parse(&v, &line, &e), 0);
    assert_int_equal(v.settings.limit, 50);
    assert_int_equal(v.settings.before, 0);
    assert_null(v.settings.state);
    arguments_fini(&v);
}

static char *help_of(const struct command *c)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    arguments_print_help(out, c);
    (void)fclose(out);
    return text;
}

static void assert_mentions(const char *text, const struct flag *flags)
{
    for (; flags && flags->option.name; flags++) {
        char *name =
            xasprintf("--%s%s%s", flags->option.name, flags->value ? " " : "",
                      flags->value ? flags->value : "");
        print_message("%s\n", name);
        assert_non_null(strstr(text, name));
        assert_non_null(strstr(text, flags->option.help));
        free(name);
    }
}

static void help__tables__are_all_in_it(void **state)
{
    char *all = help_of(NULL);

    (void)state;
    assert_mentions(all, command_global_flags);
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        char *row = xasprintf("\n  %s ", c->name);
        char *one = help_of(c);

        print_message("%s\n", c->name);
        assert_non_null(strstr(all, row));
        assert_non_null(strstr(all, c->help));
        assert_mentions(one, c->flags);
        assert_mentions(one, command_global_flags);
        assert_ptr_equal(command_find(c->name), c);
        free(one);
        free(row);
    }
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__good_lines__are_understood),
        cmocka_unit_test(parse__bad_lines__are_refused_in_words),
        cmocka_unit_test(parse__nothing_said__leaves_defaults),
        cmocka_unit_test(help__tables__are_all_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
