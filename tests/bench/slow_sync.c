/*
 * slow_sync: preloaded into the daemon, makes of every sync one that takes 10
 * ms, as on a disk that turns.
 */
#include <time.h>

int fsync(int fd);
int fdatasync(int fd);

static int wait_10_ms(void)
{
    const struct timespec t = {.tv_nsec = 10 * 1000 * 1000};

    (void)nanosleep(&t, NULL);
    return 0;
}

int fsync(int fd)
{
    (void)fd;
    return wait_10_ms();
}

int fdatasync(int fd)
{
    (void)fd;
    return wait_10_ms();
}
