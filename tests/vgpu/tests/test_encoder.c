/* NVENC's rules about sessions and buffers, as a client meets them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ffnvcodec/dynlink_cuda.h>
#include <ffnvcodec/nvEncodeAPI.h>

#define WIDTH    192
#define HEIGHT   128
#define PICTURES 8

extern tcuInit cuInit;
extern tcuCtxCreate_v2 cuCtxCreate_v2;
extern tcuCtxDestroy_v2 cuCtxDestroy_v2;
extern tcuMemAlloc_v2 cuMemAlloc_v2;
extern tcuMemFree_v2 cuMemFree_v2;

static CUcontext context;
static NV_ENCODE_API_FUNCTION_LIST api;

static int open_api(void **state)
{
    (void)state;
    api.version = NV_ENCODE_API_FUNCTION_LIST_VER;
    return cuInit(0) || cuCtxCreate_v2(&context, 0, 0) ||
           NvEncodeAPICreateInstance(&api);
}

static int close_api(void **state)
{
    (void)state;
    return (int)cuCtxDestroy_v2(context);
}

static NVENCSTATUS open_session(void **ret, void *device, uint32_t version)
{
    NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS p = {
        .version = NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS_VER,
        .deviceType = NV_ENC_DEVICE_TYPE_CUDA,
        .device = device,
        .apiVersion = version,
    };

    return api.nvEncOpenEncodeSessionEx(&p, ret);
}

/* A session with two B-frames in a row, its input and its outputs. */
struct fixture {
    void *session;
    CUdeviceptr pixels;
    NV_ENC_REGISTERED_PTR resource;
    NV_ENC_INPUT_PTR input;
    NV_ENC_OUTPUT_PTR outputs[PICTURES];
};

static void initialise(void *session, int b_frames)
{
    NV_ENC_CONFIG config = {
        .version = NV_ENC_CONFIG_VER,
        .profileGUID = NV_ENC_H264_PROFILE_HIGH_GUID,
        .gopLength = NVENC_INFINITE_GOPLENGTH,
        .frameIntervalP = b_frames + 1,
        .rcParams = {.constQP = {28, 28, 28}},
        .encodeCodecConfig.h264Config = {.idrPeriod = NVENC_INFINITE_GOPLENGTH,
                                         .chromaFormatIDC = 1},
    };
    NV_ENC_INITIALIZE_PARAMS p = {
        .version = NV_ENC_INITIALIZE_PARAMS_VER,
        .encodeGUID = NV_ENC_CODEC_H264_GUID,
        .presetGUID = NV_ENC_PRESET_P4_GUID,
        .encodeWidth = WIDTH,
        .encodeHeight = HEIGHT,
        .frameRateNum = 25,
        .frameRateDen = 1,
        .enablePTD = 1,
        .encodeConfig = &config,
    };

    assert_int_equal(api.nvEncInitializeEncoder(session, &p), NV_ENC_SUCCESS);
}

static int open_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(open_session(&f->session, context, NVENCAPI_VERSION), 0);
    initialise(f->session, 2);
    assert_int_equal(cuMemAlloc_v2(&f->pixels, WIDTH * HEIGHT * 3 / 2), 0);
    NV_ENC_REGISTER_RESOURCE resource = {
        .version = NV_ENC_REGISTER_RESOURCE_VER,
        .resourceType = NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR,
        .resourceToRegister = (void *)(uintptr_t)f->pixels,
        .width = WIDTH,
        .height = HEIGHT,
        .pitch = WIDTH,
        .bufferFormat = NV_ENC_BUFFER_FORMAT_NV12,
    };
    assert_int_equal(api.nvEncRegisterResource(f->session, &resource), 0);
    f->resource = resource.registeredResource;
    NV_ENC_MAP_INPUT_RESOURCE map = {.version = NV_ENC_MAP_INPUT_RESOURCE_VER,
                                     .registeredResource = f->resource};
    assert_int_equal(api.nvEncMapInputResource(f->session, &map), 0);
    f->input = map.mappedResource;
    for (int i = 0; i < PICTURES; i++) {
        NV_ENC_CREATE_BITSTREAM_BUFFER b = {
            .version = NV_ENC_CREATE_BITSTREAM_BUFFER_VER};
        assert_int_equal(api.nvEncCreateBitstreamBuffer(f->session, &b), 0);
        f->outputs[i] = b.bitstreamBuffer;
    }
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;

    api.nvEncUnmapInputResource(f->session, f->input);
    assert_int_equal(api.nvEncDestroyEncoder(f->session), NV_ENC_SUCCESS);
    assert_int_equal(cuMemFree_v2(f->pixels), CUDA_SUCCESS);
    free(f);
    return 0;
}

