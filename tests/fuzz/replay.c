/*
 * replay: gives every file of the folders named on the command line to a fuzz
 * target, as `make check` does without a fuzzer. One TAP line a folder; what a
 * target finds wrong ends the program.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define FILE_MOST (16 << 20) // bytes

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 0 or -errno. */
static int replay_file(int folder, const char *name)
{
    char *data = NULL;
    size_t size = 0;
    int r = fd_read_file(folder, name, FILE_MOST, &data, &size);

    if (r < 0)
        return r;
    // exactly as large as the data, so that a sanitizer sees its end
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        abort();
    memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    free(data);
    return 0;
}

/* How many files were replayed, or -errno. */
static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);

    if (!folder)
        return -errno;

    int r = 0;
    int count = 0;
    const struct dirent *entry;
    while (r == 0 && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        r = replay_file(dirfd(folder), entry->d_name);
        count++;
    }
    (void)closedir(folder);
    return r < 0 ? r : count;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        int r = replay_folder(argv[i]);
        if (r > 0)
            (void)printf("ok %d - %s: %d files\n", i, argv[i], r);
        else
            (void)printf("not ok %d - %s: %s\n", i, argv[i],
                         r < 0 ? strerror(-r) : "no files");
        failed += r <= 0;
    }
    (void)printf("1..%d\n", argc - 1);
    return failed ? 1 : 0;
}
