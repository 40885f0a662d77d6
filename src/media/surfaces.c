#include "media/surfaces.h"

#include "media/plan.h"

/* Pictures that libav's fps filter keeps, to choose between them. */
#define RATE_KEEPS 2

/* What a filter holds of the pictures as they were decoded; what is behind a
 * filter that copies does not count. */
static int filter_holds(const struct plan_track *track)
{
    return track->video.fixed_rate.num ? 1 + RATE_KEEPS : 1;
}

int surfaces_held(const struct plan *plan, size_t stream)
{
    int slowest = 0;

    for (size_t o = 0; o < plan->output_count; o++) {
        for (size_t t = 0; t < plan->outputs[o].track_count; t++) {
            const struct plan_track *track = &plan->outputs[o].tracks[t];
            if (track->kind != MEDIA_VIDEO || track->copied ||
                track->stream != stream)
                continue;
            int holds = filter_holds(track);
            slowest = holds > slowest ? holds : slowest;
        }
    }
    return 1 + PLAN_QUEUED_FRAMES + slowest;
}

// clang-format off
/* What streams of a codec usually refer to and put in order. */
static const struct {
    enum AVCodecID codec;
    int pictures;
} usual[] = {
    {AV_CODEC_ID_H264, 6},
    {AV_CODEC_ID_HEVC, 6},
    {AV_CODEC_ID_VP9, 8},
    {AV_CODEC_ID_AV1, 9},
};
// clang-format on

int surfaces_expected(enum AVCodecID codec, int held)
{
    int pictures = 2;

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        if (usual[i].codec == codec)
            pictures = usual[i].pictures;
    }
    return pictures + 1 + held; // and the one that is being decoded
}
