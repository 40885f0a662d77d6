#include "arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* What is left to read. */
struct words {
    char **next;
    char **end;
};

static const struct flag *find_in(const struct flag *flags, const char *name,
                                  size_t length)
{
    for (; flags && flags->option.name; flags++) {
        bool is_letter = length == 1 && flags->letter == name[0];
        if (is_letter || (length > 1 && strlen(flags->option.name) == length &&
                          strncmp(flags->option.name, name, length) == 0))
            return flags;
    }
    return NULL;
}

static const struct flag *find_flag(const struct invocation *v,
                                    const char *name, size_t length)
{
    const struct flag *f = find_in(command_global_flags, name, length);

    if (!f && v->command)
        f = find_in(v->command->flags, name, length);
    return f;
}

/* Reads "--name", "--name=value", "-n" or "-nvalue" at @word. */
static int read_flag(struct invocation *v, const char *word, struct words *w,
                     struct error *e)
{
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    size_t length = is_long ? strcspn(name, "=") : 1;
    const char *value = name[length] ? name + length + is_long : NULL;
    int shown = (int)(length + (is_long ? 2 : 1));

    const struct flag *f = find_flag(v, name, length);
    if (!f)
        return error_set(e, -EINVAL, "unknown option '%.*s'", shown, word);
    if (!f->value && value)
        return error_set(e, -EINVAL, "option '%.*s' takes no value", shown,
                         word);
    if (f->value && !value) {
        if (w->next == w->end)
            return error_set(e, -EINVAL, "option '%.*s' needs a value", shown,
                             word);
        value = *w->next++;
    }

    int r = option_set(&f->option, &v->settings, f->value ? value : "yes", e);
    if (r < 0) {
        e->field[0] = '\0'; // names a document's field elsewhere
        (void)error_wrap(e, "option '%.*s'", shown, word);
    }
    return r;
}

static int read_operand(struct invocation *v, char *word, struct error *e)
{
    if (!v->command) {
        v->command = command_find(word);
        if (!v->command)
            return error_set(e, -EINVAL,
                             "unknown command '%s', see transcodectl --help",
                             word);
        return 0;
    }
    if (v->operand_count == v->command->most)
        return error_set(e, -EINVAL, "'%s' is one argument too many", word);
    v->operands[v->operand_count++] = word;
    return 0;
}

static int read_words(struct invocation *v, struct words *w, struct error *e)
{
    bool only_operands = false;
    int r = 0;

    while (r == 0 && w->next < w->end) {
        char *word = *w->next++;
        if (only_operands || word[0] != '-' || !word[1])
            r = read_operand(v, word, e);
        else if (strcmp(word, "--") == 0)
            only_operands = true;
        else
            r = read_flag(v, word, w, e);
    }
    return r;
}

static int check_complete(const struct invocation *v, struct error *e)
{
    if (v->settings.help || v->settings.version)
        return 0;
    if (!v->command)
        return error_set(e, -EINVAL,
                         "no command is given, see transcodectl --help");
    if (v->operand_count < v->command->least)
        return error_set(e, -EINVAL, "usage: transcodectl %s %s",
                         v->command->name, v->command->operands);
    return 0;
}

static int set_defaults(const struct flag *flags, struct settings *s,
                        struct error *e)
{
    int r = 0;

    for (; r == 0 && flags && flags->option.name; flags++)
        r = option_set_defaults(&flags->option, 1, s, e);
    return r;
}

static int set_all_defaults(struct settings *s, struct error *e)
{
    int r = set_defaults(command_global_flags, s, e);

    for (size_t i = 0; r == 0 && commands[i]; i++)
        r = set_defaults(commands[i]->flags, s, e);
    return r;
}

int arguments_parse(struct invocation *ret, int argc, char **argv,
                    struct error *e)
{
    struct words w = {argv, argv + argc};
    struct invocation v = {.operands =
                               xcalloc((size_t)argc + 1, sizeof(*v.operands))};

    int r = set_all_defaults(&v.settings, e);
    if (r == 0)
        r = read_words(&v, &w, e);
    if (r == 0)
        r = check_complete(&v, e);
    if (r < 0) {
        arguments_fini(&v);
        return r;
    }
    *ret = v;
    return 0;
}

void arguments_fini(struct invocation *v)
{
    free(v->settings.socket);
    free(v->settings.priority);
    free(v->settings.state);
    free(v->operands);
    memset(v, 0, sizeof(*v));
}

static void print_flags(FILE *out, const struct flag *flags)
{
    for (; flags && flags->option.name; flags++) {
        char name[64];
        char letter[8] = "    ";

        if (flags->letter)
            (void)snprintf(letter, sizeof(letter), "-%c, ", flags->letter);
        (void)snprintf(name, sizeof(name), "%s--%s%s%s", letter,
                       flags->option.name, flags->value ? " " : "",
                       flags->value ? flags->value : "");
        (void)fprintf(out, "  %-24s %s", name, flags->option.help);
        if (flags->option.type == OPTION_COUNT && flags->option.least > 0)
            (void)fprintf(out, " (%s)", flags->option.fallback);
        (void)fputc('\n', out);
    }
}

static void print_commands(FILE *out)
{
    for (size_t i = 0; commands[i]; i++) {
        char usage[64];

        (void)snprintf(usage, sizeof(usage), "%s %s", commands[i]->name,
                       commands[i]->operands);
        (void)fprintf(out, "  %-24s %s\n", usage, commands[i]->help);
    }
}

void arguments_print_help(FILE *out, const struct command *c)
{
    if (c) {
        (void)fprintf(out, "Usage: transcodectl %s [OPTION]...%s%s\n%s.\n",
                      c->name, c->operands[0] ? " " : "", c->operands, c->help);
        if (c->flags)
            (void)fputs("\nOptions:\n", out);
        print_flags(out, c->flags);
        (void)fputs("\nOptions of every command:\n", out);
    } else {
        (void)fputs("Usage: transcodectl [OPTION]... COMMAND\n"
                    "Hand jobs to the transcoding service, and look after "
                    "them.\n\nCommands:\n",
                    out);
        print_commands(out);
        (void)fputs("\nOptions:\n", out);
    }
    print_flags(out, command_global_flags);
    if (!c)
        (void)fputs("\n'transcodectl COMMAND --help' tells the options of a "
                    "command. See transcodectl(1).\n",
                    out);
}
