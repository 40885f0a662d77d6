#include "opener.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "files/files.h"
#include "model/job.h"

struct opener {
    pthread_t thread;
    struct job job;
    struct files *files; // owned
    int channel;         // owned; our end
};

static void *serve(void *user)
{
    struct opener *o = user;

    (void)files_run(o->files, o->channel, NULL); // the outcome tells
    return NULL;
}

static void destroy(struct opener *o)
{
    fd_close(&o->channel);
    files_destroy(o->files);
    job_fini(&o->job);
    free(o);
}

int opener_start(struct opener **ret, int *ret_channel,
                 const struct json_t *job, struct error *e)
{
    struct opener *o = xcalloc(1, sizeof(*o));
    int pair[2];

    o->channel = -1;
    int r = job_from_json(&o->job, job, e);
    if (r < 0) {
        free(o);
        return r;
    }
    o->files = files_create(&o->job, NULL);
    r = fd_socketpair(SOCK_SEQPACKET, pair);
    if (r == 0) {
        o->channel = pair[0];
        *ret_channel = pair[1];
        r = -pthread_create(&o->thread, NULL, serve, o);
        if (r < 0)
            fd_close(&pair[1]);
    }
    if (r < 0) {
        destroy(o);
        return error_set_errno(e, r, "cannot start an opener");
    }
    *ret = o;
    return 0;
}

void opener_stop(struct opener *o)
{
    if (!o)
        return;
    (void)pthread_join(o->thread, NULL);
    destroy(o);
}
