#include "media/hwdevice.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <libavutil/buffer.h>
#include <libavutil/error.h>
#include <libavutil/hwcontext.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/averror.h"
#include "media/driver.h"

struct hwdevice {
    struct driver *driver; // owned; keeps the library loaded
    AVBufferRef *context;  // referenced
    char uuid[64];
};

/* libav has only AVERROR_UNKNOWN for all that CUDA refuses. */
static int blame(struct error *e, int averror, const char *id)
{
    if (averror == AVERROR_UNKNOWN || averror == AVERROR_EXTERNAL)
        return error_set(e, -ENODEV, "no CUDA context on %s", id);
    return averror_set(e, averror, "no CUDA context on %s", id);
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
    return r < 0 ? blame(e, r, id) : 0;
}

int hwdevice_open(struct hwdevice **ret, const char *id, const char *uuid,
                  struct error *e)
{
    struct hwdevice *h = xcalloc(1, sizeof(*h));

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

const char *hwdevice_uuid(const struct hwdevice *h)
{
    return h->uuid;
}

struct AVBufferRef *hwdevice_ref(const struct hwdevice *h)
{
    return h->context;
}

void hwdevice_preload(void)
{
    static const char *const names[] = {"libnvcuvid.so.1",
                                        "libnvidia-encode.so.1"};

    // libav opens and closes them for each codec; held here they stay
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)dlopen(names[i], RTLD_NOW | RTLD_NODELETE);
}
