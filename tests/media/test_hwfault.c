#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "media/hwfault.h"

#define MIB(n) (INT64_C(n) << 20)

static void hwfault_classify__what_libav_says__decides(void **state)
{
    static const struct {
        enum outcome_part part;
        int code;
        const char *line;
        int64_t free_memory;
        enum outcome expect;
    } cases[] = {
        // one session too many, as driver 470 says it, and later ones
        {OUTCOME_PART_ENCODE, -ENOMEM,
         "OpenEncodeSessionEx failed: out of memory (10): (no details)",
         MIB(2000), OUTCOME_NO_SESSION},
        {OUTCOME_PART_ENCODE, -EINVAL,
         "OpenEncodeSessionEx failed: incompatible client key (21): ",
         MIB(2000), OUTCOME_NO_SESSION},
        {OUTCOME_PART_ENCODE, -EINVAL,
         "OpenEncodeSessionEx failed: incompatible client key (21): ", MIB(1),
         OUTCOME_NO_SESSION},
        // the same words without memory
        {OUTCOME_PART_ENCODE, -ENOMEM,
         "OpenEncodeSessionEx failed: out of memory (10): (no details)",
         MIB(20), OUTCOME_NO_MEMORY},
        {OUTCOME_PART_ENCODE, -ENOMEM,
         "OpenEncodeSessionEx failed: out of memory (10): (no details)",
         HWFAULT_MEMORY_UNKNOWN, OUTCOME_NO_SESSION},
        {OUTCOME_PART_ENCODE, -ENOMEM,
         "CreateBitstreamBuffer failed: out of memory (10): ", MIB(2000),
         OUTCOME_NO_MEMORY},
        {OUTCOME_PART_ENCODE, -EIO, "EncodePicture failed!: generic error (20)",
         MIB(2000), OUTCOME_DEVICE_LOST},
        {OUTCOME_PART_ENCODE, -EINVAL,
         "OpenEncodeSessionEx failed: invalid param (8): ", MIB(2000),
         OUTCOME_DEVICE_LOST},
        {OUTCOME_PART_ENCODE, -EINVAL,
         "EncodePicture failed!: encoder not initialized (11)", MIB(2000),
         OUTCOME_DEVICE_LOST},
        {OUTCOME_PART_ENCODE, -ENOSYS,
         "Driver does not support the required nvenc API version. Required: "
         "12.0 Found: 11.1",
         MIB(2000), OUTCOME_DEVICE_LOST},
        {OUTCOME_PART_DECODE, -ENOTSUP,
         "cvdl->cuvidCreateDecoder(&decoder->decoder, params) failed -> "
         "CUDA_ERROR_UNKNOWN: unknown error\nFailed setup for format cuda",
         MIB(2000), OUTCOME_DEVICE_LOST},
        // what one job asks for is no failure of the device
        {OUTCOME_PART_ENCODE, -EINVAL,
         "InitializeEncoder failed: invalid param (8): ", MIB(2000),
         OUTCOME_BAD_REQUEST},
        {OUTCOME_PART_ENCODE, -ENOSYS,
         "Max B-frames 3 exceed 0\nProvided device doesn't support required "
         "NVENC features",
         MIB(2000), OUTCOME_BAD_REQUEST},
        {OUTCOME_PART_DECODE, -ENOTSUP, "", MIB(2000), OUTCOME_BAD_INPUT},
        {OUTCOME_PART_DECODE, -ENOTSUP,
         "cvdl->cuvidCreateDecoder(&decoder->decoder, params) failed -> "
         "CUDA_ERROR_NOT_SUPPORTED: operation not supported",
         MIB(2000), OUTCOME_BAD_INPUT},
        {OUTCOME_PART_DEVICE, -ENOSYS, "Unsupported input format: rgb48le",
         MIB(2000), OUTCOME_BAD_INPUT},
        {OUTCOME_PART_DECODE, -EIO,
         "cuvidCreateDecoder failed -> CUDA_ERROR_OUT_OF_MEMORY: out of memory",
         MIB(20), OUTCOME_NO_MEMORY},
        {OUTCOME_PART_DECODE, -ENOMEM, "No decoder surfaces left", MIB(2000),
         OUTCOME_NO_MEMORY},
        // whatever code comes with them
        {OUTCOME_PART_ENCODE, -EIO,
         "CreateInputBuffer failed: out of memory (10): ", MIB(2000),
         OUTCOME_NO_MEMORY},
        {OUTCOME_PART_DECODE, -EIO, "No decoder surfaces left", MIB(2000),
         OUTCOME_NO_MEMORY},
        {OUTCOME_PART_ENCODE, -ENOSYS, "Cannot load libnvidia-encode.so.1",
         MIB(2000), OUTCOME_DEVICE_LOST},
        {OUTCOME_PART_ENCODE, -ERANGE, "", MIB(2000), OUTCOME_BAD_REQUEST},
        {OUTCOME_PART_NONE, -EINVAL, "", MIB(2000), OUTCOME_DEVICE_LOST},
        // as much as a session takes is enough for one
        {OUTCOME_PART_ENCODE, -ENOMEM,
         "OpenEncodeSessionEx failed: out of memory (10): ", MIB(128),
         OUTCOME_NO_SESSION},
        {OUTCOME_PART_ENCODE, -ENOMEM,
         "OpenEncodeSessionEx failed: out of memory (10): ", MIB(128) - 1,
         OUTCOME_NO_MEMORY},
        {OUTCOME_PART_DECODE, -EIO,
         "cuvidDecodePicture failed -> CUDA_ERROR_UNKNOWN", MIB(2000),
         OUTCOME_DEVICE_LOST},
        {OUTCOME_PART_DEVICE, -EIO,
         "cuCtxCreate failed -> CUDA_ERROR_OUT_OF_MEMORY: out of memory",
         HWFAULT_MEMORY_UNKNOWN, OUTCOME_NO_MEMORY},
        {OUTCOME_PART_DEVICE, -ENOMEM, "", HWFAULT_MEMORY_UNKNOWN,
         OUTCOME_NO_MEMORY},
        {OUTCOME_PART_DEVICE, -ENODEV, "", HWFAULT_MEMORY_UNKNOWN,
         OUTCOME_DEVICE_LOST},
        // the words count wherever they stand
        {OUTCOME_PART_ENCODE, -ENOMEM,
         "first\nOpenEncodeSessionEx failed: out of memory (10)\nlast",
         MIB(2000), OUTCOME_NO_SESSION},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].line);
        const struct hwfault f = hwfault_classify(
            cases[i].part, cases[i].code, cases[i].line, cases[i].free_memory);
        assert_string_equal(outcome_name(f.outcome),
                            outcome_name(cases[i].expect));
        assert_int_equal(f.part, cases[i].part);
    }
}

