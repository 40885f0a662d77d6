/*
 * survey: tries what the GPUs, their driver and this build of libav can do
 * together (`transcoded-worker --survey`). What it finds is model/survey.h's.
 *
 * Drivers hang and crash, so this runs in a process of its own.
 */
#ifndef MEDIA_SURVEY_H
#define MEDIA_SURVEY_H

struct survey;

/* Fills @ret, which the caller frees with survey_fini(). A machine without a
 * GPU is no error: the survey says why. */
void survey_take(struct survey *ret);

#endif
