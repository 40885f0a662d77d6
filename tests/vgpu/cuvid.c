/*
 * libnvcuvid: the decoder API. A picture is decoded when cuvidDecodePicture
 * returns; mapping it copies it into device memory as NV12 or P016.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/pixdesc.h>

#include "context.h"
#include "cuda_error.h"
#include "cuvid_caps.h"
#include "fault.h"
#include "machine.h"
#include "memory.h"
#include "rebuild.h"
#include "settings.h"
#include "software.h"

#define PITCH_ALIGNMENT 512
#define SURFACES_MAX    1024
#define GREY            0x80

struct output {
    CUdeviceptr address;
    bool mapped;
};

struct decoder {
    struct decoder *next; // in living
    pthread_mutex_t mutex;
    const struct rebuilder *rebuilder;
    struct rebuild *rebuild;   // owned
    struct software *software; // owned
    struct bytes packet;
    AVFrame **pictures; // owned, by picture index; empty until decoded
    unsigned picture_count;
    struct output *outputs; // owned
    unsigned output_count;
    unsigned width; // as mapped
    unsigned height;
    unsigned bytes; // of a sample, 1 or 2
    size_t pitch;
    int card;
    int64_t surface_bytes; // accounted for the pictures
};

static pthread_mutex_t living_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct decoder *living; // linked by next

__attribute__((destructor)) static void count_leaks(void)
{
    int64_t n = 0;

    for (const struct decoder *d = living; d; d = d->next)
        n++;
    if (n)
        machine_count(COUNTER_LEAKED_DECODERS, n);
}

static struct decoder *find(CUvideodecoder handle)
{
    pthread_mutex_lock(&living_mutex);
    struct decoder *d = living;
    while (d && (void *)d != handle)
        d = d->next;
    pthread_mutex_unlock(&living_mutex);
    return d;
}

static void link_decoder(struct decoder *d)
{
    pthread_mutex_lock(&living_mutex);
    d->next = living;
    living = d;
    pthread_mutex_unlock(&living_mutex);
}

static bool unlink_decoder(CUvideodecoder handle)
{
    pthread_mutex_lock(&living_mutex);
    struct decoder **link = &living;
    while (*link && (void *)*link != handle)
        link = &(*link)->next;
    bool found = *link != NULL;
    if (found)
        *link = (*link)->next;
    pthread_mutex_unlock(&living_mutex);
    return found;
}

static void destroy(struct decoder *d)
{
    for (unsigned i = 0; i < d->output_count; i++) {
        if (d->outputs[i].mapped && !machine_lost()) // nothing unmaps it then
            fault_misuse("a decoder is destroyed with a frame still mapped");
        if (d->outputs[i].address)
            memory_free(d->outputs[i].address);
    }
    for (unsigned i = 0; d->pictures && i < d->picture_count; i++)
        av_frame_free(&d->pictures[i]);
    if (d->rebuilder->destroy)
        d->rebuilder->destroy(d->rebuild);
    software_destroy(d->software);
    bytes_free(&d->packet);
    machine_vram_give(d->card, d->surface_bytes);
    pthread_mutex_destroy(&d->mutex);
    free(d->pictures);
    free(d->outputs);
    free(d);
}

/* What a driver would refuse, before anything is made. */
static CUresult check(const CUVIDDECODECREATEINFO *info)
{
    int64_t limit = settings()->surface_limit;
    CUVIDDECODECAPS caps = {
        .eCodecType = info->CodecType,
        .eChromaFormat = info->ChromaFormat,
        .nBitDepthMinus8 = (unsigned)info->bitDepthMinus8,
    };

    cuvid_caps(&caps);
    if (!caps.bIsSupported || info->ulWidth > caps.nMaxWidth ||
        info->ulHeight > caps.nMaxHeight || info->ulWidth < caps.nMinWidth ||
        info->ulHeight < caps.nMinHeight)
        return (CUresult)CUDA_NOT_SUPPORTED;
    if (!info->ulNumDecodeSurfaces || !info->ulNumOutputSurfaces ||
        info->ulNumDecodeSurfaces > SURFACES_MAX ||
        info->ulNumOutputSurfaces > SURFACES_MAX ||
        (limit && (int64_t)info->ulNumDecodeSurfaces > limit) ||
        info->ulTargetWidth % 2 || info->ulTargetHeight % 2 ||
        info->OutputFormat > cudaVideoSurfaceFormat_P016)
        return (CUresult)CUDA_INVALID_VALUE;
    if (info->ulTargetWidth != info->ulWidth ||
        info->ulTargetHeight != info->ulHeight) {
        fault_misuse("decoding to another size is not there");
        return (CUresult)CUDA_NOT_SUPPORTED;
    }
    return CUDA_SUCCESS;
}

