/*
 * plan_video: the part of a plan that is about an encoded picture. Pure.
 */
#ifndef MEDIA_PLAN_VIDEO_H
#define MEDIA_PLAN_VIDEO_H

struct error;
struct job_video;
struct media_stream;
struct plan_track;

/* Fill in @track's video, encoder, options and description, for the stream @st.
 * 0 or -errno with the field. */
int plan_video_encode(struct plan_track *track, const struct job_video *video,
                      const struct media_stream *st, int threads,
                      struct error *e);

#endif
