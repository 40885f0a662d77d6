#include "notify.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"

void notify_ready(void)
{
    (void)sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_now());
}

void notify_stopping(int64_t us)
{
    (void)sd_notifyf(0,
                     "STOPPING=1\nSTATUS=Waiting for running jobs\n"
                     "EXTEND_TIMEOUT_USEC=%" PRId64,
                     us);
}

void notify_status(const char *text)
{
    (void)sd_notifyf(0, "STATUS=%s", text);
}

int64_t notify_watchdog(void)
{
    uint64_t us = 0;

    return sd_watchdog_enabled(0, &us) > 0 ? (int64_t)us : 0;
}

void notify_alive(void)
{
    (void)sd_notify(0, "WATCHDOG=1");
}
