/*
 * mark: is what was sampled of a card as it should be? Pure: a sample, what is
 * known of the card, and how long it has been warm go in; a mark for each
 * reading comes out, with words for those that say something.
 *
 * What nobody measures or nobody has judged is MARK_NONE: not available, never
 * bad.
 */
#ifndef MODEL_MARK_H
#define MODEL_MARK_H

#include <stddef.h>
#include <stdint.h>

struct device_profile;
struct sample;

/* From the best to the worst. */
enum mark {
    MARK_NONE, // not available, or there is nothing to hold it against
    MARK_OK,
    MARK_INFO, // worth a word, but all is well
    MARK_WARN,
    MARK_BAD,
    MARK_COUNT
};

extern const char *const mark_names[MARK_COUNT];

/* What one sample cannot tell: for how long a card has been warm and busy. */
struct mark_heat {
    int64_t since;  // monotonic µs that it has been, 0: it is not
    int64_t loaded; // monotonic µs that it had work last
};

/* Take a sample of @now (monotonic µs) into account. @p may be NULL. */
void mark_heat_note(struct mark_heat *h, const struct sample *s,
                    const struct device_profile *p, int64_t now);

#define MARK_NOTES_MOST 4

struct marks {
    enum mark vram;
    enum mark load;
    enum mark encoder_load;
    enum mark decoder_load;
    enum mark temperature;
    enum mark power;
    enum mark clock;
    enum mark throttle;
    char notes[MARK_NOTES_MOST][96]; // words, behind each other
    size_t note_count;
};

/* @s or @p may be NULL: no recent sample, no such profile. */
void mark_judge(struct marks *ret, const struct sample *s,
                const struct device_profile *p, const struct mark_heat *h,
                int64_t now);

#define MARK_REASONS_MOST 16

/* NVML's reasons to clock lower, in words, into @ret; how many. Those of a card
 * that has nothing to do are none. */
size_t mark_reasons(int64_t throttle, const char *ret[MARK_REASONS_MOST]);

#endif