static CUresult make_outputs(struct decoder *d, unsigned count)
{
    size_t size = d->pitch * d->height * 3 / 2;

    d->outputs = calloc(count, sizeof(d->outputs[0]));
    if (!d->outputs)
        abort();
    d->output_count = count;
    for (unsigned i = 0; i < count; i++) {
        CUresult r =
            memory_allocate(context_current(), size, &d->outputs[i].address);
        if (r != CUDA_SUCCESS)
            return r;
    }
    return CUDA_SUCCESS;
}

static CUresult make_pictures(struct decoder *d, unsigned count)
{
    int64_t bytes = (int64_t)(d->pitch * d->height * 3 / 2) * count;

    d->card = context_card(context_current());
    if (!machine_vram_take(d->card, bytes))
        return (CUresult)CUDA_OUT_OF_MEMORY;
    d->surface_bytes = bytes;
    d->pictures = calloc(count, sizeof(d->pictures[0]));
    if (!d->pictures)
        abort();
    d->picture_count = count;
    for (unsigned i = 0; i < count; i++) {
        d->pictures[i] = av_frame_alloc();
        if (!d->pictures[i])
            abort();
    }
    return CUDA_SUCCESS;
}

static CUresult open_software(struct decoder *d)
{
    if (d->rebuilder->create)
        d->rebuild = d->rebuilder->create();
    d->software = software_create(d->rebuilder->decoder, d->rebuilder->pick);
    return d->software ? CUDA_SUCCESS : (CUresult)CUDA_NOT_SUPPORTED;
}

EXPORT tcuvidCreateDecoder cuvidCreateDecoder;
CUresult cuvidCreateDecoder(CUvideodecoder *ret, CUVIDDECODECREATEINFO *info)
{
    CUresult r = context_enter(NEED_CONTEXT);

    if (r == CUDA_SUCCESS)
        r = check(info);
    if (r == CUDA_SUCCESS && fault_fires(FAULT_CREATE))
        r = (CUresult)CUDA_UNKNOWN_ERROR;
    if (r != CUDA_SUCCESS)
        return r;

    struct decoder *d = calloc(1, sizeof(*d));
    if (!d)
        abort();
    pthread_mutex_init(&d->mutex, NULL);
    d->rebuilder = cuvid_find(info->CodecType);
    d->width = (unsigned)info->ulTargetWidth;
    d->height = (unsigned)info->ulTargetHeight;
    d->bytes = info->OutputFormat == cudaVideoSurfaceFormat_P016 ? 2 : 1;
    d->pitch = (size_t)d->width * d->bytes + PITCH_ALIGNMENT - 1;
    d->pitch -= d->pitch % PITCH_ALIGNMENT;
    r = open_software(d);
    if (r == CUDA_SUCCESS)
        r = make_pictures(d, (unsigned)info->ulNumDecodeSurfaces);
    if (r == CUDA_SUCCESS)
        r = make_outputs(d, (unsigned)info->ulNumOutputSurfaces);
    if (r != CUDA_SUCCESS) {
        destroy(d);
        return r;
    }
    link_decoder(d);
    machine_count(COUNTER_DECODERS, 1);
    machine_peak(COUNTER_SURFACES_PEAK, (int64_t)info->ulNumDecodeSurfaces);
    *ret = d;
    return CUDA_SUCCESS;
}

EXPORT tcuvidDestroyDecoder cuvidDestroyDecoder;
CUresult cuvidDestroyDecoder(CUvideodecoder handle)
{
    if (!unlink_decoder(handle))
        return (CUresult)CUDA_INVALID_HANDLE;
    destroy(handle);
    return CUDA_SUCCESS;
}

