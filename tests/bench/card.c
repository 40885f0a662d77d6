#include "card.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "bench.h"
#include "process.h"
#include "service.h"

#define SURVEY (20 * SECOND) // at most

bool card_insert(const struct bench *b, const char *name)
{
    char *library = xasprintf("%s/vgpu/libvgpu.so", b->build);
    char *libraries = xasprintf("%s/vgpu", b->build);
    char *machine = xasprintf("%s/card", b->folder);
    bool there = access(library, R_OK) == 0;

    if (there) {
        (void)setenv("LD_LIBRARY_PATH", libraries, 1);
        (void)setenv("VGPU_MACHINE", machine, 1);
    } else {
        (void)printf("%s: skipped: build the stand-in with `make vgpu`\n",
                     name);
    }
    free(library);
    free(libraries);
    free(machine);
    return there;
}

void card_remove(void)
{
    (void)unsetenv("LD_LIBRARY_PATH");
    (void)unsetenv("VGPU_MACHINE");
}

static int control(const struct bench *b, const char *word, char **ret,
                   struct error *e)
{
    char *command = xasprintf("%s/vgpu/vgpuctl %s", b->build, word);

    int r = process_output(ret, b->folder, command, e);
    free(command);
    return r;
}

static char *ended_path(const struct bench *b)
{
    return xasprintf("%s/card/ended.jsonl", b->folder);
}

int card_forget(const struct bench *b, struct error *e)
{
    char *text = NULL;
    char *ended = ended_path(b);

    int r = control(b, "reset", &text, e);
    free(text);
    (void)unlink(ended);
    free(ended);
    return r;
}

int card_count(const struct bench *b, json_t **ret, struct error *e)
{
    char *text = NULL;

    int r = control(b, "counters", &text, e);
    if (r < 0)
        return r;
    *ret = json_loads(text, 0, NULL);
    free(text);
    return *ret ? 0 : error_set(e, -EBADMSG, "vgpuctl makes no sense");
}

double card_total(const json_t *counters, const char *name)
{
    return (double)json_integer_value(
        json_object_get(json_object_get(counters, "total"), name));
}

json_t *card_ended(const struct bench *b)
{
    json_t *lines = json_array();
    json_t *line;
    char *path = ended_path(b);

    FILE *file = fopen(path, "re");
    free(path);
    while (file && (line = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)))
        json_array_append_new(lines, line);
    if (file)
        (void)fclose(file);
    return lines;
}

double card_most_of_one(const struct bench *b, const char *name)
{
    json_t *lines = card_ended(b);
    const json_t *line;
    double most = 0;
    size_t i;

    json_array_foreach (lines, i, line) {
        double value = (double)json_integer_value(json_object_get(line, name));
        most = value > most ? value : most;
    }
    json_decref(lines);
    return most;
}

int card_wait(const struct service *s, struct error *e)
{
    for (int64_t end = clock_now() + SURVEY; clock_now() < end;) {
        json_t *reply = NULL;
        int r = service_call(s, &reply, "Devices", NULL, e);
        size_t devices = json_array_size(json_object_get(reply, "devices"));
        json_decref(reply);
        if (r < 0)
            return r;
        if (devices > 1) // the CPU is one
            return 0;
        (void)poll(NULL, 0, 20);
    }
    return error_set(e, -ENODEV, "no GPU was found");
}

int card_serve(struct service **ret, const struct bench *b, struct error *e)
{
    int r = service_start(ret, NULL, b->build, b->folder, NULL, e);

    if (r == 0)
        r = card_wait(*ret, e);
    if (r < 0)
        return r;
    service_settle(*ret);
    return card_forget(b, e);
}
