/*
 * cuda_error: the driver API's result codes; the public header knows but a few.
 */
#ifndef VGPU_CUDA_ERROR_H
#define VGPU_CUDA_ERROR_H

#include <ffnvcodec/dynlink_cuda.h>

// clang-format off
#define CUDA_ERRORS(X) \
    X(INVALID_VALUE,          1, "invalid argument") \
    X(OUT_OF_MEMORY,          2, "out of memory") \
    X(NOT_INITIALIZED,        3, "initialization error") \
    X(NO_DEVICE,            100, "no CUDA-capable device is detected") \
    X(INVALID_DEVICE,       101, "invalid device ordinal") \
    X(INVALID_IMAGE,        200, "device kernel image is invalid") \
    X(INVALID_CONTEXT,      201, "invalid device context") \
    X(MAP_FAILED,           205, "mapping of buffer object failed") \
    X(UNSUPPORTED_PTX_VERSION, 222, \
      "the provided PTX was compiled with an unsupported toolchain.") \
    X(OPERATING_SYSTEM,     304, \
      "OS call failed or operation not supported on this OS") \
    X(INVALID_HANDLE,       400, "invalid resource handle") \
    X(NOT_FOUND,            500, "named symbol not found") \
    X(ILLEGAL_ADDRESS,      700, "an illegal memory access was encountered") \
    X(LAUNCH_FAILED,        719, "unspecified launch failure") \
    X(NOT_SUPPORTED,        801, "operation not supported") \
    X(SYSTEM_DRIVER_MISMATCH, 803, \
      "system has unsupported display driver / cuda driver combination") \
    X(UNKNOWN_ERROR,        999, "unknown error")
// clang-format on

#define CUDA_ENUMERATOR(name, value, text) CUDA_##name = value,
enum cuda_error { CUDA_ERRORS(CUDA_ENUMERATOR) };

#endif
