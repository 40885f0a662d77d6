#include "media/ear.h"

#include <stdio.h>
#include <string.h>

#include "media/avlog.h"

static char heard[1024];

static void on_line(void *opaque, enum log_level level, const char *line)
{
    size_t used = strlen(heard);

    (void)opaque;
    if (level <= LOG_LEVEL_ERROR)
        (void)snprintf(heard + used, sizeof(heard) - used, "%s%s",
                       used ? "; " : "", line);
}

void ear_open(void)
{
    ear_clear();
}

/* Begins anew, so that the same is heard again. */
void ear_clear(void)
{
    heard[0] = '\0';
    avlog_start(on_line, NULL);
}

const char *ear_heard(void)
{
    return heard;
}