static NVENCSTATUS encode(const struct fixture *f, int i)
{
    NV_ENC_PIC_PARAMS p = {.version = NV_ENC_PIC_PARAMS_VER,
                           .inputWidth = WIDTH,
                           .inputHeight = HEIGHT,
                           .inputPitch = WIDTH,
                           .inputBuffer = f->input,
                           .outputBitstream = f->outputs[i % PICTURES],
                           .bufferFmt = NV_ENC_BUFFER_FORMAT_NV12,
                           .pictureStruct = NV_ENC_PIC_STRUCT_FRAME,
                           .inputTimeStamp = 1000u + (unsigned)i};

    return api.nvEncEncodePicture(f->session, &p);
}

static NVENCSTATUS end_of_stream(const struct fixture *f)
{
    NV_ENC_PIC_PARAMS p = {.version = NV_ENC_PIC_PARAMS_VER,
                           .encodePicFlags = NV_ENC_PIC_FLAG_EOS};

    return api.nvEncEncodePicture(f->session, &p);
}

static NVENCSTATUS lock(const struct fixture *f, int i,
                        NV_ENC_LOCK_BITSTREAM *ret)
{
    *ret = (NV_ENC_LOCK_BITSTREAM){.version = NV_ENC_LOCK_BITSTREAM_VER,
                                   .outputBitstream = f->outputs[i]};
    return api.nvEncLockBitstream(f->session, ret);
}

static void instance__newer_client__is_refused(void **state)
{
    NV_ENCODE_API_FUNCTION_LIST newer = {
        .version = (NV_ENCODE_API_FUNCTION_LIST_VER & ~0xffu) | 12};
    uint32_t version;
    void *session;

    (void)state;
    assert_int_equal(NvEncodeAPICreateInstance(&newer),
                     NV_ENC_ERR_INVALID_VERSION);
    assert_int_equal(open_session(&session, context, 12),
                     NV_ENC_ERR_INVALID_VERSION);
    assert_int_equal(open_session(&session, context, 11u | 2u << 24),
                     NV_ENC_ERR_INVALID_VERSION);
    assert_int_equal(NvEncodeAPIGetMaxSupportedVersion(&version), 0);
    assert_int_equal(version, 0xb1);
}

static void session__no_context__is_refused(void **state)
{
    void *session;

    (void)state;
    assert_int_equal(open_session(&session, NULL, NVENCAPI_VERSION),
                     NV_ENC_ERR_INVALID_DEVICE);
    assert_null(session);
}

static void session__beyond_the_limit__is_out_of_memory(void **state)
{
    void *sessions[3], *fourth;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(open_session(&sessions[i], context, NVENCAPI_VERSION),
                         NV_ENC_SUCCESS);
    assert_int_equal(open_session(&fourth, context, NVENCAPI_VERSION),
                     NV_ENC_ERR_OUT_OF_MEMORY);
    assert_int_equal(api.nvEncDestroyEncoder(sessions[0]), NV_ENC_SUCCESS);
    assert_int_equal(open_session(&sessions[0], context, NVENCAPI_VERSION),
                     NV_ENC_SUCCESS);
    for (int i = 0; i < 3; i++)
        assert_int_equal(api.nvEncDestroyEncoder(sessions[i]), NV_ENC_SUCCESS);
    assert_int_equal(api.nvEncDestroyEncoder(sessions[0]),
                     NV_ENC_ERR_INVALID_ENCODERDEVICE);
}

static void encode__b_frames__come_out_in_coding_order(void **state)
{
    static const NVENCSTATUS statuses[] = {
        NV_ENC_ERR_NEED_MORE_INPUT, NV_ENC_ERR_NEED_MORE_INPUT, NV_ENC_SUCCESS,
        NV_ENC_SUCCESS, NV_ENC_SUCCESS};
    static const uint64_t times[] = {1000, 1003, 1001, 1002, 1004};
    static const NV_ENC_PIC_TYPE types[] = {
        NV_ENC_PIC_TYPE_IDR, NV_ENC_PIC_TYPE_P, NV_ENC_PIC_TYPE_B,
        NV_ENC_PIC_TYPE_B, NV_ENC_PIC_TYPE_P};
    const struct fixture *f = *state;
    NV_ENC_LOCK_BITSTREAM locked;

    for (int i = 0; i < 5; i++)
        assert_int_equal(encode(f, i), statuses[i]);
    assert_int_equal(end_of_stream(f), NV_ENC_SUCCESS);
    assert_int_equal(end_of_stream(f), NV_ENC_SUCCESS);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(lock(f, i, &locked), NV_ENC_SUCCESS);
        assert_int_equal(locked.outputTimeStamp, times[i]);
        assert_int_equal(locked.pictureType, types[i]);
        assert_true(locked.bitstreamSizeInBytes > 0);
        assert_int_equal(api.nvEncUnlockBitstream(f->session, f->outputs[i]),
                         0);
    }
}

