/*
 * light: for what light a picture was made: the display that it was mastered on
 * and how bright its content is (HDR10).
 *
 * Few encoders write it into their stream (NVENC of driver 470 does not): the
 * container says it, and so does pipeline/sei.
 */
#ifndef PIPELINE_LIGHT_H
#define PIPELINE_LIGHT_H

struct AVFrame;
struct AVStream;

/* What @frame says, in a frame without a picture that the caller owns; NULL:
 * it says nothing. */
struct AVFrame *light_take(const struct AVFrame *frame);

/* Say it of @st; NULL is allowed. 0 or -ENOMEM. */
int light_give(struct AVStream *st, const struct AVFrame *light);

#endif
