/*
 * ear: what libav said while something was tried that may fail. For a survey,
 * which has the process to itself: takes libav's log over, of one thread.
 */
#ifndef MEDIA_EAR_H
#define MEDIA_EAR_H

void ear_open(void);

/* Forget what was said so far. */
void ear_clear(void);

/* The errors since then, joined by "; ", "" for none. Lives until the next. */
const char *ear_heard(void);

#endif