static void lock__nothing_there__does_not_hang(void **state)
{
    const struct fixture *f = *state;
    NV_ENC_LOCK_BITSTREAM locked = {.version = NV_ENC_LOCK_BITSTREAM_VER,
                                    .doNotWait = 1,
                                    .outputBitstream = f->outputs[0]};

    assert_int_equal(encode(f, 0), NV_ENC_ERR_NEED_MORE_INPUT);
    assert_int_equal(api.nvEncLockBitstream(f->session, &locked),
                     NV_ENC_ERR_LOCK_BUSY);
    assert_int_equal(lock(f, 0, &locked), NV_ENC_ERR_INVALID_PARAM);
}

static void encode__output_in_use__is_refused(void **state)
{
    const struct fixture *f = *state;

    assert_int_equal(encode(f, 0), NV_ENC_ERR_NEED_MORE_INPUT);
    assert_int_equal(encode(f, PICTURES), NV_ENC_ERR_INVALID_PARAM);
    assert_int_equal(api.nvEncDestroyBitstreamBuffer(f->session, f->outputs[0]),
                     NV_ENC_ERR_INVALID_PARAM);
}

static void encode__input_not_mapped__is_refused(void **state)
{
    const struct fixture *f = *state;

    assert_int_equal(api.nvEncUnmapInputResource(f->session, f->input), 0);
    assert_int_equal(encode(f, 0), NV_ENC_ERR_RESOURCE_NOT_MAPPED);
    assert_int_equal(api.nvEncUnmapInputResource(f->session, f->input),
                     NV_ENC_ERR_RESOURCE_NOT_MAPPED);
}

static void register__less_memory_than_planes__is_refused(void **state)
{
    const struct fixture *f = *state;
    NV_ENC_REGISTER_RESOURCE resource = {
        .version = NV_ENC_REGISTER_RESOURCE_VER,
        .resourceType = NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR,
        .resourceToRegister = (void *)(uintptr_t)f->pixels,
        .width = WIDTH,
        .height = HEIGHT + 16,
        .pitch = WIDTH,
        .bufferFormat = NV_ENC_BUFFER_FORMAT_NV12,
    };

    assert_int_equal(api.nvEncRegisterResource(f->session, &resource),
                     NV_ENC_ERR_RESOURCE_REGISTER_FAILED);
}

static void parameter_sets__small_buffer__is_said(void **state)
{
    const struct fixture *f = *state;
    uint8_t buffer[256];
    uint32_t size = 0;
    NV_ENC_SEQUENCE_PARAM_PAYLOAD p = {.version =
                                           NV_ENC_SEQUENCE_PARAM_PAYLOAD_VER,
                                       .inBufferSize = 8,
                                       .spsppsBuffer = buffer,
                                       .outSPSPPSPayloadSize = &size};

    assert_int_equal(api.nvEncGetSequenceParams(f->session, &p),
                     NV_ENC_ERR_NOT_ENOUGH_BUFFER);
    p.inBufferSize = sizeof(buffer);
    assert_int_equal(api.nvEncGetSequenceParams(f->session, &p), 0);
    assert_in_range(size, 16, sizeof(buffer));
    assert_memory_equal(buffer, "\0\0\0\1\x67", 5);
}

int main(void)
{
#define WITH_SESSION(test) \
    cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instance__newer_client__is_refused),
        cmocka_unit_test(session__no_context__is_refused),
        cmocka_unit_test(session__beyond_the_limit__is_out_of_memory),
        WITH_SESSION(encode__b_frames__come_out_in_coding_order),
        WITH_SESSION(lock__nothing_there__does_not_hang),
        WITH_SESSION(encode__output_in_use__is_refused),
        WITH_SESSION(encode__input_not_mapped__is_refused),
        WITH_SESSION(register__less_memory_than_planes__is_refused),
        WITH_SESSION(parameter_sets__small_buffer__is_said),
    };
    static const char *const files[] = {"state", "control", "ended.jsonl"};
    char folder[] = "/tmp/vgpu-unit-XXXXXX";

    if (!mkdtemp(folder))
        return 1;
    setenv("VGPU_MACHINE", folder, 1);
    setenv("VGPU_VERBOSE", "0", 1);
    int failed = cmocka_run_group_tests(tests, open_api, close_api);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
    return failed;
}
