/*
 * adts: takes the header off each packet of AAC as MPEG-TS and raw files have
 * it, and says once what they said, as MP4 wants it.
 */
#ifndef PIPELINE_ADTS_H
#define PIPELINE_ADTS_H

#include <stdbool.h>

struct AVPacket;
struct AVStream;
struct adts;
struct error;

/* Does the stream have its headers in its packets? */
bool adts_is_in(const struct AVStream *st);

/* 0 or -errno with words. */
int adts_create(struct adts **ret, const struct AVStream *st, struct error *e);
void adts_destroy(struct adts *a); // NULL is allowed

/* Strip @packet in place. 0 or libav's error. */
int adts_strip(struct adts *a, struct AVPacket *packet);

#endif
