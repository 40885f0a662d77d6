/*
 * command: what transcodectl can be told, as const records; a file a command.
 *
 * The command line, --help and the drift test over the manual and the shell
 * completions read these tables. An option exists in one row.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/option.h"
#include "status.h"

/* What the options of all commands set. */
struct settings {
    char *socket; // owned, or NULL
    bool json;
    bool help;
    bool version;
    bool follow;
    bool test;
    bool watch;
    char *priority; // owned, or NULL
    char *state;    // owned; names with commas between them, or NULL
    int64_t days;
    int64_t seconds;
    int64_t streams;
    int64_t limit;
    int64_t before; // 0: from the newest
};

struct flag {
    struct option option; // its name, and where in struct settings it goes
    char letter;          // its short form, 0: none
    const char *value;    // what --help calls its value, NULL: it has none
};

// clang-format off
/* One row of each type; a table of flags ends with a row without a name. */
#define FLAG_SWITCH(field, letter_, help_) \
    {{#field, OPTION_BOOL, OPTION_FIELD(struct settings, field, bool), 0, 0, \
      "no", help_}, letter_, NULL}
#define FLAG_TEXT(field, letter_, value_, help_) \
    {{#field, OPTION_TEXT, OPTION_FIELD(struct settings, field, char *), 0, 0, \
      "", help_}, letter_, value_}
#define FLAG_COUNT(field, letter_, value_, least_, most_, default_, help_) \
    {{#field, OPTION_COUNT, OPTION_FIELD(struct settings, field, int64_t), \
      least_, most_, default_, help_}, letter_, value_}
#define FLAG_END {.letter = 0}
// clang-format on

struct invocation {
    const struct command *command; // NULL: none was named
    struct settings settings;
    char **operands; // owned; elements not, they are argv's
    size_t operand_count;
};

struct command {
    const char *name;
    const char *operands; // for the usage line: "FILE|-"
    const char *help;     // one line
    size_t least;         // operands
    size_t most;
    const struct flag *flags; // of its own, NULL: none
    enum status (*run)(const struct invocation *v);
};

#define COMMAND_OPERANDS_MOST 1024

extern const struct flag command_global_flags[];
extern const struct command *const commands[]; // ends with NULL

/* NULL when there is none. */
const struct command *command_find(const char *name);

extern const struct command command_bench;
extern const struct command command_cancel;
extern const struct command command_devices;
extern const struct command command_doctor;
extern const struct command command_drain;
extern const struct command command_follow;
extern const struct command command_list;
extern const struct command command_pause;
extern const struct command command_plan;
extern const struct command command_profiles;
extern const struct command command_report;
extern const struct command command_resume;
extern const struct command command_retry;
extern const struct command command_run;
extern const struct command command_show;
extern const struct command command_status;
extern const struct command command_submit;
extern const struct command command_undrain;

#endif
