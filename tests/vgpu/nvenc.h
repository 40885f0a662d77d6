/*
 * nvenc: an encode session, as the files of libnvidia-encode's part share it.
 *
 *   nvenc.c          the table of functions, opening and closing sessions
 *   nvenc_caps.c     what the encoder can do: codecs, presets, capabilities
 *   nvenc_config.c   from a client's configuration to the inner encoder's
 *   nvenc_buffer.c   input and output buffers, registered resources
 *   nvenc_picture.c  encoding
 *   planar.c         input formats to planes
 *
 * A session may be used by two threads, one that encodes and one that locks
 * what came out, so each call holds its mutex.
 */
#ifndef VGPU_NVENC_H
#define VGPU_NVENC_H

#include <pthread.h>
#include <stdbool.h>

#include <ffnvcodec/dynlink_cuda.h>
#include <ffnvcodec/nvEncodeAPI.h>

#include "inner.h"
#include "machine.h"

#define SESSION_ERROR 256
#define SESSION_DELAY 256 // pictures that may be under way, a power of two

/* Where the pixels of a picture are: a registered device pointer, or an input
 * buffer of ours. */
struct input {
    struct input *next; // in the session's inputs
    bool registered;
    unsigned mapped; // how often, of registered ones
    bool locked;     // of buffers
    int width;       // as registered: the planes are that high
    int height;
    int pitch;
    NV_ENC_BUFFER_FORMAT format;
    CUdeviceptr address; // of registered ones
    uint8_t *buffer;     // owned, of buffers
    size_t size;
};

enum output_state {
    OUTPUT_IDLE,
    OUTPUT_QUEUED, // given to a picture
    OUTPUT_FULL,
    OUTPUT_LOCKED,
};

struct output {
    struct output *next;   // in the session's outputs
    struct output *behind; // in the queue
    enum output_state state;
    struct inner_packet packet;
    uint64_t time;
    uint64_t duration;
};

/* What is to be remembered of a picture until it comes out. */
struct pending {
    uint64_t time;
    uint64_t duration;
    bool headers; // go before it
};

struct session {
    struct session *next; // in living
    pthread_mutex_t mutex;
    struct machine_session *slot; // the machine's
    char error[SESSION_ERROR];    // for GetLastErrorString

    bool ready; // initialised
    enum machine_codec codec;
    const struct inner_encoder *encoder;
    struct inner *inner; // owned
    struct inner_config config;
    struct bytes headers; // parameter sets
    bool headers_repeat;
    bool headers_never;
    uint32_t gop;     // NVENC_INFINITE_GOPLENGTH for none
    uint32_t idr_gap; // the same
    uint32_t since_intra;
    uint32_t since_idr;
    bool force_idr; // the next one
    bool flushed;

    int64_t pictures; // taken
    struct pending pending[SESSION_DELAY];
    struct inner_packet packet; // scratch
    uint8_t *planes;            // scratch for one picture, owned
    struct input *inputs;       // owned
    struct output *outputs;     // owned
    struct output *queue_first; // outputs in the order of their pictures
    struct output *queue_last;
    int64_t vram;
};

/* Say why, and return @status. */
NVENCSTATUS nvenc_fail(struct session *s, NVENCSTATUS status,
                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The session @handle with its mutex held, or NULL. Every entry of the API
 * begins with one and ends with the other.
 */
struct session *nvenc_enter(void *handle);
NVENCSTATUS nvenc_leave(struct session *s, NVENCSTATUS status);

/* Whether @guid is a codec's that this card encodes. */
bool nvenc_codec(const GUID *guid, enum machine_codec *ret);
bool nvenc_same(const GUID *a, const GUID *b);
int nvenc_capability(enum machine_codec codec, NV_ENC_CAPS which);

/* Fill the session's configuration from the client's. */
NVENCSTATUS nvenc_configure(struct session *s,
                            const NV_ENC_INITIALIZE_PARAMS *p);

/* The session's input or output with this handle, NULL when it is none. */
struct input *nvenc_input(struct session *s, const void *handle);
struct output *nvenc_output(struct session *s, const void *handle);

/* Free the buffers of a session that ends. */
void nvenc_free_buffers(struct session *s);

/* Bytes of a row and rows of a picture with all planes; 0 for formats that
 * are not there. */
size_t planar_size(NV_ENC_BUFFER_FORMAT format, size_t pitch, size_t height);
int planar_bytes(NV_ENC_BUFFER_FORMAT format); // of a sample
int planar_depth(NV_ENC_BUFFER_FORMAT format);
bool planar_full_chroma(NV_ENC_BUFFER_FORMAT format);

/*
 * Split @from, of @format with planes @height rows high, into three planes of
 * the picture @p, whose size is @c's. @room holds them.
 */
void planar_split(struct inner_picture *p, uint8_t *room,
                  const struct inner_config *c, const uint8_t *from,
                  size_t pitch, size_t height, NV_ENC_BUFFER_FORMAT format);

#endif
