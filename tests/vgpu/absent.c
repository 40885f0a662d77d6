/*
 * What a client's loader wants to find, and the stand-in does not do: the
 * graphics interfaces, arrays and the linker of libcuda, the parser and the
 * sources of libnvcuvid. FFmpeg's nvdec, filters and nvenc use none of it.
 * Each says so with an error.
 *
 * They are called through pointers of their true types. Arguments that are not
 * looked at do no harm to a C function on Linux's x86-64 and arm64.
 */
#include "context.h"
#include "cuda_error.h"
#include "fault.h"

#define ABSENT(name) \
    EXPORT CUresult CUDAAPI name(void); \
    CUresult name(void) \
    { \
        fault_misuse("%s is not there", #name); \
        return (CUresult)CUDA_NOT_SUPPORTED; \
    }

ABSENT(cuLinkCreate)
ABSENT(cuLinkAddData)
ABSENT(cuLinkComplete)
ABSENT(cuLinkDestroy)
ABSENT(cuGLGetDevices_v2)
ABSENT(cuGraphicsGLRegisterImage)
ABSENT(cuGraphicsUnregisterResource)
ABSENT(cuGraphicsMapResources)
ABSENT(cuGraphicsUnmapResources)
ABSENT(cuGraphicsSubResourceGetMappedArray)
ABSENT(cuGraphicsResourceGetMappedPointer_v2)
ABSENT(cuArrayCreate_v2)
ABSENT(cuArray3DCreate_v2)
ABSENT(cuArrayDestroy)

ABSENT(cuvidCreateVideoParser)
ABSENT(cuvidParseVideoData)
ABSENT(cuvidDestroyVideoParser)
ABSENT(cuvidCreateVideoSource)
ABSENT(cuvidCreateVideoSourceW)
ABSENT(cuvidDestroyVideoSource)
ABSENT(cuvidSetVideoSourceState)
ABSENT(cuvidGetVideoSourceState)
ABSENT(cuvidGetSourceVideoFormat)
ABSENT(cuvidGetSourceAudioFormat)
