#include "jobfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "model/document.h"
#include "model/limits.h"

static int read_text(const char *path, char **ret, size_t *ret_size)
{
    if (strcmp(path, "-") == 0)
        return fd_read_all(STDIN_FILENO, LIMITS_DOCUMENT, ret, ret_size);
    return fd_read_file(AT_FDCWD, path, LIMITS_DOCUMENT, ret, ret_size);
}

static int parse(json_t **ret, const char *text, size_t size, struct error *e)
{
    json_t *document;
    int r = document_parse(&document, text, size, LIMITS_DOCUMENT, e);

    if (r < 0)
        return r;
    if (!json_is_object(document)) {
        json_decref(document);
        return error_set(e, -EINVAL, "a job is a JSON object");
    }
    *ret = document;
    return 0;
}

int jobfile_read(json_t **ret, const char *path, struct error *e)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    char *text = NULL;
    size_t size = 0;

    int r = read_text(path, &text, &size);
    if (r == -EFBIG)
        return error_set(e, r, "'%s' is larger than a job may be, %d bytes",
                         name, LIMITS_DOCUMENT);
    if (r < 0)
        return error_set_errno(e, r, "cannot read '%s'", name);

    r = parse(ret, text, size, e);
    free(text);
    if (r < 0)
        (void)error_wrap(e, "'%s'", name);
    return r;
}
