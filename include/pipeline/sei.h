/*
 * sei: what light pictures were made for (pipeline/light), said in a stream of
 * HEVC itself, which a container without a place for it (MPEG-TS) needs.
 */
#ifndef PIPELINE_SEI_H
#define PIPELINE_SEI_H

struct AVFrame;
struct AVPacket;

/*
 * Say what @light says in front of the picture in @packet, which is HEVC with
 * start codes; an encoder that has said it is not repeated. NULL is allowed.
 *
 * Returns 0 or -ENOMEM.
 */
int sei_insert(struct AVPacket *packet, const struct AVFrame *light);

#endif
