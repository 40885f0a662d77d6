/*
 * avlog: what libav has to say, as whole lines.
 *
 * Its callback carries no pointer of ours, so this is one place in the process;
 * set it before the second thread starts.
 */
#ifndef MEDIA_AVLOG_H
#define MEDIA_AVLOG_H

#include "base/log.h"

/* @sink gets each warning and error, escaped, without its newline and with the
 * codec, filter or container in front that it comes from; from any thread.
 * Lines that repeat the one before are not repeated, but for the first one
 * behind a call of this. */
void avlog_start(void (*sink)(void *opaque, enum log_level level,
                              const char *line),
                 void *opaque);

/* The errors that libav said in the calling thread since it was told to forget
 * them, with newlines between; "" for none. A code alone often says too little.
 */
void avlog_forget_errors(void);
const char *avlog_errors(void);

/* Between these two the calling thread only finds out what an input is. What
 * codecs say then is for debugging, LOG_LEVEL_DEBUG. */
void avlog_begin_probe(void);
void avlog_end_probe(void);

#endif
