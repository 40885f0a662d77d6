#include "media/size.h"

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

struct size size_fit(struct size source, const struct job_video *wanted)
{
    struct size s = asked_for(source, wanted);

    if (wanted->max_width > 0 && s.width > wanted->max_width) {
        int width = floor_even(wanted->max_width);
        s.height = scale_even(s.height, width, s.width);
        s.width = width;
    }
    if (wanted->max_height > 0 && s.height > wanted->max_height) {
        int height = floor_even(wanted->max_height);
        s.width = scale_even(s.width, height, s.height);
        s.height = height;
    }
    return s;
}
