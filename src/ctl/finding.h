/*
 * finding: what one check of doctor has come to: how it is, what was found, and
 * what mends it.
 */
#ifndef CTL_FINDING_H
#define CTL_FINDING_H

/* From good to bad. */
enum finding_state {
    FINDING_GOOD,
    FINDING_NOTE,    // nothing to judge: not there, or not to be read
    FINDING_WARNING, // works, but worse than it could
    FINDING_BAD,
    FINDING_STATE_COUNT
};

struct finding {
    enum finding_state state;
    char *found; // owned, NULL: nothing was looked at
    char *fix;   // owned; a command or a setting, NULL: none
};

/*
 * One more thing that was found: states add up to the worst of them, words are
 * strung together, and the fix is that of the worst thing, the first of several.
 * @fix may be NULL.
 */
void finding_add(struct finding *f, enum finding_state state, const char *fix,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

void finding_fini(struct finding *f);

/* "good", "note", "warning", "bad". */
const char *finding_state_name(enum finding_state state);

#endif
