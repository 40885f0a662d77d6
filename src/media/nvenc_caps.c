#include "media/nvenc_caps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "media/library.h"

#define LIBRARY "libnvidia-encode.so.1"

/*
 * The ABI of NVENC, as far as it is needed. These structures are the same in
 * all versions of the API since 7.0; a version goes into each as the driver
 * itself names its newest.
 */
#define STRUCT_VERSION(api, revision) \
    ((api) | (uint32_t)(revision) << 16 | UINT32_C(7) << 28)

enum status {
    STATUS_SUCCESS = 0,
    STATUS_NO_ENCODE_DEVICE = 1,
    STATUS_UNSUPPORTED_DEVICE = 2,
    STATUS_OUT_OF_MEMORY = 10,
    STATUS_INCOMPATIBLE_CLIENT_KEY = 21,
};

struct guid {
    uint32_t a;
    uint16_t b;
    uint16_t c;
    uint8_t d[8];
};

struct open_params {
    uint32_t version;
    uint32_t device_type; // 1: CUDA
    void *device;
    void *reserved;
    uint32_t api;
    uint32_t reserved1[253];
    void *reserved2[64];
};

struct caps_param {
    uint32_t version;
    uint32_t which;
    uint32_t reserved[62];
};

/* Functions by their place in NVENC's list. */
enum { GET_ENCODE_CAPS = 7, DESTROY_ENCODER = 27, OPEN_SESSION_EX = 29 };

struct function_list {
    uint32_t version;
    uint32_t reserved;
    void (*functions[318])(void);
};

typedef int get_encode_caps(void *encoder, struct guid codec,
                            struct caps_param *param, int *ret);
typedef int destroy_encoder(void *encoder);
typedef int open_session_ex(struct open_params *params, void **ret);

struct nvenc {
    int (*get_newest)(uint32_t *);
    int (*create)(struct function_list *);
};

// clang-format off
static const struct library_symbol symbols[] = {
    {"NvEncodeAPIGetMaxSupportedVersion", offsetof(struct nvenc, get_newest), LIBRARY_NEEDED},
    {"NvEncodeAPICreateInstance", offsetof(struct nvenc, create), LIBRARY_NEEDED},
};

static const struct guid codecs[NVENC_CODEC_COUNT] = {
    [NVENC_H264] = {0x6bc82762, 0x4e63, 0x4ca4, {0xaa, 0x85, 0x1e, 0x50, 0xf3, 0x21, 0xf6, 0xbf}},
    [NVENC_HEVC] = {0x790cdc88, 0x4522, 0x4d7b, {0x94, 0x25, 0xbd, 0xa9, 0x97, 0x5f, 0x76, 0x03}},
    [NVENC_AV1]  = {0x0a352289, 0x0aa7, 0x4759, {0x86, 0x2d, 0x5d, 0x15, 0xcd, 0x16, 0xd2, 0x54}},
};

/* NVENC's numbers of capabilities. */
static const struct {
    uint32_t which;
    size_t offset; // of an int32_t in struct nvenc_caps
} capabilities[] = {
    {0,  offsetof(struct nvenc_caps, b_frames)},
    {13, offsetof(struct nvenc_caps, level)},
    {16, offsetof(struct nvenc_caps, width)},
    {17, offsetof(struct nvenc_caps, height)},
    {20, offsetof(struct nvenc_caps, dynamic_bitrate)},
    {37, offsetof(struct nvenc_caps, lookahead)},
    {38, offsetof(struct nvenc_caps, temporal_aq)},
    {39, offsetof(struct nvenc_caps, ten_bit)},
    {43, offsetof(struct nvenc_caps, b_frame_refs)},
    {45, offsetof(struct nvenc_caps, least_width)},
    {46, offsetof(struct nvenc_caps, least_height)},
};
// clang-format on

static int load(struct nvenc *ret, void **ret_library, struct error *e)
{
    return library_open(ret_library, LIBRARY, symbols,
                        sizeof(symbols) / sizeof(symbols[0]), ret, e);
}

void nvenc_caps_api(char *ret, size_t size)
{
    struct nvenc nvenc;
    void *library;
    uint32_t newest = 0;

    ret[0] = '\0';
    if (load(&nvenc, &library, NULL) < 0)
        return;
    if (nvenc.get_newest(&newest) == STATUS_SUCCESS)
        (void)snprintf(ret, size, "%u.%u", newest >> 4, newest & 0xf);
    library_close(library);
}

static int explain(int status, struct error *e)
{
    switch (status) {
    case STATUS_OUT_OF_MEMORY:
    case STATUS_INCOMPATIBLE_CLIENT_KEY: // how newer drivers say it
        return error_set(e, -EBUSY, "no encoder session is free (%d)", status);
    case STATUS_NO_ENCODE_DEVICE:
    case STATUS_UNSUPPORTED_DEVICE:
        return error_set(e, -ENOENT, "the card has no encoder (%d)", status);
    default:
        return error_set(e, -EIO, "NVENC answers with error %d", status);
    }
}

static void read_codec(const struct function_list *list, void *encoder,
                       uint32_t api, enum nvenc_codec codec,
                       struct nvenc_caps *ret)
{
    get_encode_caps *get = (get_encode_caps *)list->functions[GET_ENCODE_CAPS];
    struct nvenc_caps caps = {0};

    for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]);
         i++) {
        struct caps_param param = {.version = STRUCT_VERSION(api, 1),
                                   .which = capabilities[i].which};
        int value = 0;
        if (get(encoder, codecs[codec], &param, &value) == STATUS_SUCCESS)
            *(int32_t *)(void *)((char *)&caps + capabilities[i].offset) =
                value;
    }
    caps.is_there = caps.width > 0;
    *ret = caps;
}

static int read_all(const struct function_list *list, uint32_t api,
                    void *context, struct nvenc_caps *ret, struct error *e)
{
    open_session_ex *open = (open_session_ex *)list->functions[OPEN_SESSION_EX];
    destroy_encoder *destroy =
        (destroy_encoder *)list->functions[DESTROY_ENCODER];
    struct open_params params = {
        .version = STRUCT_VERSION(api, 1),
        .device_type = 1,
        .device = context,
        .api = api,
    };
    void *encoder = NULL;

    int status = open(&params, &encoder);
    for (int i = 0; status == STATUS_SUCCESS && i < NVENC_CODEC_COUNT; i++)
        read_codec(list, encoder, api, (enum nvenc_codec)i, &ret[i]);
    if (encoder) // drivers want that also where the opening failed
        (void)destroy(encoder);
    return status == STATUS_SUCCESS ? 0 : explain(status, e);
}

int nvenc_caps_read(struct nvenc_caps ret[NVENC_CODEC_COUNT], void *context,
                    struct error *e)
{
    struct function_list list = {0};
    struct nvenc nvenc;
    void *library;
    uint32_t newest = 0;

    memset(ret, 0, NVENC_CODEC_COUNT * sizeof(*ret));
    int r = load(&nvenc, &library, e);
    if (r < 0)
        return r;
    int status = nvenc.get_newest(&newest);
    uint32_t api = newest >> 4 | (newest & 0xf) << 24;
    list.version = STRUCT_VERSION(api, 2);
    if (status == STATUS_SUCCESS)
        status = nvenc.create(&list);
    r = status == STATUS_SUCCESS ? read_all(&list, api, context, ret, e)
                                 : explain(status, e);
    library_close(library);
    return r;
}
