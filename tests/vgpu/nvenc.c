/* libnvidia-encode: the table of functions, opening and closing sessions. */
#include "nvenc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "fault.h"
#include "settings.h"

#define FUNCTION_LIST_VERSION 2

static pthread_mutex_t living_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct session *living; // linked by next

__attribute__((destructor)) static void count_leaks(void)
{
    int64_t n = 0;

    for (const struct session *s = living; s; s = s->next)
        n++;
    if (n)
        machine_count(COUNTER_LEAKED_SESSIONS, n);
}

NVENCSTATUS nvenc_fail(struct session *s, NVENCSTATUS status,
                       const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(s->error, sizeof(s->error), format, args);
    va_end(args);
    if (settings()->verbose > 1)
        fprintf(stderr, "vgpu: nvenc status %d: %s\n", (int)status, s->error);
    return status;
}

struct session *nvenc_enter(void *handle)
{
    pthread_mutex_lock(&living_mutex);
    struct session *s = living;
    while (s && (void *)s != handle)
        s = s->next;
    pthread_mutex_unlock(&living_mutex);
    if (s)
        pthread_mutex_lock(&s->mutex);
    else
        fault_misuse("a call for an encode session that does not live");
    return s;
}

NVENCSTATUS nvenc_leave(struct session *s, NVENCSTATUS status)
{
    pthread_mutex_unlock(&s->mutex);
    return status;
}

/* "11.1" as the API's own functions write it: major << 4 | minor. */
static uint32_t supported_version(void)
{
    unsigned major = 0, minor = 0;

    if (sscanf(settings()->nvenc_version, "%u.%u", &major, &minor) < 1)
        fault_misuse("the setting nvenc_version is not MAJOR.MINOR");
    return major << 4 | (minor & 0xf);
}

/* Of a client's apiVersion or structure: major in the lowest byte, minor in
 * bits 24 to 27. The rest is the structure's own. */
static bool version_supported(uint32_t version)
{
    uint32_t asked = (version & 0xff) << 4 | (version >> 24 & 0xf);

    return asked <= supported_version();
}

EXPORT NVENCSTATUS NVENCAPI
NvEncodeAPIGetMaxSupportedVersion(uint32_t *version);
NVENCSTATUS NVENCAPI NvEncodeAPIGetMaxSupportedVersion(uint32_t *version)
{
    if (!version)
        return NV_ENC_ERR_INVALID_PTR;
    *version = supported_version();
    return NV_ENC_SUCCESS;
}

/* What keeps a session from being opened, but for the machine's limits. */
static NVENCSTATUS check_open(const NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS *p)
{
    if (!version_supported(p->apiVersion) || !version_supported(p->version))
        return NV_ENC_ERR_INVALID_VERSION;
    if (settings()->no_encoder)
        return NV_ENC_ERR_UNSUPPORTED_DEVICE;
    if (settings()->open_error)
        return (NVENCSTATUS)settings()->open_error;
    if (machine_lost())
        return NV_ENC_ERR_GENERIC;
    if (p->deviceType != NV_ENC_DEVICE_TYPE_CUDA ||
        !context_valid((struct context *)p->device))
        return NV_ENC_ERR_INVALID_DEVICE;
    return NV_ENC_SUCCESS;
}

static bool take_vram(struct session *s, int64_t bytes)
{
    if (!machine_vram_take(s->slot->card, bytes))
        return false;
    s->vram += bytes;
    return true;
}

/* Bytes, whatever its pictures are. */
static int64_t fixed_vram(void)
{
    int64_t all = settings()->session_vram;
    int64_t fixed = settings()->session_fixed_vram;

    return (fixed < all ? fixed : all) << 20;
}

/* Bytes, by the size of its pictures. */
static int64_t pictures_vram(const struct session *s)
{
    int64_t full = (settings()->session_vram << 20) - fixed_vram();
    int64_t pixels = (int64_t)s->config.width * s->config.height;

    return full * pixels / (1920 * 1080);
}

NVENCSTATUS NVENCAPI
NvEncOpenEncodeSessionEx(NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS *p, void **ret)
{
    NVENCSTATUS status = check_open(p);

    *ret = NULL;
    if (status != NV_ENC_SUCCESS)
        return status;
    int card = context_card((struct context *)p->device);
    struct machine_session *slot = machine_session_take(card);
    if (!slot)
        return (NVENCSTATUS)settings()->session_error;
    struct session *s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    s->slot = slot;
    if (!take_vram(s, fixed_vram())) {
        machine_session_give(slot);
        free(s);
        return NV_ENC_ERR_OUT_OF_MEMORY;
    }
    pthread_mutex_init(&s->mutex, NULL);
    pthread_mutex_lock(&living_mutex);
    s->next = living;
    living = s;
    pthread_mutex_unlock(&living_mutex);
    *ret = s;
    return NV_ENC_SUCCESS;
}

