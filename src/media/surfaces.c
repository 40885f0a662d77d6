#include "media/surfaces.h"

#include "media/plan.h"

/* Pictures that libav's fps filter keeps, to choose between them. */
#define RATE_KEEPS 2

/* All renditions of a stream are filtered side by side, of the same pictures. */
int surfaces_kept(const struct plan *plan, size_t stream)
{
    for (size_t o = 0; o < plan->output_count; o++) {
        for (size_t t = 0; t < plan->outputs[o].track_count; t++) {
            const struct plan_track *track = &plan->outputs[o].tracks[t];
            bool decoded = track->kind == MEDIA_VIDEO && !track->copied;
            if (decoded && track->stream == stream &&
                track->video.fixed_rate.num)
                return RATE_KEEPS;
        }
    }
    return 0;
}

// clang-format off
/* What streams of a codec usually refer to and put in order. */
static const struct {
    enum AVCodecID codec;
    int pictures;
} usual[] = {
    {AV_CODEC_ID_H264, 5},
    {AV_CODEC_ID_HEVC, 5},
    {AV_CODEC_ID_VP9, 8},
    {AV_CODEC_ID_AV1, 9},
};
// clang-format on

int surfaces_expected(enum AVCodecID codec, int kept)
{
    int pictures = 2;

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        if (usual[i].codec == codec)
            pictures = usual[i].pictures;
    }
    return pictures + 1 + kept; // and the one that is being decoded
}
