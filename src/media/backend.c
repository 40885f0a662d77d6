#include "media/backend.h"

#include <stddef.h>
#include <string.h>

// clang-format off
const struct backend backend_cpu = {
    .name = "cpu",
    .memory = MEMORY_SYSTEM,
    .type = AV_HWDEVICE_TYPE_NONE,
    .format = AV_PIX_FMT_NONE,
    .impl = {
        [OP_DECODE] = "native",
        [OP_TURN]   = "transpose",
        [OP_RATE]   = "fps",
        [OP_SCALE]  = "scale",
    },
};

const struct backend backend_cuda = {
    .name = "cuda",
    .memory = MEMORY_CUDA,
    .type = AV_HWDEVICE_TYPE_CUDA,
    .format = AV_PIX_FMT_CUDA,
    .impl = {
        [OP_DECODE] = "nvdec",
        [OP_RATE]   = "fps", // moves references only
        [OP_SCALE]  = "scale_cuda",
    },
    .upload = "hwupload",
    .download = "hwdownload",
};
// clang-format on

static const struct backend *const backends[] = {&backend_cpu, &backend_cuda};

const struct backend *backend_of_device(const char *id)
{
    size_t length = strcspn(id, ":");

    for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
        const struct backend *b = backends[i];
        if (strlen(b->name) == length && strncmp(b->name, id, length) == 0)
            return b;
    }
    return NULL;
}
