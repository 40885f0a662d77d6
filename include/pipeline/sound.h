/*
 * sound: which rate, layout and sample format an encoder gets.
 */
#ifndef PIPELINE_SOUND_H
#define PIPELINE_SOUND_H

#include <stddef.h>

#include <libavutil/frame.h>

struct plan_track;

/*
 * The filter "aformat=…" in @ret that turns sound like @frame into what
 * @track's encoder takes: no more channels than planned or than there are, the
 * planned rate or the source's, or what the encoder has next to it.
 */
void sound_describe(const struct plan_track *track, const AVFrame *frame,
                    char *ret, size_t size);

#endif
