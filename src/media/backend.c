#include "media/backend.h"

#include <stddef.h>

// clang-format off
const struct backend backend_cpu = {
    .name = "cpu",
    .memory = MEMORY_SYSTEM,
    .impl = {
        [OP_DECODE] = "native",
        [OP_TURN]   = "transpose",
        [OP_RATE]   = "fps",
        [OP_SCALE]  = "scale",
    },
};
// clang-format on
