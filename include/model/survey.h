/*
 * survey: what the GPUs of this machine, their driver and this build of libav
 * can do together, as it was tried (`transcoded-worker --survey`), never as it
 * was promised.
 *
 * One JSON document. The daemon keeps it, shows it in `Devices` and sends the
 * devices that a job may use with its `job` order; planning reads it.
 */
#ifndef MODEL_SURVEY_H
#define MODEL_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct json_t;
struct record;

#define SURVEY_DEVICES_MOST 16
#define SURVEY_CODECS_MOST  64 // decoders or encoders of one device

/* NVDEC takes this codec at this depth, and libav's decoder yields it there. */
struct survey_decoder {
    char codec[16];       // libav's name: "h264", "hevc", "mpeg2video"
    int32_t depth;        // bits a sample
    int32_t chroma;       // 420, 422, 444
    int32_t least_width;  // pixels, coded
    int32_t least_height; // likewise
    int32_t width;        // at most
    int32_t height;
};

/* libav opened this encoder on the device. */
struct survey_encoder {
    char codec[16]; // ours: "h264", "hevc", "av1"
    char name[24];  // libav's: "h264_nvenc"
    int32_t depth;  // bits a sample at most: 8 or 10
    int32_t least_width;
    int32_t least_height;
    int32_t width; // at most
    int32_t height;
    int32_t level;        // 10 × its greatest, "5.1" is 51; 0: not known
    int32_t b_frames;     // at most, in a row
    bool b_frame_refs;    // the middle one of a run may be referenced
    bool temporal_aq;     // as the chip has it
    bool lookahead;       // likewise
    bool dynamic_bitrate; // takes another bitrate while it runs
};

/* What the same driver and libav will find again: this may be remembered. */
enum survey_sure {
    SURVEY_SURE_NOTHING,
    SURVEY_SURE_ENCODERS, // and of them nothing is wrong
    SURVEY_SURE_ALL,      // problems, too
    SURVEY_SURE_COUNT
};

struct survey_device {
    char id[16];        // "cuda:0"
    char uuid[64];      // "GPU-…", by which NVML and CUDA mean the same card
    char name[64];      // "Quadro P1000"
    char driver[32];    // "470.256.02"
    char nvenc_api[16]; // of the driver: "11.1"; "" when it has no encoder
    int32_t compute;    // capability, 10 × major + minor: 61
    int64_t vram;       // bytes in all
    struct survey_decoder *decoders; // owned
    size_t decoder_count;
    struct survey_encoder *encoders; // owned
    size_t encoder_count;
    char **filters; // owned; of libav's, those that ran: "scale_cuda"
    size_t filter_count;
    char **problems; // owned; words: what is missing, why, and what to do
    size_t problem_count;
    bool is_partial; // others held what it takes to try the rest: ask later
    enum survey_sure sure;
};

struct survey {
    char libav[64];         // libavcodec's version and build, for the cache
    char nvenc_headers[16]; // API that libav was built for: "12.0"; "" unknown
    struct survey_device *devices; // owned
    size_t device_count;
    char **problems; // owned; why there are no devices, or fewer
    size_t problem_count;
};

extern const struct record survey_device_record; // for order, and tests

int survey_from_json(struct survey *ret, const struct json_t *json,
                     struct error *e);
struct json_t *survey_to_json(const struct survey *s); // a new reference
void survey_fini(struct survey *s);

struct json_t *survey_device_to_json(const struct survey_device *d);

/* By codec, depth and chroma, or by our codec's name; NULL: it cannot. */
const struct survey_decoder *survey_find_decoder(const struct survey_device *d,
                                                 const char *codec,
                                                 int32_t depth, int32_t chroma);
const struct survey_encoder *survey_find_encoder(const struct survey_device *d,
                                                 const char *codec);
bool survey_has_filter(const struct survey_device *d, const char *name);

/* A deep copy. */
void survey_device_copy(struct survey_device *ret,
                        const struct survey_device *d);
void survey_device_fini(struct survey_device *d);

#endif
