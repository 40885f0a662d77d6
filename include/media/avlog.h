/*
 * avlog: what libav has to say, as whole lines.
 *
 * Its callback carries no pointer of ours, so this is one place in the process;
 * set it before the second thread starts.
 */
#ifndef MEDIA_AVLOG_H
#define MEDIA_AVLOG_H

#include "base/log.h"

/* @sink gets each warning and error, escaped, without its newline, from any
 * thread. Lines that repeat the one before are not repeated. */
void avlog_start(void (*sink)(void *opaque, enum log_level level,
                              const char *line),
                 void *opaque);

#endif
