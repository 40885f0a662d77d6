#include "media/info.h"

#include <stdlib.h>

void media_info_fini(struct media_info *info)
{
    free(info->streams);
    info->streams = NULL;
    info->stream_count = 0;
}

const char *media_kind_name(enum media_kind kind)
{
    static const char *const names[MEDIA_KIND_COUNT] = {
        [MEDIA_OTHER] = "data",
        [MEDIA_VIDEO] = "video",
        [MEDIA_AUDIO] = "audio",
        [MEDIA_SUBTITLE] = "subtitle",
    };

    return names[kind];
}

bool media_turn_swaps(enum media_turn turn)
{
    switch (turn) {
    case MEDIA_CLOCK:
    case MEDIA_CLOCK_FLIP:
    case MEDIA_COUNTER:
    case MEDIA_COUNTER_FLIP:
        return true;
    case MEDIA_UPRIGHT:
    case MEDIA_HALF:
    case MEDIA_HFLIP:
    case MEDIA_VFLIP:
    case MEDIA_TURN_COUNT:
        break;
    }
    return false;
}
