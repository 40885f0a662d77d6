#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <jansson.h>

#include "base/memory.h"
#include "base/text.h"

#define WIDTH_UNKNOWN 80

void terminal_init(struct terminal *t, FILE *out)
{
    const char *term = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");

    t->out = out;
    t->live = fileno(out) >= 0 && isatty(fileno(out)) && term &&
              strcmp(term, "dumb") != 0;
    t->colour = t->live && !(no_colour && no_colour[0]);
    terminal_resize(t);
}

void terminal_resize(struct terminal *t)
{
    struct winsize size = {0};

    t->width = WIDTH_UNKNOWN;
    if (t->live && ioctl(fileno(t->out), TIOCGWINSZ, &size) == 0 && size.ws_col)
        t->width = size.ws_col;
}

const char *terminal_paint(const struct terminal *t, enum terminal_colour c)
{
    static const char *const codes[] = {
        [TERMINAL_PLAIN] = "",
        [TERMINAL_GREEN] = "\033[32m",
        [TERMINAL_YELLOW] = "\033[33m",
        [TERMINAL_RED] = "\033[31m",
    };

    return t->colour ? codes[c] : "";
}

const char *terminal_unpaint(const struct terminal *t, enum terminal_colour c)
{
    return t->colour && c != TERMINAL_PLAIN ? "\033[m" : "";
}

char *terminal_escape(const char *s)
{
    size_t room = 4 * strlen(s) + 1; // \xNN for each byte at worst
    char *safe = xcalloc(1, room);

    text_escape(s, safe, room);
    return safe;
}

void terminal_print_json(FILE *out, const json_t *json, size_t flags)
{
    bool seen = fileno(out) >= 0 && isatty(fileno(out));

    (void)json_dumpf(json, out, flags | (seen ? JSON_ENSURE_ASCII : 0));
    (void)fputc('\n', out);
}

size_t terminal_width_of(const char *s)
{
    mbstate_t state = {0};
    size_t left = strlen(s);
    size_t width = 0;

    while (left) {
        wchar_t c;
        size_t n = mbrtowc(&c, s, left, &state);
        if (n == 0 || n > left) { // no character of this locale
            memset(&state, 0, sizeof(state));
            n = 1;
            width++;
        } else {
            int columns = wcwidth(c);
            width += columns > 0 ? (size_t)columns : 0;
        }
        s += n;
        left -= n;
    }
    return width;
}
