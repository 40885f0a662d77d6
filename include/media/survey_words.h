/*
 * survey_words: what a survey says about what does not work. Pure.
 */
#ifndef MEDIA_SURVEY_WORDS_H
#define MEDIA_SURVEY_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct survey_device;

/* One more problem of @ret, as far as there is room. */
void survey_add_problem(struct survey_device *ret, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

enum survey_verdict {
    SURVEY_BROKEN,  // nobody knows why; words say what libav said
    SURVEY_ABSENT,  // the card has no encoder
    SURVEY_LACKING, // it has one, but not for this codec, depth or the like
    SURVEY_BUSY,    // others hold the sessions or the memory: ask later
    SURVEY_MISFIT,  // libav and driver do not fit each other
    SURVEY_REFUSED, // it does not take what was asked for; words say what
};

/* Will the same driver and libav end up with the same again? */
bool survey_is_lasting(enum survey_verdict verdict);

/* Why libav could not open an encoder, or run a filter. */
struct survey_failure {
    enum survey_verdict verdict;
    char headers[16]; // of a misfit: the API that libav was built for
    char words[512];
};

/*
 * Make sense of @said, what libav said while it failed to open @encoder.
 * @driver and @api are the driver's version and its newest NVENC API, or "".
 */
void survey_explain(struct survey_failure *ret, const char *said,
                    const char *encoder, const char *driver, const char *api);

/* The same of @filter, which did not run. */
void survey_explain_filter(struct survey_failure *ret, const char *said,
                           const char *filter, const char *driver);

#endif
