/*
 * front: the index of an MP4 in front of its media, with nothing moved.
 *
 * How long an index is shows when all packets are there, so libav has it in
 * front by writing all of the media a second time. Where the input says how
 * many packets will come, room enough is left for it instead:
 *
 *   (room)       ftyp  free  mdat…  moov    what libav writes, behind the room
 *   ftyp  moov   free…       mdat…          what is made of that
 *
 * The room that the index does not need stays as a box of nothing, most of it
 * a hole in the file.
 */
#ifndef PIPELINE_FRONT_H
#define PIPELINE_FRONT_H

#include <stdint.h>

struct AVFormatContext;
struct error;
struct file_io;
struct plan_output;

/*
 * How many bytes to leave for the index of @to, which gets all packets of the
 * streams of @from that @plan names. 0: leave it to libav, for that cannot be
 * said, or would be much of so small a file.
 */
int64_t front_room(const struct plan_output *plan,
                   const struct AVFormatContext *to,
                   const struct AVFormatContext *from);

/*
 * Put what libav has written to @io, behind @room bytes and to its end, into
 * order. An index that has become longer than all that was foreseen stays at
 * the end, where players find it, too. 0 or -errno with words.
 */
int front_fill(struct file_io *io, int64_t room, struct error *e);

#endif
