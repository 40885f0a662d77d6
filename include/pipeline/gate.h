/*
 * gate: where a pipeline waits while its job is paused.
 *
 * The demuxer passes it before each packet; what is behind it runs dry and
 * then waits for the demuxer. Any thread may open and close it.
 */
#ifndef PIPELINE_GATE_H
#define PIPELINE_GATE_H

struct gate;

struct gate *gate_create(void);    // open; never NULL
void gate_destroy(struct gate *g); // NULL is allowed

void gate_close(struct gate *g);
void gate_open(struct gate *g);

/* Blocks while the gate is closed. */
void gate_pass(struct gate *g);

#endif
