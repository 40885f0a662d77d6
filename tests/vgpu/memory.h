/*
 * memory: the card's memory, as device addresses that the CPU cannot read.
 *
 * An allocation is a range of addresses without any access, which is what the
 * client gets, and ordinary memory elsewhere that only the stand-in knows. A
 * client that reads a device pointer crashes, as it would with a card.
 *
 * Every byte is accounted with the machine. Any thread.
 */
#ifndef VGPU_MEMORY_H
#define VGPU_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ffnvcodec/dynlink_cuda.h>

struct context;

/* CUDA_SUCCESS, or an error; @ret is written on success only. */
CUresult memory_allocate(struct context *owner, size_t size, CUdeviceptr *ret);
CUresult memory_free(CUdeviceptr address);

/* Free all that belongs to @owner. */
void memory_free_all(const struct context *owner);

/* How many allocations are alive. */
size_t memory_count(void);

/* Whether the address lies in an allocation at all. */
bool memory_is_device(CUdeviceptr address);

/*
 * What the stand-in reads and writes for @size bytes at @address. NULL when
 * they are not all inside of one allocation.
 */
uint8_t *memory_at(CUdeviceptr address, size_t size);

/* The same for @rows rows, @pitch apart, of @width bytes. */
uint8_t *memory_rows(CUdeviceptr address, size_t pitch, size_t width,
                     size_t rows);

#endif
