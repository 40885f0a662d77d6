/*
 * A varlink message from anybody, read as a call and as a reply. What is taken
 * must come back the same when it is written and read again; what is refused
 * must say why.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_words(const struct error *e)
{
    assert(e->code < 0 && e->text[0]);
    assert(text_is_utf8(e->text, strlen(e->text)));
    assert(text_is_utf8(e->field, strlen(e->field)));
}

static void read_call(const char *text, size_t size)
{
    struct message_call one;
    struct message_call other;
    struct error e = {0};
    size_t length;

    if (message_parse_call(&one, text, size, &e) < 0) {
        assert_words(&e);
        return;
    }
    char *again =
        message_format_call(one.method, one.parameters, one.more, &length);
    assert(message_parse_call(&other, again, length - 1, &e) == 0);
    assert(strcmp(one.method, other.method) == 0 && one.more == other.more);
    assert(json_equal(one.parameters, other.parameters));
    free(again);
    message_call_fini(&one);
    message_call_fini(&other);
}

static void read_reply(const char *text, size_t size)
{
    struct message_reply one;
    struct message_reply other;
    struct error e = {0};
    size_t length;

    if (message_parse_reply(&one, text, size, &e) < 0) {
        assert_words(&e);
        return;
    }
    char *again =
        one.error
            ? message_format_error(one.error, one.parameters, &length)
            : message_format_reply(one.parameters, one.continues, &length);
    assert(message_parse_reply(&other, again, length - 1, &e) == 0);
    assert(!one.error == !other.error);
    assert(!one.error || strcmp(one.error, other.error) == 0);
    assert(json_equal(one.parameters, other.parameters));
    assert(one.error || one.continues == other.continues);
    free(again);
    message_reply_fini(&one);
    message_reply_fini(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_call((const char *)data, size);
    read_reply((const char *)data, size);
    return 0;
}
