/*
 * transcodectl: hands jobs to the transcoding service and looks after them.
 */
#include <locale.h>
#include <stdio.h>

#include "arguments.h"
#include "base/error.h"

static enum status dispatch(const struct invocation *v)
{
    if (v->settings.help) {
        arguments_print_help(stdout, v->command);
        return STATUS_GOOD;
    }
    if (v->settings.version) {
        (void)printf("transcodectl %s\n", TRANSCODED_VERSION);
        return STATUS_GOOD;
    }
    return v->command->run(v);
}

int main(int argc, char **argv)
{
    struct invocation v;
    struct error e = {0};

    (void)setlocale(LC_CTYPE, ""); // how wide a terminal draws a character
    if (arguments_parse(&v, argc - 1, argv + 1, &e) < 0)
        return (int)status_fail(STATUS_REFUSED, "%s", e.text);

    enum status s = dispatch(&v);
    arguments_fini(&v);
    if (s == STATUS_GOOD && (fflush(stdout) == EOF || ferror(stdout))) {
        s = status_cannot_print(&e);
        status_complain(&e);
    }
    return (int)s;
}
