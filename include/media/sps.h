/*
 * sps: what an H.264 stream's header says about the order of its pictures.
 * Pure; the bytes are a stranger's.
 */
#ifndef MEDIA_SPS_H
#define MEDIA_SPS_H

#include <stddef.h>
#include <stdint.h>

/* How many pictures a decoder holds back, of the first parameter set in a
 * decoder configuration record ("avcC"); -1 where it does not say. */
int sps_reordering(const uint8_t *record, size_t size);

#endif
