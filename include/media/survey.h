/*
 * survey: tries what the GPUs, their driver and this build of libav can do
 * together (`transcoded-worker --survey`). What it finds is model/survey.h's.
 *
 * Drivers hang and crash, so this runs in a process of its own.
 */
#ifndef MEDIA_SURVEY_H
#define MEDIA_SURVEY_H

struct survey;

#define SURVEY_ANEW_ALL "all"

/*
 * Fills @ret, which the caller frees with survey_fini(). A machine without a
 * GPU is no error: the survey says why.
 *
 * Devices that stand in @known (NULL: none) with the same card, driver and
 * libav are not tried again, as far as that was sure: no context is made and no
 * session opened for them, and no session where only the encoders were sure.
 * @anew names the UUID of one that is, or all; NULL: none. Where others
 * hold what trying it again would take, what was known of it stays.
 */
void survey_take(struct survey *ret, const struct survey *known,
                 const char *anew);

#endif
