#include "opener.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "child.h"

// a memory file, for a pipe might be full and would have to be fed
int opener_make_input(const struct json_t *document)
{
    char *text = json_dumps(document, JSON_COMPACT);
    int fd = memfd_create("job", MFD_CLOEXEC);
    int r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text) + 1);

    if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
        r = -errno;
    free(text);
    if (r < 0) {
        fd_close(&fd);
        return r;
    }
    return fd;
}

int opener_start(struct child **ret, int *ret_channel, uv_loop_t *loop,
                 const struct opener_config *config, struct error *e)
{
    int ends[2];

    int r = fd_socketpair(SOCK_SEQPACKET, ends);
    if (r < 0)
        return error_set_errno(e, r, "cannot make a file channel");
    int input = opener_make_input(config->document);
    if (input < 0) {
        r = error_set_errno(e, input, "cannot pass the job to its opener");
    } else {
        const struct child_config child = {
            .program = config->program,
            .input = input,
            .output = CHILD_LOG,
            .channel = ends[1],
            .log_lines = config->log_lines,
        };
        r = child_spawn(ret, loop, &child, config->log, e);
    }
    fd_close(&input);
    fd_close(&ends[1]);
    if (r < 0) {
        fd_close(&ends[0]);
        return r;
    }
    *ret_channel = ends[0];
    return 0;
}
