#include "media/size.h"

#include <stdbool.h>
#include <stdint.h>

#include "model/job.h"

/* The even number next to @side × @to / @from, at least 2. */
static int scale_even(int side, int64_t to, int64_t from)
{
    int64_t half = (2 * side * to + 2 * from) / (4 * from);

    return half < 1 ? 2 : (int)(2 * half);
}

static int floor_even(int64_t side)
{
    return side < 2 ? 2 : (int)(side & ~INT64_C(1));
}

static struct size asked_for(struct size s, const struct job_video *wanted)
{
    if (wanted->width > 0 && wanted->height > 0)
        return (struct size){scale_even((int)wanted->width, 1, 1),
                             scale_even((int)wanted->height, 1, 1)};
    if (wanted->width > 0)
        return (struct size){scale_even((int)wanted->width, 1, 1),
                             scale_even(s.height, wanted->width, s.width)};
    if (wanted->height > 0)
        return (struct size){scale_even(s.width, wanted->height, s.height),
                             scale_even((int)wanted->height, 1, 1)};
    return (struct size){scale_even(s.width, 1, 1), scale_even(s.height, 1, 1)};
}

static struct size fit_width(struct size s, int64_t most)
{
    int width = floor_even(most);

    return (struct size){width, scale_even(s.height, width, s.width)};
}

static struct size fit_height(struct size s, int64_t most)
{
    int height = floor_even(most);

    return (struct size){scale_even(s.width, height, s.height), height};
}

/* In one step, for each rounds. */
struct size size_fit(struct size source, const struct job_video *wanted)
{
    struct size s = asked_for(source, wanted);
    bool wide = wanted->max_width > 0 && s.width > wanted->max_width;
    bool tall = wanted->max_height > 0 && s.height > wanted->max_height;

    if (wide &&
        (!tall || wanted->max_width * s.height < wanted->max_height * s.width))
        s = fit_width(s, wanted->max_width);
    else if (tall)
        s = fit_height(s, wanted->max_height);
    if (wanted->max_width > 0 && s.width > wanted->max_width)
        s.width = floor_even(wanted->max_width);
    if (wanted->max_height > 0 && s.height > wanted->max_height)
        s.height = floor_even(wanted->max_height);
    return s;
}