static CUresult decode(struct decoder *d, const CUVIDPICPARAMS *p)
{
    if (p->CurrPicIdx < 0 || (unsigned)p->CurrPicIdx >= d->picture_count ||
        !p->pBitstreamData || !p->nBitstreamDataLen)
        return (CUresult)CUDA_INVALID_VALUE;

    bytes_clear(&d->packet);
    if (d->rebuilder->picture(d->rebuild, p, &d->packet) < 0) {
        fault_misuse("a picture whose parameters or slices make no sense");
        return (CUresult)CUDA_INVALID_VALUE;
    }
    // Broken bitstreams are no error of this call: hardware conceals.
    (void)software_decode(d->software, &d->packet, d->pictures[p->CurrPicIdx]);
    machine_count(COUNTER_DECODED, 1);
    return CUDA_SUCCESS;
}

EXPORT tcuvidDecodePicture cuvidDecodePicture;
CUresult cuvidDecodePicture(CUvideodecoder handle, CUVIDPICPARAMS *p)
{
    CUresult r = context_enter(NEED_CONTEXT);
    struct decoder *d = find(handle);

    if (r != CUDA_SUCCESS)
        return r;
    if (!d)
        return (CUresult)CUDA_INVALID_HANDLE;
    if (fault_fires(FAULT_DECODE))
        return (CUresult)CUDA_UNKNOWN_ERROR;

    int64_t begin = machine_now();
    pthread_mutex_lock(&d->mutex);
    r = decode(d, p);
    pthread_mutex_unlock(&d->mutex);
    machine_self()->busy_decoding += machine_now() - begin;
    return r;
}

EXPORT tcuvidGetDecodeStatus cuvidGetDecodeStatus;
CUresult cuvidGetDecodeStatus(CUvideodecoder handle, int index,
                              CUVIDGETDECODESTATUS *ret)
{
    const struct decoder *d = find(handle);

    if (!d || index < 0 || (unsigned)index >= d->picture_count)
        return (CUresult)CUDA_INVALID_VALUE;
    ret->decodeStatus = d->pictures[index]->buf[0] ? cuvidDecodeStatus_Success
                                                   : cuvidDecodeStatus_Error;
    return CUDA_SUCCESS;
}

EXPORT tcuvidReconfigureDecoder cuvidReconfigureDecoder;
CUresult cuvidReconfigureDecoder(CUvideodecoder handle,
                                 CUVIDRECONFIGUREDECODERINFO *info)
{
    (void)handle;
    (void)info;
    fault_misuse("reconfiguring a decoder is not there");
    return (CUresult)CUDA_NOT_SUPPORTED;
}

/* Samples of one row, moved to the upper bits and @step apart. */
static void copy_row(const struct decoder *d, uint8_t *to, const uint8_t *from,
                     unsigned width, unsigned step, unsigned shift)
{
    if (d->bytes == 1 && step == 1) {
        memcpy(to, from, width);
        return;
    }
    for (unsigned x = 0; x < width && d->bytes == 1; x++)
        to[x * step] = from[x];
    for (unsigned x = 0; x < width && d->bytes == 2; x++)
        ((uint16_t *)(void *)to)[x * step] =
            (uint16_t)(shift == 8 ? from[x] << 8
                                  : ((const uint16_t *)(const void *)from)[x]
                                        << shift);
}

static unsigned least(unsigned a, int b)
{
    return b < 0 ? 0 : a < (unsigned)b ? a : (unsigned)b;
}

static void copy_plane(const struct decoder *d, uint8_t *to,
                       const AVFrame *from, int plane, unsigned shift)
{
    unsigned part = plane ? 2 : 1;
    unsigned width = least(d->width, from->width) / part;
    unsigned height = least(d->height, from->height) / part;
    uint8_t *first =
        to + (plane ? d->pitch * d->height : 0) + (plane == 2 ? d->bytes : 0);

    for (unsigned y = 0; y < height; y++)
        copy_row(d, first + y * d->pitch,
                 from->data[plane] + (ptrdiff_t)y * from->linesize[plane],
                 width, part, shift);
}

static CUresult copy_picture(const struct decoder *d, const AVFrame *from,
                             CUdeviceptr address)
{
    size_t size = d->pitch * d->height * 3 / 2;
    uint8_t *to = memory_at(address, size);
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(from->format);

    if (!from->buf[0]) {
        // Never decoded; hardware shows what was there before.
        memset(to, GREY, size);
        return CUDA_SUCCESS;
    }
    if (!format || format->nb_components != 3 || format->log2_chroma_w != 1 ||
        format->log2_chroma_h != 1 ||
        (format->comp[0].depth > 8) != (d->bytes == 2))
        return (CUresult)CUDA_NOT_SUPPORTED;
    for (int plane = 0; plane < 3; plane++)
        copy_plane(d, to, from, plane, 16 - (unsigned)format->comp[0].depth);
    return CUDA_SUCCESS;
}