static bool unlink_session(struct session *s)
{
    pthread_mutex_lock(&living_mutex);
    struct session **link = &living;
    while (*link && *link != s)
        link = &(*link)->next;
    bool found = *link != NULL;
    if (found)
        *link = s->next;
    pthread_mutex_unlock(&living_mutex);
    return found;
}

NVENCSTATUS NVENCAPI NvEncDestroyEncoder(void *handle)
{
    struct session *s = handle;

    if (!unlink_session(s))
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    if (s->inner)
        s->encoder->close(s->inner);
    nvenc_free_buffers(s);
    bytes_free(&s->headers);
    bytes_free(&s->packet.data);
    free(s->planes);
    machine_vram_give(s->slot->card, s->vram);
    machine_session_give(s->slot);
    pthread_mutex_destroy(&s->mutex);
    free(s);
    return NV_ENC_SUCCESS;
}

NVENCSTATUS NVENCAPI NvEncInitializeEncoder(void *handle,
                                            NV_ENC_INITIALIZE_PARAMS *p)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    if (s->ready)
        return nvenc_leave(
            s, nvenc_fail(s, NV_ENC_ERR_INVALID_CALL, "already initialised"));
    NVENCSTATUS status = nvenc_configure(s, p);
    if (status != NV_ENC_SUCCESS)
        return nvenc_leave(s, status);
    if (!take_vram(s, pictures_vram(s)))
        return nvenc_leave(s, nvenc_fail(s, NV_ENC_ERR_OUT_OF_MEMORY,
                                         "no memory for pictures"));

    s->inner = s->encoder->open(&s->config);
    if (!s->inner || s->encoder->headers(s->inner, &s->headers) < 0)
        return nvenc_leave(s, nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM,
                                         "the inner encoder refuses"));
    size_t samples = (size_t)s->config.width * (size_t)s->config.height;
    s->planes = malloc(samples * 3 * 2 + 64);
    if (!s->planes)
        abort();
    s->slot->codec = (int32_t)s->codec;
    s->slot->width = s->config.width;
    s->slot->height = s->config.height;
    s->ready = true;
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

/* Only rates may change; a real encoder takes sizes, too. */
NVENCSTATUS NVENCAPI NvEncReconfigureEncoder(void *handle,
                                             NV_ENC_RECONFIGURE_PARAMS *p)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    struct inner_config old = s->config;
    NVENCSTATUS status = nvenc_configure(s, &p->reInitEncodeParams);
    if (status == NV_ENC_SUCCESS &&
        (s->config.width != old.width || s->config.height != old.height ||
         s->encoder->adjust(s->inner, &s->config) < 0))
        status = nvenc_fail(s, NV_ENC_ERR_UNSUPPORTED_PARAM,
                            "only rates can be changed");
    if (status != NV_ENC_SUCCESS)
        s->config = old;
    else if (p->forceIDR)
        s->force_idr = true;
    return nvenc_leave(s, status);
}

NVENCSTATUS NVENCAPI NvEncGetSequenceParams(void *handle,
                                            NV_ENC_SEQUENCE_PARAM_PAYLOAD *p)
{
    struct session *s = nvenc_enter(handle);
    NVENCSTATUS status = NV_ENC_SUCCESS;

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    if (!s->ready)
        status = nvenc_fail(s, NV_ENC_ERR_ENCODER_NOT_INITIALIZED,
                            "not initialised");
    else if (s->headers.size > p->inBufferSize)
        status = nvenc_fail(s, NV_ENC_ERR_NOT_ENOUGH_BUFFER,
                            "parameter sets of %zu bytes", s->headers.size);
    else
        memcpy(p->spsppsBuffer, s->headers.data, s->headers.size);
    if (status == NV_ENC_SUCCESS)
        *p->outSPSPPSPayloadSize = (uint32_t)s->headers.size;
    return nvenc_leave(s, status);
}

NVENCSTATUS NVENCAPI NvEncSetIOCudaStreams(void *handle,
                                           NV_ENC_CUSTREAM_PTR input,
                                           NV_ENC_CUSTREAM_PTR output)
{
    struct session *s = nvenc_enter(handle);

    (void)input; // everything is done when it returns
    (void)output;
    return s ? nvenc_leave(s, NV_ENC_SUCCESS)
             : NV_ENC_ERR_INVALID_ENCODERDEVICE;
}

static const char *last_error(void *handle)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return "no such session";
    nvenc_leave(s, NV_ENC_SUCCESS);
    return s->error;
}

