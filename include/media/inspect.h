/*
 * inspect: an opened input → media_info.
 */
#ifndef MEDIA_INSPECT_H
#define MEDIA_INSPECT_H

#include "media/info.h"

/* What is said of an input that nobody here has the key of. */
#define INSPECT_ENCRYPTED "the input is encrypted"

struct AVFormatContext;
struct AVStream;
struct error;

/* Describe what @format says now; media_info.start is left 0. The caller calls
 * media_info_fini(). */
void inspect_format(struct media_info *ret,
                    const struct AVFormatContext *format);

/* Can media be made of it at all? 0, or -EBADMSG with words for a person. */
int inspect_check(const struct media_info *info, struct error *e);

/* Does a header claim pictures that nobody should allocate, not even to find
 * out more? 0, or -EBADMSG with words for a person. */
int inspect_check_header(const struct AVFormatContext *format, struct error *e);

/* Do the headers of container and streams say all that copying and decoding
 * take, so that nothing needs to be read ahead and decoded to find out? The
 * delay of a video's decoder is noted in its stream's parameters. */
bool inspect_header_suffices(const struct AVFormatContext *format);

/* Is it one of video or audio with packets of its own (no cover art)? */
bool inspect_is_timed(const struct AVStream *st);

#endif
