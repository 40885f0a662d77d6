/* The driver as a client calls it: memory, contexts, modules, decoders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ffnvcodec/dynlink_cuda.h>
#include <ffnvcodec/dynlink_cuviddec.h>

#include "cuda_error.h"

#define MIB (1u << 20)

// What a client finds by dlsym.
extern tcuInit cuInit;
extern tcuCtxCreate_v2 cuCtxCreate_v2;
extern tcuCtxDestroy_v2 cuCtxDestroy_v2;
extern tcuCtxPushCurrent_v2 cuCtxPushCurrent_v2;
extern tcuCtxPopCurrent_v2 cuCtxPopCurrent_v2;
extern tcuMemAlloc_v2 cuMemAlloc_v2;
extern tcuMemAllocPitch_v2 cuMemAllocPitch_v2;
extern tcuMemFree_v2 cuMemFree_v2;
extern tcuMemcpyHtoD_v2 cuMemcpyHtoD_v2;
extern tcuMemcpyDtoH_v2 cuMemcpyDtoH_v2;
extern tcuMemcpy2D_v2 cuMemcpy2D_v2;
extern tcuModuleLoadData cuModuleLoadData;
extern tcuModuleUnload cuModuleUnload;
extern tcuModuleGetFunction cuModuleGetFunction;
extern tcuGetErrorName cuGetErrorName;
extern tcuvidGetDecoderCaps cuvidGetDecoderCaps;
extern tcuvidCreateDecoder cuvidCreateDecoder;
extern tcuvidDestroyDecoder cuvidDestroyDecoder;
extern tcuvidMapVideoFrame64 cuvidMapVideoFrame64;
extern tcuvidUnmapVideoFrame64 cuvidUnmapVideoFrame64;

static CUcontext context;

static int open_context(void **state)
{
    (void)state;
    return cuInit(0) || cuCtxCreate_v2(&context, 0, 0);
}

static int close_context(void **state)
{
    (void)state;
    return (int)cuCtxDestroy_v2(context);
}

static void memory__read_by_the_cpu__crashes(void **state)
{
    CUdeviceptr address;
    int status;

    (void)state;
    assert_int_equal(cuMemAlloc_v2(&address, 4096), CUDA_SUCCESS);
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        // The test's own handler would go on with the tests; sanitizers' tell
        // the crash at length.
        signal(SIGSEGV, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr))
            _exit(0);
        _exit(*(volatile char *)(uintptr_t)address & 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(cuMemFree_v2(address), CUDA_SUCCESS);
}

static void memory__copied_there_and_back__is_the_same(void **state)
{
    CUdeviceptr address;
    char back[8] = "";

    (void)state;
    assert_int_equal(cuMemAlloc_v2(&address, 8), CUDA_SUCCESS);
    assert_int_equal(cuMemcpyHtoD_v2(address, "1234567", 8), CUDA_SUCCESS);
    assert_int_equal(cuMemcpyDtoH_v2(back, address + 2, 6), CUDA_SUCCESS);
    assert_string_equal(back, "34567");
    assert_int_equal(cuMemFree_v2(address), CUDA_SUCCESS);
}

static void memory__used_wrongly__is_an_error(void **state)
{
    CUdeviceptr address;
    char bytes[64] = {0};

    (void)state;
    assert_int_equal(cuMemAlloc_v2(&address, 32), CUDA_SUCCESS);
    assert_int_equal(cuMemcpyHtoD_v2(address, bytes, 33), CUDA_INVALID_VALUE);
    assert_int_equal(cuMemcpyHtoD_v2(address + 1, bytes, 32),
                     CUDA_INVALID_VALUE);
    assert_int_equal(cuMemFree_v2(address + 1), CUDA_INVALID_VALUE);
    assert_int_equal(cuMemFree_v2(address), CUDA_SUCCESS);
    assert_int_equal(cuMemFree_v2(address), CUDA_INVALID_VALUE);
    assert_int_equal(cuMemcpyHtoD_v2(address, bytes, 1), CUDA_INVALID_VALUE);
}

static void memory__beyond_the_card__is_out_of_memory(void **state)
{
    CUdeviceptr half, rest;

    (void)state;
    assert_int_equal(cuMemAlloc_v2(&half, 2048ul * MIB), CUDA_SUCCESS);
    assert_int_equal(cuMemAlloc_v2(&rest, 2048ul * MIB), CUDA_OUT_OF_MEMORY);
    assert_int_equal(cuMemFree_v2(half), CUDA_SUCCESS);
    assert_int_equal(cuMemAlloc_v2(&rest, 2048ul * MIB), CUDA_SUCCESS);
    assert_int_equal(cuMemFree_v2(rest), CUDA_SUCCESS);
}

static void memory__copied_in_rows__keeps_their_pitch(void **state)
{
    CUdeviceptr address;
    size_t pitch;
    const char from[] = "abcdefgh";
    char to[6] = "";

    (void)state;
    assert_int_equal(cuMemAllocPitch_v2(&address, &pitch, 4, 2, 4),
                     CUDA_SUCCESS);
    CUDA_MEMCPY2D up = {.srcMemoryType = CU_MEMORYTYPE_HOST,
                        .srcHost = from,
                        .srcPitch = 4,
                        .dstMemoryType = CU_MEMORYTYPE_DEVICE,
                        .dstDevice = address,
                        .dstPitch = pitch,
                        .WidthInBytes = 4,
                        .Height = 2};
    CUDA_MEMCPY2D down = {.srcMemoryType = CU_MEMORYTYPE_DEVICE,
                          .srcDevice = address,
                          .srcPitch = pitch,
                          .srcXInBytes = 1,
                          .dstMemoryType = CU_MEMORYTYPE_HOST,
                          .dstHost = to,
                          .dstPitch = 2,
                          .WidthInBytes = 2,
                          .Height = 2};
    assert_int_equal(cuMemcpy2D_v2(&up), CUDA_SUCCESS);
    assert_int_equal(cuMemcpy2D_v2(&down), CUDA_SUCCESS);
    assert_string_equal(to, "bcfg");
    up.Height = 3;
    assert_int_equal(cuMemcpy2D_v2(&up), CUDA_INVALID_VALUE);
    assert_int_equal(cuMemFree_v2(address), CUDA_SUCCESS);
}

static void context__not_current__is_an_error(void **state)
{
    CUdeviceptr address;
    CUcontext popped;

    (void)state;
    assert_int_equal(cuCtxPopCurrent_v2(&popped), CUDA_SUCCESS);
    assert_ptr_equal(popped, context);
    assert_int_equal(cuMemAlloc_v2(&address, 1), CUDA_INVALID_CONTEXT);
    assert_int_equal(cuCtxPushCurrent_v2(context), CUDA_SUCCESS);
}

static void context__destroyed__takes_its_memory_along(void **state)
{
    CUcontext other;
    CUdeviceptr address;

    (void)state;
    assert_int_equal(cuCtxCreate_v2(&other, 0, 0), CUDA_SUCCESS);
    assert_int_equal(cuMemAlloc_v2(&address, 3000ul * MIB), CUDA_SUCCESS);
    assert_int_equal(cuCtxDestroy_v2(other), CUDA_SUCCESS);
    assert_int_equal(cuCtxPushCurrent_v2(other), CUDA_INVALID_CONTEXT);
    assert_int_equal(cuMemFree_v2(address), CUDA_INVALID_VALUE);
    assert_int_equal(cuMemAlloc_v2(&address, 3000ul * MIB), CUDA_SUCCESS);
    assert_int_equal(cuMemFree_v2(address), CUDA_SUCCESS);
}

#define PTX(name, parameters) \
    ".version 6.0\n.target sm_30\n.visible .entry " name "(\n" parameters ")" \
    "\n"
#define TWELVE ".param .u64 a,.param .u64 b,.param .u64 c,.param .u64 d,"

static void module__functions__are_found_by_name_and_parameters(void **state)
{
    static const struct {
        const char *ptx;
        const char *name;
        int expect;
    } cases[] = {
        {PTX("Overlay_Cuda", TWELVE TWELVE TWELVE), "Overlay_Cuda",
         CUDA_SUCCESS},
        {PTX("Overlay_Cuda", TWELVE), "Overlay_Cuda", CUDA_NOT_SUPPORTED},
        {PTX("Overlay_Cuda", TWELVE), "yadif_uchar", CUDA_NOT_FOUND},
        {PTX("Overlay_Cuda2", TWELVE), "Overlay_Cuda", CUDA_NOT_FOUND},
        {PTX("of_our_own", TWELVE), "of_our_own", CUDA_NOT_SUPPORTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CUmodule module;
        CUfunction function;
        print_message("%s of %s\n", cases[i].name, cases[i].ptx);
        assert_int_equal(cuModuleLoadData(&module, cases[i].ptx), CUDA_SUCCESS);
        assert_int_equal(cuModuleGetFunction(&function, module, cases[i].name),
                         cases[i].expect);
        assert_int_equal(cuModuleUnload(module), CUDA_SUCCESS);
    }
}

static void module__no_ptx__is_refused(void **state)
{
    CUmodule module;

    (void)state;
    assert_int_equal(cuModuleLoadData(&module, "\177ELF"), CUDA_INVALID_IMAGE);
}

static void decoder__capabilities__are_those_of_a_gp107(void **state)
{
    static const struct {
        cudaVideoCodec codec;
        cudaVideoChromaFormat chroma;
        unsigned depth;
        int supported;
        unsigned width;
    } cases[] = {
        {cudaVideoCodec_H264, cudaVideoChromaFormat_420, 8, 1, 4096},
        {cudaVideoCodec_H264, cudaVideoChromaFormat_420, 10, 0, 0},
        {cudaVideoCodec_HEVC, cudaVideoChromaFormat_420, 8, 1, 8192},
        {cudaVideoCodec_HEVC, cudaVideoChromaFormat_420, 12, 1, 8192},
        {cudaVideoCodec_HEVC, cudaVideoChromaFormat_444, 8, 0, 0},
        {cudaVideoCodec_VP9, cudaVideoChromaFormat_420, 10, 1, 8192},
        {cudaVideoCodec_MPEG2, cudaVideoChromaFormat_420, 8, 1, 4096},
        {cudaVideoCodec_VP8, cudaVideoChromaFormat_420, 8, 0, 0},
        {cudaVideoCodec_AV1, cudaVideoChromaFormat_420, 8, 0, 0},
        {cudaVideoCodec_VC1, cudaVideoChromaFormat_420, 8, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CUVIDDECODECAPS caps = {.eCodecType = cases[i].codec,
                                .eChromaFormat = cases[i].chroma,
                                .nBitDepthMinus8 = cases[i].depth - 8};
        print_message("codec %d, %u bit\n", (int)caps.eCodecType,
                      cases[i].depth);
        assert_int_equal(cuvidGetDecoderCaps(&caps), CUDA_SUCCESS);
        assert_int_equal(caps.bIsSupported, cases[i].supported);
        assert_int_equal(caps.nMaxWidth, cases[i].width);
    }
}

static CUVIDDECODECREATEINFO decoder_info(void)
{
    return (CUVIDDECODECREATEINFO){.CodecType = cudaVideoCodec_H264,
                                   .ChromaFormat = cudaVideoChromaFormat_420,
                                   .ulWidth = 320,
                                   .ulHeight = 192,
                                   .ulTargetWidth = 320,
                                   .ulTargetHeight = 192,
                                   .ulNumDecodeSurfaces = 4,
                                   .ulNumOutputSurfaces = 2};
}

static void decoder__more_frames_mapped_than_surfaces__is_an_error(void **state)
{
    CUVIDDECODECREATEINFO info = decoder_info();
    CUVIDPROCPARAMS how = {.progressive_frame = 1};
    unsigned long long first, second, third;
    CUvideodecoder decoder;
    unsigned pitch;

    (void)state;
    assert_int_equal(cuvidCreateDecoder(&decoder, &info), CUDA_SUCCESS);
    assert_int_equal(cuvidMapVideoFrame64(decoder, 0, &first, &pitch, &how), 0);
    assert_int_equal(cuvidMapVideoFrame64(decoder, 1, &second, &pitch, &how),
                     0);
    assert_int_equal(cuvidMapVideoFrame64(decoder, 2, &third, &pitch, &how),
                     CUDA_MAP_FAILED);
    assert_int_equal(cuvidUnmapVideoFrame64(decoder, first), 0);
    assert_int_equal(cuvidUnmapVideoFrame64(decoder, first),
                     CUDA_INVALID_VALUE);
    assert_int_equal(cuvidMapVideoFrame64(decoder, 2, &third, &pitch, &how), 0);
    assert_int_equal(cuvidMapVideoFrame64(decoder, 4, &third, &pitch, &how),
                     CUDA_INVALID_VALUE);
    assert_int_equal(cuvidUnmapVideoFrame64(decoder, second), 0);
    assert_int_equal(cuvidUnmapVideoFrame64(decoder, third), 0);
    assert_int_equal(cuvidDestroyDecoder(decoder), CUDA_SUCCESS);
    assert_int_equal(cuvidDestroyDecoder(decoder), CUDA_INVALID_HANDLE);
}

static void decoder__what_it_cannot_do__is_refused(void **state)
{
    static const struct {
        size_t offset;
        tcu_ulong value;
        int expect;
    } cases[] = {
        {offsetof(CUVIDDECODECREATEINFO, ulWidth), 4112, CUDA_NOT_SUPPORTED},
        {offsetof(CUVIDDECODECREATEINFO, ulHeight), 8, CUDA_NOT_SUPPORTED},
        {offsetof(CUVIDDECODECREATEINFO, bitDepthMinus8), 2,
         CUDA_NOT_SUPPORTED},
        {offsetof(CUVIDDECODECREATEINFO, ulTargetWidth), 160,
         CUDA_NOT_SUPPORTED},
        {offsetof(CUVIDDECODECREATEINFO, ulNumDecodeSurfaces), 0,
         CUDA_INVALID_VALUE},
        {offsetof(CUVIDDECODECREATEINFO, ulNumOutputSurfaces), 0,
         CUDA_INVALID_VALUE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CUVIDDECODECREATEINFO info = decoder_info();
        CUvideodecoder decoder;
        memcpy((char *)&info + cases[i].offset, &cases[i].value,
               sizeof(cases[i].value));
        assert_int_equal(cuvidCreateDecoder(&decoder, &info), cases[i].expect);
    }
}

static void error__every_code__has_a_name(void **state)
{
    const char *name;

    (void)state;
    assert_int_equal(cuGetErrorName((CUresult)CUDA_OUT_OF_MEMORY, &name), 0);
    assert_string_equal(name, "CUDA_ERROR_OUT_OF_MEMORY");
    assert_int_equal(cuGetErrorName((CUresult)12345, &name),
                     CUDA_INVALID_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory__read_by_the_cpu__crashes),
        cmocka_unit_test(memory__copied_there_and_back__is_the_same),
        cmocka_unit_test(memory__used_wrongly__is_an_error),
        cmocka_unit_test(memory__beyond_the_card__is_out_of_memory),
        cmocka_unit_test(memory__copied_in_rows__keeps_their_pitch),
        cmocka_unit_test(context__not_current__is_an_error),
        cmocka_unit_test(context__destroyed__takes_its_memory_along),
        cmocka_unit_test(module__functions__are_found_by_name_and_parameters),
        cmocka_unit_test(module__no_ptx__is_refused),
        cmocka_unit_test(decoder__capabilities__are_those_of_a_gp107),
        cmocka_unit_test(
            decoder__more_frames_mapped_than_surfaces__is_an_error),
        cmocka_unit_test(decoder__what_it_cannot_do__is_refused),
        cmocka_unit_test(error__every_code__has_a_name),
    };
    static const char *const files[] = {"state", "control", "ended.jsonl"};
    char folder[] = "/tmp/vgpu-unit-XXXXXX";

    if (!mkdtemp(folder))
        return 1;
    setenv("VGPU_MACHINE", folder, 1);
    setenv("VGPU_VERBOSE", "0", 1);
    int failed = cmocka_run_group_tests(tests, open_context, close_context);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
    return failed;
}
