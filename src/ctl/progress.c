#include "progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "model/event.h"
#include "terminal.h"

#define BAR_LEAST 10
#define BAR_MOST  40

#define GAP       2 // columns between two parts

/* The parts of a line, in the order in which they are shown. */
enum part {
    PART_POSITION,
    PART_BAR,
    PART_ETA,
    PART_SPEED,
    PART_RATE,
    PART_PLAN,
    PART_COUNT
};

struct line {
    char text[PART_COUNT][256]; // "" of those that are left out
    size_t room;                // columns that are left
    bool full;                  // a part had to be left out, so do lesser ones
};

static void format_clock(double seconds, char *ret, size_t size)
{
    long s = (long)seconds;

    if (s >= 3600)
        (void)snprintf(ret, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60,
                       s % 60);
    else
        (void)snprintf(ret, size, "%ld:%02ld", s / 60, s % 60);
}

/* The share that is done, or where it is in the media if that is unknown. */
static void format_position(const struct event_progress *p, char *ret,
                            size_t size)
{
    char at[32];

    format_clock(p->out_time, at, sizeof(at));
    if (p->percent >= 0)
        (void)snprintf(ret, size, "%5.1f%%", p->percent);
    else
        (void)snprintf(ret, size, "at %s", at);
}

static void format_eta(const struct event_progress *p, char *ret, size_t size)
{
    char left[32];

    format_clock(p->eta, left, sizeof(left));
    (void)snprintf(ret, size, "ETA %s", left);
}

/* Takes the room for @part, or leaves it out. */
static void claim(struct line *l, enum part part)
{
    size_t width = terminal_width_of(l->text[part]);

    if (width == 0)
        return;
    l->full = l->full || width + GAP > l->room;
    if (l->full)
        l->text[part][0] = '\0';
    else
        l->room -= width + GAP;
}

static void draw_bar(char *ret, size_t width, double percent)
{
    size_t inner = width - 2;
    size_t done = (size_t)((double)inner * percent / 100.0);

    if (done > inner)
        done = inner;
    ret[0] = '[';
    memset(ret + 1, '#', done);
    memset(ret + 1 + done, '-', inner - done);
    ret[width - 1] = ']';
    ret[width] = '\0';
}

void progress_format_bar(const struct event_progress *p, const char *plan,
                         size_t width, char *ret, size_t size)
{
    // the last column stays free, for some terminals wrap when it is filled
    struct line l = {.room = width ? width - 1 + GAP : 0};

    format_position(p, l.text[PART_POSITION], sizeof(l.text[0]));
    if (p->eta >= 0)
        format_eta(p, l.text[PART_ETA], sizeof(l.text[0]));
    (void)snprintf(l.text[PART_SPEED], sizeof(l.text[0]), "%.2fx", p->speed);
    if (p->fps > 0)
        (void)snprintf(l.text[PART_RATE], sizeof(l.text[0]), "%.0f fps",
                       p->fps);
    (void)snprintf(l.text[PART_PLAN], sizeof(l.text[0]), "%s", plan);

    claim(&l, PART_POSITION);
    claim(&l, PART_ETA);
    claim(&l, PART_SPEED);
    bool has_bar = p->percent >= 0 && !l.full && l.room >= BAR_LEAST + GAP;
    if (has_bar)
        l.room -= BAR_LEAST + GAP;
    claim(&l, PART_RATE);
    claim(&l, PART_PLAN);
    if (has_bar) {
        size_t bar = BAR_LEAST + l.room;
        draw_bar(l.text[PART_BAR], bar > BAR_MOST ? BAR_MOST : bar, p->percent);
    }

    size_t used = 0;
    ret[0] = '\0';
    for (int i = 0; i < PART_COUNT; i++) {
        if (l.text[i][0] && used < size)
            used += (size_t)snprintf(ret + used, size - used, "%*s%s",
                                     used ? GAP : 0, "", l.text[i]);
    }
}

void progress_format_line(const struct event_progress *p, char *ret,
                          size_t size)
{
    char position[64];
    char eta[64] = "";
    char rate[64] = "";

    format_position(p, position, sizeof(position));
    if (p->eta >= 0)
        format_eta(p, eta, sizeof(eta));
    if (p->fps > 0)
        (void)snprintf(rate, sizeof(rate), ", %.0f fps", p->fps);
    (void)snprintf(ret, size, "%s%s, %.2fx%s%s",
                   position + strspn(position, " "), rate, p->speed,
                   eta[0] ? ", " : "", eta);
}
