/*
 * clip: media made by the ffmpeg program when a test asks for it.
 */
#ifndef SUPPORT_CLIP_H
#define SUPPORT_CLIP_H

/*
 * Run `ffmpeg ARGUMENTS FOLDER/NAME`, the arguments split at blanks; "@" in
 * front of one stands for the folder: "-i @/a.mp4". Fails the test when it
 * cannot.
 */
void clip_make(const char *folder, const char *arguments, const char *name);

/* What `ffprobe ARGUMENTS FOLDER/NAME` prints, without the last newline; lives
 * until the next call. */
const char *clip_probe(const char *folder, const char *arguments,
                       const char *name);

#endif