static void hwfault_classify__device_answers_no_more__it_is_lost(void **state)
{
    const struct hwfault f = hwfault_classify(
        OUTCOME_PART_ENCODE, -EIO, "EncodePicture failed!: generic error (20)",
        HWFAULT_MEMORY_UNKNOWN);

    (void)state;
    assert_int_equal(f.outcome, OUTCOME_DEVICE_LOST);
    assert_int_equal(f.part, OUTCOME_PART_DEVICE);
    const struct hwfault silent = hwfault_classify(OUTCOME_PART_ENCODE, -EINVAL,
                                                   "", HWFAULT_MEMORY_UNKNOWN);
    assert_int_equal(silent.outcome, OUTCOME_DEVICE_LOST);
    assert_int_equal(silent.part, OUTCOME_PART_DEVICE);
}

static void line__of_a_driver_or_of_the_input__is_told_apart(void **state)
{
    static const struct {
        const char *line;
        bool expect;
    } cases[] = {
        {"h264_nvenc: EncodePicture failed!: generic error (20): ", true},
        {"hevc_nvenc: Provided device doesn't support required NVENC features",
         true},
        {"av1_nvenc: No capable devices found", true},
        {"AVHWFramesContext: Could not register a buffer", true},
        {"h264: No decoder surfaces left", true},
        {"scale_cuda: cu->cuLaunchKernel(func) failed -> "
         "CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure",
         true},
        {"AVHWDeviceContext: cu->cuMemAlloc(&data, size) failed", true},
        {"h264: hardware accelerator failed to decode picture", true},
        {"h264: Failed setup for format cuda: hwaccel initialisation returned "
         "error.",
         true},
        {"h264: error while decoding MB 3 4", false},
        {"hevc: no frame!", false},
        {"libx264: broken ffmpeg default settings detected", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("'%s'\n", cases[i].line);
        assert_int_equal(hwfault_is_told_by(cases[i].line), cases[i].expect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hwfault_classify__what_libav_says__decides),
        cmocka_unit_test(hwfault_classify__device_answers_no_more__it_is_lost),
        cmocka_unit_test(line__of_a_driver_or_of_the_input__is_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
