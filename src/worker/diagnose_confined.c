/*
 * diagnose_confined: can a worker use the driver once it is confined as for a
 * job? Tried by a child, for what a process has given up it does not get back.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "diagnose_steps.h"
#include "sandbox/sandbox.h"

#define WORDS sizeof(((struct diagnosis_process *)0)->confined)

static void start_cuda(char ret[WORDS])
{
    void *library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    union {
        void *object;
        int (*function)(unsigned flags);
    } start = {library ? dlsym(library, "cuInit") : NULL};

    if (!start.object) {
        text_escape(dlerror(), ret, WORDS);
        if (library)
            (void)dlclose(library);
        return;
    }
    int result = start.function(0);
    if (result != 0)
        (void)snprintf(ret, WORDS, "cuInit answers %d", result);
    // cppcheck-suppress resourceLeak ; a driver that has begun stays
}

static void be_confined(const struct sandbox_config *config, int to)
{
    struct sandbox sandbox;
    char words[WORDS] = "";

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    // in the order of a job's worker
    sandbox_enter(&sandbox, config);
    start_cuda(words);
    sandbox_seal(&sandbox, config->device);
    (void)fd_write_all(to, words, sizeof(words));
    _exit(0);
}

/* All that the child had to say, or how it died. */
static void listen_to(pid_t pid, int from, char ret[WORDS])
{
    char words[WORDS] = "";
    size_t used = 0;
    ssize_t n = 1;
    int status = 0;

    while (used < sizeof(words) && n > 0) {
        n = read(from, words + used, sizeof(words) - used);
        used += n > 0 ? (size_t)n : 0;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (used == sizeof(words))
        (void)snprintf(ret, WORDS, "%.*s", (int)WORDS - 1, words);
    else if (WIFSIGNALED(status))
        (void)snprintf(ret, WORDS, "it is ended by signal %d (%s)",
                       WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        (void)snprintf(ret, WORDS, "it ends without a word");
}

void diagnose_confined(struct diagnosis_process *p,
                       const struct sandbox_config *config)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    pid_t pid = fork();
    if (pid == 0)
        be_confined(config, ends[1]);
    fd_close(&ends[1]);
    if (pid > 0)
        listen_to(pid, ends[0], p->confined);
    fd_close(&ends[0]);
}
