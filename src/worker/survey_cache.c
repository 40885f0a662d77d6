#include "survey_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "model/document.h"
#include "model/survey.h"

#define BYTES_MOST (256 << 10)

int survey_cache_read(const char *path, struct survey *ret, struct error *e)
{
    char *text = NULL;
    size_t size = 0;
    json_t *json = NULL;

    int r = fd_read_file(AT_FDCWD, path, BYTES_MOST, &text, &size);
    if (r < 0)
        return error_set_errno(e, r, "cannot read '%s'", path);
    r = document_parse(&json, text, size, BYTES_MOST, e);
    if (r == 0)
        r = survey_from_json(ret, json, e);
    if (r < 0)
        error_wrap(e, "'%s' makes no sense", path);
    json_decref(json);
    free(text);
    return r;
}

/* The document without what may be otherwise next time. The caller frees. */
static char *dump_lasting(const struct survey *s)
{
    json_t *json = survey_to_json(s);
    json_t *devices = json_array();

    for (size_t i = 0; i < s->device_count; i++) {
        if (s->devices[i].sure != SURVEY_SURE_NOTHING)
            json_array_append_new(devices,
                                  survey_device_to_json(&s->devices[i]));
    }
    json_object_set_new(json, "devices", devices);
    json_object_set_new(json, "problems", json_array());
    char *text = json_dumps(json, JSON_INDENT(1));
    json_decref(json);
    return text;
}

static int write_file(const char *path, const char *text)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = fd_write_all(fd, text, strlen(text));
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    fd_close(&fd);
    return r;
}

int survey_cache_write(const char *path, const struct survey *s,
                       struct error *e)
{
    char *text = dump_lasting(s);
    char *draft = xasprintf("%s.new", path);
    int r = write_file(draft, text);

    if (r == 0 && rename(draft, path) < 0)
        r = -errno;
    if (r < 0)
        (void)unlink(draft);
    free(draft);
    free(text);
    return r < 0 ? error_set_errno(e, r, "cannot write '%s'", path) : 0;
}
