#include "media/level.h"

#include <stddef.h>
#include <string.h>

// clang-format off
/* H.264, table A-1; bit rates of the High profile. */
static const struct level h264[] = {
    {"1",   10,     99,     1485,     80000},
    {"1b",  10,     99,     1485,    160000},
    {"1.1", 11,    396,     3000,    240000},
    {"1.2", 12,    396,     6000,    480000},
    {"1.3", 13,    396,    11880,    960000},
    {"2",   20,    396,    11880,   2500000},
    {"2.1", 21,    792,    19800,   5000000},
    {"2.2", 22,   1620,    20250,   5000000},
    {"3",   30,   1620,    40500,  12500000},
    {"3.1", 31,   3600,   108000,  17500000},
    {"3.2", 32,   5120,   216000,  25000000},
    {"4",   40,   8192,   245760,  25000000},
    {"4.1", 41,   8192,   245760,  62500000},
    {"4.2", 42,   8704,   522240,  62500000},
    {"5",   50,  22080,   589824, 168750000},
    {"5.1", 51,  36864,   983040, 300000000},
    {"5.2", 52,  36864,  2073600, 300000000},
    {"6",   60, 139264,  4177920, 300000000},
    {"6.1", 61, 139264,  8355840, 600000000},
    {"6.2", 62, 139264, 16711680, 1000000000},
    {.name = NULL},
};

/* HEVC, table A.8 and A.9; bit rates of the main tier. */
static const struct level hevc[] = {
    {"1",   10,    36864,     552960,    128000},
    {"2",   20,   122880,    3686400,   1500000},
    {"2.1", 21,   245760,    7372800,   3000000},
    {"3",   30,   552960,   16588800,   6000000},
    {"3.1", 31,   983040,   33177600,  10000000},
    {"4",   40,  2228224,   66846720,  12000000},
    {"4.1", 41,  2228224,  133693440,  20000000},
    {"5",   50,  8912896,  267386880,  25000000},
    {"5.1", 51,  8912896,  534773760,  40000000},
    {"5.2", 52,  8912896, 1069547520,  60000000},
    {"6",   60, 35651584, 1069547520,  60000000},
    {"6.1", 61, 35651584, 2139095040, 120000000},
    {"6.2", 62, 35651584, 4278190080, 240000000},
    {.name = NULL},
};

static const struct {
    enum AVCodecID codec;
    int block; // side of what is counted
    const struct level *levels;
} codecs[] = {
    {AV_CODEC_ID_H264, 16, h264},
    {AV_CODEC_ID_HEVC, 1,  hevc},
};
// clang-format on

#define CODECS (sizeof(codecs) / sizeof(codecs[0]))

static const struct level *levels_of(enum AVCodecID codec, int *ret_block)
{
    for (size_t i = 0; i < CODECS; i++) {
        if (codecs[i].codec == codec) {
            *ret_block = codecs[i].block;
            return codecs[i].levels;
        }
    }
    return NULL;
}

static int same_name(const char *a, const char *b)
{
    size_t length = strlen(a);

    return strncmp(a, b, length) == 0 &&
           (!b[length] || strcmp(b + length, ".0") == 0);
}

const struct level *level_find(enum AVCodecID codec, const char *name)
{
    int block;
    const struct level *l = levels_of(codec, &block);

    while (l && l->name && !same_name(l->name, name))
        l++;
    return l && l->name ? l : NULL;
}

const struct level *level_least(enum AVCodecID codec, int width, int height,
                                AVRational frame_rate)
{
    int block;
    const struct level *l = levels_of(codec, &block);

    if (!l)
        return NULL;
    int64_t picture =
        (int64_t)((width + block - 1) / block) * ((height + block - 1) / block);
    double rate = frame_rate.num ? (double)picture * av_q2d(frame_rate) : 0;
    while (l[1].name && (l->picture < picture || (double)l->rate < rate))
        l++;
    return l;
}

const struct level *level_highest(enum AVCodecID codec, int number)
{
    int block;
    const struct level *l = levels_of(codec, &block);

    while (l && l[1].name && (!number || l[1].number <= number))
        l++;
    return l;
}
