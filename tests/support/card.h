/*
 * card: what a survey finds on a Quadro P1000 with driver 470.
 */
#ifndef SUPPORT_CARD_H
#define SUPPORT_CARD_H

struct survey_device;

/* Constant; "cuda:0". */
const struct survey_device *card_p1000(void);

#endif
