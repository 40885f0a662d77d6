#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine.h"

#include <ctype.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "folder.h"

/* build/vgpu, seen from build/tests/F/test_M. */
static char *libraries(void)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n < 0)
        abort();
    self[n] = '\0';
    return xasprintf("%s/../../vgpu", dirname(self));
}

void machine_enter(char **argv)
{
    char *folder = libraries();
    const char *now = getenv("LD_LIBRARY_PATH");

    if (!now || strcmp(now, folder) != 0) {
        setenv("LD_LIBRARY_PATH", folder, 1);
        execv("/proc/self/exe", argv);
        abort();
    }
    free(folder);
}

/* "power=0" as VGPU_POWER=0. */
static void set(const char *setting)
{
    char name[64] = "VGPU_";
    size_t n = strlen(name);
    const char *value = strchr(setting, '=');

    for (const char *c = setting; c < value; c++)
        name[n++] = (char)toupper((unsigned char)*c);
    setenv(name, value + 1, 1);
}

static void be_child(const char *folder, const char *const *settings,
                     void (*body)(void *ret), void *ret, size_t size, int fd)
{
    setenv("VGPU_MACHINE", folder, 1);
    for (; settings && *settings; settings++)
        set(*settings);
    body(ret);
    _exit(fd_write_all(fd, ret, size) < 0);
}

void machine_run(const char *const *settings, void (*body)(void *ret),
                 void *ret, size_t size)
{
    char *folder = folder_create();
    char *data = NULL;
    size_t got = 0;
    int ends[2];
    int status;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        be_child(folder, settings, body, ret, size, ends[1]);
    fd_close(&ends[1]);
    assert_int_equal(fd_read_all(ends[0], size, &data, &got), 0);
    fd_close(&ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(got, size);
    memcpy(ret, data, size);
    free(data);
    folder_remove(folder);
}
