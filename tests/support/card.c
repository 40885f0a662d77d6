#include "support/card.h"

#include "model/survey.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

// clang-format off
static struct survey_decoder decoders[] = {
    {"h264",        8, 420, 48, 16, 4096, 4096},
    {"hevc",        8, 420, 144, 144, 8192, 8192},
    {"hevc",       10, 420, 144, 144, 8192, 8192},
    {"hevc",       12, 420, 144, 144, 8192, 8192},
    {"vp9",         8, 420, 128, 128, 8192, 8192},
    {"mpeg2video",  8, 420, 48, 16, 4080, 4080},
};

static struct survey_encoder encoders[] = {
    {.codec = "h264", .name = "h264_nvenc", .depth = 8,
     .least_width = 33, .least_height = 17, .width = 4096, .height = 4096,
     .level = 51, .b_frames = 4, .lookahead = true, .temporal_aq = true},
    {.codec = "hevc", .name = "hevc_nvenc", .depth = 10,
     .least_width = 65, .least_height = 33, .width = 8192, .height = 8192,
     .level = 62, .b_frames = 0, .lookahead = true},
};

static char *filters[] = {(char *)"scale_cuda", (char *)"yadif_cuda"};

static const struct survey_device p1000 = {
    .id = "cuda:0",
    .uuid = "GPU-1",
    .name = "Quadro P1000",
    .driver = "470.256.02",
    .nvenc_api = "11.1",
    .compute = 61,
    .vram = INT64_C(4096) << 20,
    .decoders = decoders,
    .decoder_count = COUNT(decoders),
    .encoders = encoders,
    .encoder_count = COUNT(encoders),
    .filters = filters,
    .filter_count = COUNT(filters),
};
// clang-format on

const struct survey_device *card_p1000(void)
{
    return &p1000;
}
