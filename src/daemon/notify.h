/*
 * notify: what the service manager is told (sd_notify(3)). Without one all of
 * it does nothing.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

void notify_ready(void);
void notify_reloading(void); // then notify_ready() again
/* The stop may take @us from now on. */
void notify_stopping(int64_t us);
/* What is going on, in words. */
void notify_status(const char *text);

/* µs within which notify_alive() must be called, 0: nobody watches. */
int64_t notify_watchdog(void);
void notify_alive(void);

#endif
