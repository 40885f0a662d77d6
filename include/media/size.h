/*
 * size: how large the picture will be. Pure.
 */
#ifndef MEDIA_SIZE_H
#define MEDIA_SIZE_H

struct job_video;

struct size {
    int width; // pixels as stored; their own shape stays as it is
    int height;
};

/*
 * The size of a picture that is @source when it stands upright: as the job asks
 * for, a side that it leaves open by the aspect ratio, all of it inside the
 * maxima, never enlarged for them, and both sides even.
 */
struct size size_fit(struct size source, const struct job_video *wanted);

#endif
