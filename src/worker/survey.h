/*
 * survey: `transcoded-worker --survey`: says on standard output, as one JSON
 * document, what the GPUs here can do.
 */
#ifndef WORKER_SURVEY_H
#define WORKER_SURVEY_H

/* The words of its command line behind "--survey", ended by NULL. Returns the
 * exit status: 2 for words that it does not know. */
int survey_main(char **words);

#endif
