#include "media/hwdevice.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <libavcodec/avcodec.h>
#include <libavutil/buffer.h>
#include <libavutil/error.h>
#include <libavutil/hwcontext.h>

// what libav's header wants of cuda.h, which is not free to ship
#define CUDA_VERSION 0
typedef struct CUctx_st *CUcontext;
typedef struct CUstream_st *CUstream;
#include <libavutil/hwcontext_cuda.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/averror.h"
#include "media/backend.h"
#include "media/driver.h"
#include "media/library.h"

struct hwdevice {
    struct driver *driver; // owned; keeps the library loaded
    const struct backend *backend;
    AVBufferRef *context; // referenced
    char id[16];
    char uuid[64];
};

/* libav has one error for all that CUDA refuses, so CUDA is asked again. */
static int blame(const struct driver *d, int index, int averror, const char *id,
                 struct error *e)
{
    int r = driver_try_context(d, index, e);

    if (r == 0)
        return averror_set(e, averror, "no CUDA context on %s", id);
    error_wrap(e, "no CUDA context on %s", id);
    return r;
}

static int make_context(struct hwdevice *h, const char *id, struct error *e)
{
    char number[16];

    int index = driver_find(h->driver, h->uuid, e);
    if (index < 0)
        return index;
    (void)snprintf(number, sizeof(number), "%d", index);
    int r = av_hwdevice_ctx_create(&h->context, AV_HWDEVICE_TYPE_CUDA, number,
                                   NULL, 0);
    return r < 0 ? blame(h->driver, index, r, id, e) : 0;
}

int hwdevice_open(struct hwdevice **ret, const char *id, const char *uuid,
                  struct error *e)
{
    struct hwdevice *h = xcalloc(1, sizeof(*h));

    h->backend = &backend_cuda;
    (void)snprintf(h->id, sizeof(h->id), "%s", id);
    (void)snprintf(h->uuid, sizeof(h->uuid), "%s", uuid);
    int r = driver_open(&h->driver, e);
    if (r == 0)
        r = make_context(h, id, e);
    if (r < 0) {
        hwdevice_close(h);
        return r;
    }
    *ret = h;
    return 0;
}

void hwdevice_close(struct hwdevice *h)
{
    if (!h)
        return;
    av_buffer_unref(&h->context);
    driver_close(h->driver);
    free(h);
}

const char *hwdevice_id(const struct hwdevice *h)
{
    return h->id;
}

const struct backend *hwdevice_backend(const struct hwdevice *h)
{
    return h->backend;
}

const char *hwdevice_uuid(const struct hwdevice *h)
{
    return h->uuid;
}

struct AVBufferRef *hwdevice_ref(const struct hwdevice *h)
{
    return h->context;
}

int64_t hwdevice_free_memory(const struct hwdevice *h)
{
    return driver_free_memory(h->driver, hwdevice_context(h));
}

static bool works_on(const AVCodec *codec, enum AVHWDeviceType type)
{
    const AVCodecHWConfig *config;

    for (int i = 0; (config = avcodec_get_hw_config(codec, i)); i++) {
        if (config->device_type == type &&
            (config->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX))
            return true;
    }
    return false;
}

/* Those that parse by themselves: a "cuvid" decoder has no software side. */
const AVCodec *hwdevice_find_decoder(enum AVCodecID id,
                                     enum AVHWDeviceType type)
{
    void *state = NULL;
    const AVCodec *codec;

    while ((codec = av_codec_iterate(&state))) {
        if (codec->id == id && av_codec_is_decoder(codec) &&
            !(codec->capabilities & AV_CODEC_CAP_HARDWARE) &&
            works_on(codec, type))
            return codec;
    }
    return NULL;
}

void *hwdevice_context(const struct hwdevice *h)
{
    const AVHWDeviceContext *device =
        (const AVHWDeviceContext *)h->context->data;
    const AVCUDADeviceContext *cuda = device->hwctx;

    return cuda->cuda_ctx;
}

int hwdevice_enter(const struct hwdevice *h, struct error *e)
{
    return driver_enter(h->driver, hwdevice_context(h), e);
}

void hwdevice_leave(const struct hwdevice *h)
{
    driver_leave(h->driver);
}

void hwdevice_preload(void)
{
    static const char *const names[] = {"libcuda.so.1", "libnvcuvid.so.1",
                                        "libnvidia-encode.so.1"};

    // libav opens and closes them for each codec, and a driver that is loaded
    // anew starts anew; these stay from now on
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        library_close(dlopen(names[i], RTLD_NOW | RTLD_NODELETE));
}
