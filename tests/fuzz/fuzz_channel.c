/*
 * A packet of the file channel from anybody, in both directions. There is one
 * way to write each message, so what is taken must be written the same, byte by
 * byte.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "wire/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_words(const struct error *e)
{
    assert(e->code == -EPROTO && e->text[0]);
    assert(text_is_utf8(e->text, strlen(e->text)));
}

static void read_request(const char *packet, size_t size)
{
    struct channel_request q;
    char again[CHANNEL_MOST];
    struct error e = {0};

    if (channel_parse_request(&q, packet, size, &e) < 0) {
        assert_words(&e);
        return;
    }
    assert(channel_format_request(&q, again) == size);
    assert(memcmp(again, packet, size) == 0);
}

static void read_reply(const char *packet, size_t size)
{
    struct channel_reply p;
    char again[CHANNEL_MOST];
    struct error e = {0};

    if (channel_parse_reply(&p, packet, size, &e) < 0) {
        assert_words(&e);
        return;
    }
    assert(text_is_utf8(p.text, strlen(p.text)));
    assert(channel_format_reply(&p, again) == size);
    assert(memcmp(again, packet, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_request((const char *)data, size);
    read_reply((const char *)data, size);
    return 0;
}