/* Not in the API that is offered; a client's call is answered, not a crash. */
static NVENCSTATUS NVENCAPI unimplemented(void)
{
    fault_misuse("an NVENC function that is not there");
    return NV_ENC_ERR_UNIMPLEMENTED;
}

#define UNIMPLEMENTED(type) ((type)(void (*)(void))unimplemented)

EXPORT NVENCSTATUS NVENCAPI
NvEncodeAPICreateInstance(NV_ENCODE_API_FUNCTION_LIST *list);
NVENCSTATUS NVENCAPI
NvEncodeAPICreateInstance(NV_ENCODE_API_FUNCTION_LIST *list)
{
    if (!list)
        return NV_ENC_ERR_INVALID_PTR;
    if (settings()->no_driver || !machine_self())
        return NV_ENC_ERR_NO_ENCODE_DEVICE;
    if (!version_supported(list->version) ||
        (list->version >> 16 & 0xff) != FUNCTION_LIST_VERSION)
        return NV_ENC_ERR_INVALID_VERSION;

    machine_count(COUNTER_ENCODER_APIS, 1);
    list->nvEncOpenEncodeSession = UNIMPLEMENTED(PNVENCOPENENCODESESSION);
    list->nvEncGetEncodeGUIDCount = NvEncGetEncodeGUIDCount;
    list->nvEncGetEncodeProfileGUIDCount = NvEncGetEncodeProfileGUIDCount;
    list->nvEncGetEncodeProfileGUIDs = NvEncGetEncodeProfileGUIDs;
    list->nvEncGetEncodeGUIDs = NvEncGetEncodeGUIDs;
    list->nvEncGetInputFormatCount = NvEncGetInputFormatCount;
    list->nvEncGetInputFormats = NvEncGetInputFormats;
    list->nvEncGetEncodeCaps = NvEncGetEncodeCaps;
    list->nvEncGetEncodePresetCount = NvEncGetEncodePresetCount;
    list->nvEncGetEncodePresetGUIDs = NvEncGetEncodePresetGUIDs;
    list->nvEncGetEncodePresetConfig = NvEncGetEncodePresetConfig;
    list->nvEncGetEncodePresetConfigEx = NvEncGetEncodePresetConfigEx;
    list->nvEncInitializeEncoder = NvEncInitializeEncoder;
    list->nvEncReconfigureEncoder = NvEncReconfigureEncoder;
    list->nvEncCreateInputBuffer = NvEncCreateInputBuffer;
    list->nvEncDestroyInputBuffer = NvEncDestroyInputBuffer;
    list->nvEncCreateBitstreamBuffer = NvEncCreateBitstreamBuffer;
    list->nvEncDestroyBitstreamBuffer = NvEncDestroyBitstreamBuffer;
    list->nvEncEncodePicture = NvEncEncodePicture;
    list->nvEncLockBitstream = NvEncLockBitstream;
    list->nvEncUnlockBitstream = NvEncUnlockBitstream;
    list->nvEncLockInputBuffer = NvEncLockInputBuffer;
    list->nvEncUnlockInputBuffer = NvEncUnlockInputBuffer;
    list->nvEncGetEncodeStats = UNIMPLEMENTED(PNVENCGETENCODESTATS);
    list->nvEncGetSequenceParams = NvEncGetSequenceParams;
    list->nvEncRegisterAsyncEvent = UNIMPLEMENTED(PNVENCREGISTERASYNCEVENT);
    list->nvEncUnregisterAsyncEvent = UNIMPLEMENTED(PNVENCUNREGISTERASYNCEVENT);
    list->nvEncMapInputResource = NvEncMapInputResource;
    list->nvEncUnmapInputResource = NvEncUnmapInputResource;
    list->nvEncDestroyEncoder = NvEncDestroyEncoder;
    list->nvEncInvalidateRefFrames = UNIMPLEMENTED(PNVENCINVALIDATEREFFRAMES);
    list->nvEncOpenEncodeSessionEx = NvEncOpenEncodeSessionEx;
    list->nvEncRegisterResource = NvEncRegisterResource;
    list->nvEncUnregisterResource = NvEncUnregisterResource;
    list->nvEncCreateMVBuffer = UNIMPLEMENTED(PNVENCCREATEMVBUFFER);
    list->nvEncDestroyMVBuffer = UNIMPLEMENTED(PNVENCDESTROYMVBUFFER);
    list->nvEncRunMotionEstimationOnly =
        UNIMPLEMENTED(PNVENCRUNMOTIONESTIMATIONONLY);
    list->nvEncGetLastErrorString = last_error;
    list->nvEncSetIOCudaStreams = NvEncSetIOCudaStreams;
    list->nvEncGetSequenceParamEx = UNIMPLEMENTED(PNVENCGETSEQUENCEPARAMEX);
    return NV_ENC_SUCCESS;
}
