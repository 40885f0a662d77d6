#include "folders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "model/diagnosis.h"
#include "model/document.h"
#include "model/limits.h"

#define BYTES_MOST (INT64_C(1) << 52) // what JSON's numbers hold exactly

static int try_access(int folder, int mode)
{
    return faccessat(folder, ".", mode, AT_EACCESS) < 0 ? -errno : 0;
}

/* Make a file without a name, which nobody sees and which needs no removal. */
static int try_writing(int folder)
{
    int fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0 && errno != EOPNOTSUPP && errno != EISDIR)
        return -errno;
    if (fd < 0) // a file system that has no such files
        return try_access(folder, W_OK | X_OK);
    fd_close(&fd);
    return 0;
}

static int try_folder(int folder, enum diagnosis_role role)
{
    return role == DIAGNOSIS_READ ? try_access(folder, R_OK | X_OK)
                                  : try_writing(folder);
}

/* Some file systems without a bound tell of more than there is in the world. */
static int64_t bytes_of(fsblkcnt_t blocks, unsigned long size)
{
    int64_t bytes;

    return __builtin_mul_overflow(blocks, size, &bytes) || bytes > BYTES_MOST
               ? BYTES_MOST
               : bytes;
}

static void measure(int folder, struct diagnosis_folder *f)
{
    struct statvfs fs;

    if (fstatvfs(folder, &fs) < 0)
        return;
    f->is_read_only = fs.f_flag & ST_RDONLY;
    f->free = bytes_of(fs.f_bavail, fs.f_frsize);
    f->total = bytes_of(fs.f_blocks, fs.f_frsize);
}

static void examine(struct diagnosis_folder *f, const char *path)
{
    // a folder that may be written need not be readable
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0) {
        f->error = errno;
        return;
    }
    f->error = -try_folder(folder, f->role);
    measure(folder, f);
    fd_close(&folder);
}

static int tell(const struct diagnosis_folder *f, int to, struct error *e)
{
    json_t *json = diagnosis_folder_to_json(f);
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    int r = fd_write_all(to, text, strlen(text) + 1);
    free(text);
    return r < 0 ? error_set_errno(e, r, "cannot tell about '%s'", f->path) : 0;
}

static int examine_one(enum diagnosis_role role, const json_t *path, int to,
                       struct error *e)
{
    struct diagnosis_folder f = {
        .role = role, .free = DIAGNOSIS_UNKNOWN, .total = DIAGNOSIS_UNKNOWN};
    const char *name = json_string_value(path);

    if (!name)
        return error_set(e, -EINVAL, "a folder's path is missing");
    (void)snprintf(f.path, sizeof(f.path), "%s", name);
    examine(&f, name);
    return tell(&f, to, e);
}

static int examine_all(const json_t *document, int to, struct error *e)
{
    static const struct {
        enum diagnosis_role role;
        const char *list;
    } lists[] = {
        {DIAGNOSIS_READ, "read_roots"},
        {DIAGNOSIS_WRITE, "write_roots"},
    };
    int r =
        examine_one(DIAGNOSIS_STORE, json_object_get(document, "store"), to, e);

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const json_t *paths = json_object_get(document, lists[i].list);
        for (size_t n = 0; r == 0 && n < json_array_size(paths); n++)
            r = examine_one(lists[i].role, json_array_get(paths, n), to, e);
    }
    return r;
}

int folders_run(int from, int to, struct error *e)
{
    json_t *document;
    char *text;
    size_t size;

    int r = fd_read_all(from, LIMITS_MESSAGE, &text, &size);
    if (r < 0)
        return error_set_errno(e, r, "cannot read which folders");
    r = document_parse(&document, text, strnlen(text, size), LIMITS_MESSAGE, e);
    free(text);
    if (r < 0)
        return r;
    r = examine_all(document, to, e);
    json_decref(document);
    return r;
}
