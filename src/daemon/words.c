#include "words.h"

#include <errno.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "model/document.h"
#include "model/event.h"
#include "model/limits.h"

// a worker that says more than this is not reporting but babbling
#define BURST    4000
#define A_SECOND 200

void words_init(struct words *w)
{
    *w = (struct words){.left = BURST, .since = clock_now()};
}

/* A bucket that fills slowly. */
static int take_one(struct words *w)
{
    int64_t now = clock_now();
    int64_t earned = (now - w->since) * A_SECOND / SECOND;

    if (earned > 0) {
        w->since = now;
        w->left += earned;
        if (w->left > BURST)
            w->left = BURST;
    }
    return --w->left < 0 ? -EBADMSG : 0;
}

int words_read(struct words *w, const char *text, size_t size,
               struct event *ret, struct error *e)
{
    struct error why = {0};

    if (take_one(w) < 0)
        return error_set(e, -EBADMSG, "it babbles");
    json_t *json = NULL;
    int r = document_parse(&json, text, size, LIMITS_MESSAGE, &why);
    if (r == 0)
        r = event_from_json(ret, json, &why);
    json_decref(json);
    if (r < 0) {
        error_tell_field(&why);
        return error_set(e, -EBADMSG, "%s", why.text);
    }
    return 0;
}
