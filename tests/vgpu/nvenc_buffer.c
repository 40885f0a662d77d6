/* libnvidia-encode: input and output buffers, registered resources. */
#include "nvenc.h"

#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "memory.h"
#include "settings.h"

#define PITCH_ALIGNMENT 64

struct input *nvenc_input(struct session *s, const void *handle)
{
    struct input *i = s->inputs;

    while (i && (const void *)i != handle)
        i = i->next;
    return i;
}

struct output *nvenc_output(struct session *s, const void *handle)
{
    struct output *o = s->outputs;

    while (o && (const void *)o != handle)
        o = o->next;
    return o;
}

static struct input *add_input(struct session *s)
{
    struct input *i = calloc(1, sizeof(*i));

    if (!i)
        abort();
    i->next = s->inputs;
    s->inputs = i;
    return i;
}

static void remove_input(struct session *s, struct input *gone)
{
    struct input **link = &s->inputs;

    while (*link != gone)
        link = &(*link)->next;
    *link = gone->next;
    if (gone->buffer)
        machine_vram_give(s->slot->card, (int64_t)gone->size);
    free(gone->buffer);
    free(gone);
}

static void remove_output(struct session *s, struct output *gone)
{
    struct output **link = &s->outputs;

    while (*link != gone)
        link = &(*link)->next;
    *link = gone->next;
    bytes_free(&gone->packet.data);
    free(gone);
}

void nvenc_free_buffers(struct session *s)
{
    while (s->inputs) {
        if (s->inputs->mapped)
            fault_misuse("a session ends with an input still mapped");
        remove_input(s, s->inputs);
    }
    while (s->outputs)
        remove_output(s, s->outputs);
}

NVENCSTATUS NVENCAPI NvEncCreateInputBuffer(void *handle,
                                            NV_ENC_CREATE_INPUT_BUFFER *p)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    size_t pitch = (size_t)p->width * (size_t)planar_bytes(p->bufferFmt);
    pitch += PITCH_ALIGNMENT - 1;
    pitch -= pitch % PITCH_ALIGNMENT;
    size_t size = planar_size(p->bufferFmt, pitch, p->height);
    if (!size)
        return nvenc_leave(
            s, nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM, "input format or size"));
    if (fault_fires(FAULT_ALLOC) ||
        !machine_vram_take(s->slot->card, (int64_t)size))
        return nvenc_leave(s, nvenc_fail(s, NV_ENC_ERR_OUT_OF_MEMORY,
                                         "no memory for an input"));

    struct input *i = add_input(s);
    i->width = (int)p->width;
    i->height = (int)p->height;
    i->pitch = (int)pitch;
    i->format = p->bufferFmt;
    i->size = size;
    i->buffer = calloc(1, size);
    if (!i->buffer)
        abort();
    p->inputBuffer = i;
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncDestroyInputBuffer(void *handle,
                                             NV_ENC_INPUT_PTR buffer)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    struct input *i = nvenc_input(s, buffer);
    if (!i || i->registered)
        return nvenc_leave(s, NV_ENC_ERR_INVALID_PARAM);
    remove_input(s, i);
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncLockInputBuffer(void *handle,
                                          NV_ENC_LOCK_INPUT_BUFFER *p)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    struct input *i = nvenc_input(s, p->inputBuffer);
    if (!i || i->registered || i->locked)
        return nvenc_leave(s, NV_ENC_ERR_INVALID_PARAM);
    i->locked = true;
    p->bufferDataPtr = i->buffer;
    p->pitch = (uint32_t)i->pitch;
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

