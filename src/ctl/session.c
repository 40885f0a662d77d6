#include "session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "terminal.h"
#include "wire/client.h"

enum status session_open(struct client **ret, const struct invocation *v)
{
    struct error e = {0};
    char *path = client_socket_path(v->settings.socket);

    int r = client_connect(ret, path, &e);
    free(path);
    return r < 0 ? status_fail(STATUS_UNREACHABLE, "%s", e.text) : STATUS_GOOD;
}

void session_print_json(const json_t *json)
{
    terminal_print_json(stdout, json, JSON_COMPACT);
    (void)fflush(stdout);
}

enum status session_refused(const struct invocation *v,
                            const struct message_reply *reply, struct error *e)
{
    if (v->settings.json) {
        json_t *document = json_pack("{sssO}", "error", reply->error,
                                     "parameters", reply->parameters);
        session_print_json(document);
        json_decref(document);
    }
    status_describe(reply, e);
    return STATUS_REFUSED;
}

static enum status take_answer(json_t **ret, const struct invocation *v,
                               struct message_reply *reply, struct error *e)
{
    enum status s = STATUS_GOOD;

    if (reply->error)
        s = session_refused(v, reply, e);
    else
        *ret = json_incref(reply->parameters);
    message_reply_fini(reply);
    return s;
}

enum status session_ask(json_t **ret, struct client *c,
                        const struct invocation *v, const char *method,
                        json_t *parameters)
{
    struct message_reply reply;
    struct error e = {0};
    enum status s = STATUS_UNREACHABLE;

    int r = client_call(c, method, parameters, false, NULL, 0, &e);
    json_decref(parameters);
    if (r == 0)
        r = client_receive(c, -1, &reply, &e);
    if (r == 0)
        (void)error_set(&e, -ECONNRESET, "the service hung up");
    if (r > 0)
        s = take_answer(ret, v, &reply, &e);
    if (s != STATUS_GOOD)
        status_complain(&e);
    return s;
}

static void show(const struct invocation *v, const json_t *answer,
                 void (*print)(const json_t *answer))
{
    if (v->settings.json)
        session_print_json(answer);
    else if (print)
        print(answer);
}

enum status session_query(const struct invocation *v, const char *method,
                          json_t *parameters,
                          void (*print)(const json_t *answer))
{
    struct client *c;
    json_t *answer;

    enum status s = session_open(&c, v);
    if (s != STATUS_GOOD) {
        json_decref(parameters);
        return s;
    }
    s = session_ask(&answer, c, v, method, parameters);
    client_close(c);
    if (s == STATUS_GOOD) {
        show(v, answer, print);
        json_decref(answer);
    }
    return s;
}

enum status session_parse_id(int64_t *ret, const char *operand)
{
    int64_t id;

    if (text_parse_integer(operand, &id) < 0 || id < 1)
        return status_fail(STATUS_REFUSED, "'%s' is not a job's id", operand);
    *ret = id;
    return STATUS_GOOD;
}

static enum status ask_for_id(struct client *c, const struct invocation *v,
                              const char *method, const char *operand)
{
    json_t *answer;
    int64_t id = 0;

    enum status s = session_parse_id(&id, operand);
    if (s != STATUS_GOOD)
        return s;
    s = session_ask(&answer, c, v, method,
                    json_pack("{sI}", "id", (json_int_t)id));
    if (s == STATUS_REFUSED && v->operand_count > 1)
        (void)status_fail(s, "that was job %s", operand);
    if (s == STATUS_GOOD) {
        show(v, answer, NULL);
        json_decref(answer);
    }
    return s;
}

enum status session_each_id(const struct invocation *v, const char *method)
{
    struct client *c;
    enum status worst = session_open(&c, v);

    if (worst != STATUS_GOOD)
        return worst;
    for (size_t i = 0; i < v->operand_count; i++) {
        enum status s = ask_for_id(c, v, method, v->operands[i]);
        if (s > worst)
            worst = s;
        if (s == STATUS_UNREACHABLE)
            break;
    }
    client_close(c);
    return worst;
}
