/*
 * nvenc_caps: what an encoder of NVIDIA's says that it can. libav asks for the
 * same, but tells nobody. Reading it takes an encoder session, for a moment.
 */
#ifndef MEDIA_NVENC_CAPS_H
#define MEDIA_NVENC_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum nvenc_codec { NVENC_H264, NVENC_HEVC, NVENC_AV1, NVENC_CODEC_COUNT };

struct nvenc_caps {
    bool is_there; // the rest is known
    int32_t b_frames;
    int32_t b_frame_refs; // bits: 1 each, 2 the middle one
    int32_t level;        // at most, by NVENC's numbers
    int32_t least_width;  // pixels, as the next three
    int32_t least_height;
    int32_t width;
    int32_t height;
    int32_t ten_bit; // and these: 0 or 1
    int32_t temporal_aq;
    int32_t lookahead;
    int32_t dynamic_bitrate;
};

/* The newest API of the driver, "11.1", into @ret of @size bytes; "" where
 * there is no such library. */
void nvenc_caps_api(char *ret, size_t size);

/*
 * Opens a session on the present CUDA context, reads, closes. 0; -EBUSY when
 * none is to be had now, -ENOENT when the card has no encoder, -EIO else, with
 * words. A codec that the card does not know stays zero.
 */
int nvenc_caps_read(struct nvenc_caps ret[NVENC_CODEC_COUNT], void *context,
                    struct error *e);

#endif
