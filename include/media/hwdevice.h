/*
 * hwdevice: a card as libav works with it: a CUDA context, made once in a
 * process and shared by decoders, filters and encoders.
 */
#ifndef MEDIA_HWDEVICE_H
#define MEDIA_HWDEVICE_H

#include <stdint.h>

#include <libavcodec/codec.h>
#include <libavutil/hwcontext.h>

struct AVBufferRef;
struct backend;
struct error;
struct hwdevice;

/*
 * Make a context on the card @uuid, which is called @id ("cuda:0") in words.
 * This takes tenths of a second, and may block where a driver hangs. 0;
 * -ENODEV where the card is not there or is lost, -ENOMEM without VRAM for it.
 */
int hwdevice_open(struct hwdevice **ret, const char *id, const char *uuid,
                  struct error *e);

/* The context goes when the last of libav's references does. NULL is allowed.
 */
void hwdevice_close(struct hwdevice *h);

const char *hwdevice_id(const struct hwdevice *h);
const char *hwdevice_uuid(const struct hwdevice *h);
const struct backend *hwdevice_backend(const struct hwdevice *h);

/* Borrowed, for av_buffer_ref(). */
struct AVBufferRef *hwdevice_ref(const struct hwdevice *h);

/* Bytes of the card's memory that nobody uses, -1 unknown. */
int64_t hwdevice_free_memory(const struct hwdevice *h);

/* libav's decoder of @codec that works on devices of @type; NULL: none. */
const AVCodec *hwdevice_find_decoder(enum AVCodecID codec,
                                     enum AVHWDeviceType type);

/* Make the context the calling thread's, for calls to NVIDIA's libraries, and
 * put back what was there. 0 or -ENODEV with words. */
int hwdevice_enter(const struct hwdevice *h, struct error *e);
void hwdevice_leave(const struct hwdevice *h);

/* CUDA's own handle of it. */
void *hwdevice_context(const struct hwdevice *h);

/* Load ahead what decoders and encoders will ask for: NVDEC's and NVENC's
 * libraries. No session is opened. What is missing is their error later. */
void hwdevice_preload(void);

#endif