static CUresult map(struct decoder *d, int index, struct output **ret)
{
    unsigned mapped = 0;

    if (index < 0 || (unsigned)index >= d->picture_count)
        return (CUresult)CUDA_INVALID_VALUE;
    *ret = NULL;
    for (unsigned i = 0; i < d->output_count; i++) {
        mapped += d->outputs[i].mapped;
        if (!d->outputs[i].mapped)
            *ret = &d->outputs[i];
    }
    if (!*ret) {
        fault_misuse("more frames mapped than the %u output surfaces", mapped);
        return (CUresult)settings()->map_error;
    }
    machine_peak(COUNTER_MAPPED_PEAK, mapped + 1);
    return copy_picture(d, d->pictures[index], (*ret)->address);
}

EXPORT tcuvidMapVideoFrame64 cuvidMapVideoFrame64;
CUresult cuvidMapVideoFrame64(CUvideodecoder handle, int index,
                              unsigned long long *ret, unsigned *ret_pitch,
                              CUVIDPROCPARAMS *how)
{
    CUresult r = context_enter(NEED_CONTEXT);
    struct decoder *d = find(handle);
    struct output *output;

    (void)how; // fields are woven
    if (r != CUDA_SUCCESS)
        return r;
    if (!d)
        return (CUresult)CUDA_INVALID_HANDLE;
    if (fault_fires(FAULT_MAP))
        return (CUresult)CUDA_MAP_FAILED;

    pthread_mutex_lock(&d->mutex);
    r = map(d, index, &output);
    if (r == CUDA_SUCCESS) {
        output->mapped = true;
        *ret = output->address;
        *ret_pitch = (unsigned)d->pitch;
        machine_count(COUNTER_MAPPED, 1);
    }
    pthread_mutex_unlock(&d->mutex);
    return r;
}

EXPORT tcuvidUnmapVideoFrame64 cuvidUnmapVideoFrame64;
CUresult cuvidUnmapVideoFrame64(CUvideodecoder handle,
                                unsigned long long address)
{
    struct decoder *d = find(handle);
    bool found = false;

    if (!d)
        return (CUresult)CUDA_INVALID_HANDLE;
    pthread_mutex_lock(&d->mutex);
    for (unsigned i = 0; i < d->output_count && !found; i++) {
        found = d->outputs[i].address == address && d->outputs[i].mapped;
        if (found)
            d->outputs[i].mapped = false;
    }
    pthread_mutex_unlock(&d->mutex);
    if (!found)
        fault_misuse("unmap of a frame that is not mapped");
    return found ? CUDA_SUCCESS : (CUresult)CUDA_INVALID_VALUE;
}

/* A lock on a context is a lock like any other. */
EXPORT tcuvidCtxLockCreate cuvidCtxLockCreate;
CUresult cuvidCtxLockCreate(CUvideoctxlock *ret, CUcontext context)
{
    pthread_mutex_t *mutex = malloc(sizeof(*mutex));

    (void)context;
    if (!mutex)
        return (CUresult)CUDA_OUT_OF_MEMORY;
    pthread_mutex_init(mutex, NULL);
    *ret = (CUvideoctxlock)(void *)mutex;
    return CUDA_SUCCESS;
}

EXPORT tcuvidCtxLockDestroy cuvidCtxLockDestroy;
CUresult cuvidCtxLockDestroy(CUvideoctxlock lock)
{
    free(lock);
    return CUDA_SUCCESS;
}

EXPORT tcuvidCtxLock cuvidCtxLock;
CUresult cuvidCtxLock(CUvideoctxlock lock, unsigned flags)
{
    (void)flags;
    pthread_mutex_lock((pthread_mutex_t *)(void *)lock);
    return CUDA_SUCCESS;
}

EXPORT tcuvidCtxUnlock cuvidCtxUnlock;
CUresult cuvidCtxUnlock(CUvideoctxlock lock, unsigned flags)
{
    (void)flags;
    pthread_mutex_unlock((pthread_mutex_t *)(void *)lock);
    return CUDA_SUCCESS;
}