/* What the client wrote goes to the card: an upload like any other. */
NVENCSTATUS NVENCAPI NvEncUnlockInputBuffer(void *handle,
                                            NV_ENC_INPUT_PTR buffer)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    struct input *i = nvenc_input(s, buffer);
    if (!i || !i->locked)
        return nvenc_leave(s, NV_ENC_ERR_INVALID_PARAM);
    i->locked = false;
    machine_count(COUNTER_UPLOADS, 1);
    machine_count(COUNTER_UPLOAD_BYTES, (int64_t)i->size);
    if ((int64_t)i->size >= settings()->large_copy)
        machine_count(COUNTER_LARGE_UPLOADS, 1);
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncRegisterResource(void *handle,
                                           NV_ENC_REGISTER_RESOURCE *p)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    if (p->resourceType != NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR ||
        !planar_depth(p->bufferFormat) || p->pitch % 4)
        return nvenc_leave(s, nvenc_fail(s, NV_ENC_ERR_UNSUPPORTED_PARAM,
                                         "resource type, format or pitch"));
    CUdeviceptr address = (CUdeviceptr)(uintptr_t)p->resourceToRegister;
    size_t size = planar_size(p->bufferFormat, p->pitch, p->height);
    // The last row of the last plane need not be as long as the pitch.
    if (size < p->pitch || !memory_at(address, size - p->pitch + 1))
        return nvenc_leave(s, nvenc_fail(s, NV_ENC_ERR_RESOURCE_REGISTER_FAILED,
                                         "not as much device memory"));

    struct input *i = add_input(s);
    i->registered = true;
    i->width = (int)p->width;
    i->height = (int)p->height;
    i->pitch = (int)p->pitch;
    i->format = p->bufferFormat;
    i->address = address;
    i->size = size - p->pitch + 1;
    p->registeredResource = i;
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncUnregisterResource(void *handle,
                                             NV_ENC_REGISTERED_PTR resource)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    struct input *i = nvenc_input(s, resource);
    if (!i || !i->registered)
        return nvenc_leave(s, NV_ENC_ERR_RESOURCE_NOT_REGISTERED);
    remove_input(s, i);
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncMapInputResource(void *handle,
                                           NV_ENC_MAP_INPUT_RESOURCE *p)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    struct input *i = nvenc_input(s, p->registeredResource);
    if (!i || !i->registered)
        return nvenc_leave(s, NV_ENC_ERR_RESOURCE_NOT_REGISTERED);
    i->mapped++;
    p->mappedResource = i;
    p->mappedBufferFmt = i->format;
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncUnmapInputResource(void *handle,
                                             NV_ENC_INPUT_PTR input)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    struct input *i = nvenc_input(s, input);
    if (!i || !i->mapped)
        return nvenc_leave(s, NV_ENC_ERR_RESOURCE_NOT_MAPPED);
    i->mapped--;
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI
NvEncCreateBitstreamBuffer(void *handle, NV_ENC_CREATE_BITSTREAM_BUFFER *p)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    struct output *o = calloc(1, sizeof(*o));
    if (!o)
        abort();
    o->next = s->outputs;
    s->outputs = o;
    p->bitstreamBuffer = o;
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncDestroyBitstreamBuffer(void *handle,
                                                 NV_ENC_OUTPUT_PTR buffer)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    struct output *o = nvenc_output(s, buffer);
    if (!o || o->state == OUTPUT_QUEUED) {
        fault_misuse("an output buffer is destroyed that a picture waits for");
        return nvenc_leave(s, NV_ENC_ERR_INVALID_PARAM);
    }
    remove_output(s, o);
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

static const struct {
    enum inner_type inner;
    NV_ENC_PIC_TYPE type;
} types[] = {
    {INNER_IDR, NV_ENC_PIC_TYPE_IDR},
    {INNER_I, NV_ENC_PIC_TYPE_I},
    {INNER_B, NV_ENC_PIC_TYPE_B},
};

static void describe(NV_ENC_LOCK_BITSTREAM *p, const struct output *o)
{
    p->bitstreamBufferPtr = o->packet.data.data;
    p->bitstreamSizeInBytes = (uint32_t)o->packet.data.size;
    p->outputTimeStamp = o->time;
    p->outputDuration = o->duration;
    p->frameIdx = (uint32_t)o->packet.index;
    p->frameAvgQP = (uint32_t)o->packet.qp;
    p->pictureStruct = NV_ENC_PIC_STRUCT_FRAME;
    p->numSlices = 1;
    p->hwEncodeStatus = 2; // done
    p->pictureType = NV_ENC_PIC_TYPE_P;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].inner == o->packet.type)
            p->pictureType = types[i].type;
    }
}

NVENCSTATUS NVENCAPI NvEncLockBitstream(void *handle, NV_ENC_LOCK_BITSTREAM *p)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    if (machine_lost())
        return nvenc_leave(s, nvenc_fail(s, NV_ENC_ERR_GENERIC, "device lost"));
    struct output *o = nvenc_output(s, p->outputBitstream);
    if (!o)
        return nvenc_leave(s, NV_ENC_ERR_INVALID_PARAM);
    if (o->state != OUTPUT_FULL && p->doNotWait)
        return nvenc_leave(s, NV_ENC_ERR_LOCK_BUSY);
    if (o->state != OUTPUT_FULL) {
        fault_misuse("a lock that would wait for ever");
        return nvenc_leave(
            s, nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM, "nothing to lock"));
    }
    if (fault_fires(FAULT_LOCK))
        return nvenc_leave(s, nvenc_fail(s, NV_ENC_ERR_GENERIC, "as asked"));
    o->state = OUTPUT_LOCKED;
    describe(p, o);
    return nvenc_leave(s, NV_ENC_SUCCESS);
}

NVENCSTATUS NVENCAPI NvEncUnlockBitstream(void *handle,
                                          NV_ENC_OUTPUT_PTR buffer)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    struct output *o = nvenc_output(s, buffer);
    if (!o || o->state != OUTPUT_LOCKED)
        return nvenc_leave(s, NV_ENC_ERR_INVALID_PARAM);
    o->state = OUTPUT_IDLE;
    return nvenc_leave(s, NV_ENC_SUCCESS);
}
