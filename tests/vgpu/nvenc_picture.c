/*
 * libnvidia-encode: encoding. Output buffers are filled in the order in which
 * they were given, by the pictures in the order in which they are coded.
 */
#include "nvenc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fault.h"
#include "memory.h"
#include "settings.h"

static void enqueue(struct session *s, struct output *o)
{
    o->state = OUTPUT_QUEUED;
    o->behind = NULL;
    if (s->queue_last)
        s->queue_last->behind = o;
    else
        s->queue_first = o;
    s->queue_last = o;
}

static struct output *dequeue(struct session *s)
{
    struct output *o = s->queue_first;

    if (o)
        s->queue_first = o->behind;
    if (!s->queue_first)
        s->queue_last = NULL;
    return o;
}

/* Where the groups of pictures begin. A forced I begins nothing. */
static enum inner_type choose_type(struct session *s, uint32_t flags)
{
    bool idr = !s->pictures || s->force_idr ||
               (flags & NV_ENC_PIC_FLAG_FORCEIDR) || s->since_idr >= s->idr_gap;
    bool intra =
        (flags & NV_ENC_PIC_FLAG_FORCEINTRA) || s->since_intra >= s->gop;

    s->force_idr = false;
    if (idr)
        s->since_idr = 0;
    if (idr || intra)
        s->since_intra = 0;
    if (s->since_idr < UINT32_MAX - 1)
        s->since_idr++;
    if (s->since_intra < UINT32_MAX - 1)
        s->since_intra++;
    return idr ? INNER_IDR : intra ? INNER_I : INNER_AUTO;
}

static const uint8_t *pixels_of(const struct input *i)
{
    return i->registered ? memory_at(i->address, i->size) : i->buffer;
}

static NVENCSTATUS check_input(struct session *s, const struct input *i,
                               const NV_ENC_PIC_PARAMS *p)
{
    if (!i || (i->registered && !i->mapped) || i->locked)
        return nvenc_fail(s, NV_ENC_ERR_RESOURCE_NOT_MAPPED,
                          "the input is not mapped");
    if (planar_depth(i->format) != s->config.depth ||
        planar_full_chroma(i->format) != s->config.full_chroma ||
        p->bufferFmt != i->format)
        return nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM,
                          "the input's format is not the session's");
    if (i->width < s->config.width || i->height < s->config.height)
        return nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM,
                          "the input is smaller than the picture");
    if (!pixels_of(i))
        return nvenc_fail(s, NV_ENC_ERR_MAP_FAILED,
                          "the input's memory is gone");
    return NV_ENC_SUCCESS;
}

/* What came out goes to the buffer that waits longest. */
static void put_out(struct session *s)
{
    const struct pending *pending =
        &s->pending[s->packet.index & (SESSION_DELAY - 1)];
    struct output *o = dequeue(s);

    if (!o)
        return; // cannot be: each picture brought a buffer
    bool headers = s->packet.type == INNER_IDR && !s->headers_never &&
                   (s->headers_repeat || s->packet.index == 0);
    bytes_clear(&o->packet.data);
    if (headers || pending->headers)
        bytes_append(&o->packet.data, s->headers.data, s->headers.size);
    bytes_append(&o->packet.data, s->packet.data.data, s->packet.data.size);
    o->packet.index = s->packet.index;
    o->packet.type = s->packet.type;
    o->packet.qp = s->packet.qp;
    o->time = pending->time;
    o->duration = pending->duration;
    o->state = OUTPUT_FULL;
    machine_count(COUNTER_ENCODED, 1);
    machine_count(COUNTER_IDR, s->packet.type == INNER_IDR);
}

/* No picture any more: everything that waits comes out, once. */
static NVENCSTATUS flush(struct session *s)
{
    int r = 0;

    while (!s->flushed && s->pictures &&
           (r = s->encoder->encode(s->inner, NULL, &s->packet)) > 0)
        put_out(s);
    s->flushed = true;
    return r < 0 ? nvenc_fail(s, NV_ENC_ERR_GENERIC, "the inner encoder fails")
                 : NV_ENC_SUCCESS;
}

static NVENCSTATUS encode(struct session *s, const NV_ENC_PIC_PARAMS *p)
{
    const struct input *i = nvenc_input(s, p->inputBuffer);
    struct output *o = nvenc_output(s, p->outputBitstream);
    struct inner_picture picture = {.index = s->pictures};

    NVENCSTATUS status = check_input(s, i, p);
    if (status != NV_ENC_SUCCESS)
        return status;
    if (!o || o->state != OUTPUT_IDLE) {
        fault_misuse("an output buffer is used again before it was locked");
        return nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM, "output buffer in use");
    }

    s->pending[picture.index & (SESSION_DELAY - 1)] = (struct pending){
        .time = p->inputTimeStamp,
        .duration = p->inputDuration,
        .headers = p->encodePicFlags & NV_ENC_PIC_FLAG_OUTPUT_SPSPPS,
    };
    picture.type = choose_type(s, p->encodePicFlags);
    planar_split(&picture, s->planes, &s->config, pixels_of(i),
                 (size_t)i->pitch, (size_t)i->height, i->format);
    s->pictures++;
    s->flushed = false;
    enqueue(s, o);
    int r = s->encoder->encode(s->inner, &picture, &s->packet);
    if (r < 0)
        return nvenc_fail(s, NV_ENC_ERR_GENERIC, "the inner encoder fails");
    if (r > 0)
        put_out(s);
    return r > 0 ? NV_ENC_SUCCESS : NV_ENC_ERR_NEED_MORE_INPUT;
}

static void account(struct session *s, int64_t begin)
{
    int64_t took = machine_now() - begin;

    machine_self()->busy_encoding += took;
    s->slot->latency += (took - s->slot->latency) / (s->slot->frames + 1);
    s->slot->frames++;
}

static void be_slow(void)
{
    int64_t ms = settings()->slow_encode;
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};

    if (ms)
        nanosleep(&t, NULL);
}

NVENCSTATUS NVENCAPI NvEncEncodePicture(void *handle, NV_ENC_PIC_PARAMS *p)
{
    struct session *s = nvenc_enter(handle);

    if (!s)
        return NV_ENC_ERR_INVALID_ENCODERDEVICE;
    if (!s->ready)
        return nvenc_leave(s, NV_ENC_ERR_ENCODER_NOT_INITIALIZED);
    if (machine_lost())
        return nvenc_leave(s, nvenc_fail(s, NV_ENC_ERR_GENERIC, "device lost"));
    if (p->encodePicFlags & NV_ENC_PIC_FLAG_EOS)
        return nvenc_leave(s, flush(s));
    if (fault_fires(FAULT_HANG))
        fault_hang();
    if (fault_fires(FAULT_CRASH))
        fault_crash();
    if (fault_fires(FAULT_ENCODE))
        return nvenc_leave(s, nvenc_fail(s, NV_ENC_ERR_GENERIC, "as asked"));

    int64_t begin = machine_now();
    be_slow();
    NVENCSTATUS status = encode(s, p);
    account(s, begin);
    return nvenc_leave(s, status);
}
