/*
 * scene: transcodectl as a whole, against a daemon that follows a script
 * (tests/fake/daemon.c). Everything happens in a temporary folder, which is the
 * working directory. What goes wrong fails the test.
 */
#ifndef SUPPORT_SCENE_H
#define SUPPORT_SCENE_H

#include <stddef.h>
#include <sys/types.h>

#define SCENE_ARGUMENTS 12 // at most, and NULL

/* Lines of a script: what follows "continue" or "reply". */
#define SCENE_STATE(state) \
    "{\"event\":{\"job\":17,\"attempt\":1,\"time\":1,\"event\":\"state\"," \
    "\"state\":\"" state "\"}}\n"
#define SCENE_OUTCOME(outcome, text) \
    "{\"event\":{\"job\":17,\"attempt\":1,\"time\":1,\"event\":\"outcome\"," \
    "\"outcome\":\"" outcome "\",\"text\":\"" text \
    "\",\"frames\":1,\"errors\":0,\"outputs\":[]}}\n"

struct scene_result {
    int status;
    char *out; // owned
    char *err; // owned
};

/* One command, and all that is to come of it. */
struct scene_exchange {
    const char *arguments[SCENE_ARGUMENTS];
    const char *script; // NULL: no daemon
    int status;
    const char *out;
    const char *err;
};

/* Set-up and tear-down of a group of tests. */
int scene_open(void **state);
int scene_close(void **state);

/* The temporary folder. */
const char *scene_folder(void);

void scene_write(const char *name, const char *text);
char *scene_read(const char *name); // the caller frees

/* The daemon, which listens; -1 without a script. */
pid_t scene_start_daemon(const char *script);

/* The exit status, or 128 and the signal. */
int scene_wait(pid_t pid);

/* In a child: @fd becomes the file @name; and become transcodectl. */
void scene_redirect(int fd, const char *name, int flags);
void scene_exec(const char *const *arguments) __attribute__((noreturn));

/* Run transcodectl, its standard input being the file "stdin", against a daemon
 * that follows @script, and see to it that it was followed to its end. */
struct scene_result scene_run(const char *script, const char *const *arguments);
void scene_result_fini(struct scene_result *r);

void scene_check(const struct scene_exchange *cases, size_t count);
#define SCENE_CHECK(cases) \
    scene_check(cases, sizeof(cases) / sizeof((cases)[0]))

#endif
