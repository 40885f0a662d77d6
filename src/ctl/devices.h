/*
 * devices: the answer to Devices as people read it: a row a device, and below
 * them what there is to say of each GPU.
 */
#ifndef CTL_DEVICES_H
#define CTL_DEVICES_H

struct json_t;
struct terminal;

/* To @t->out, which is standard output. */
void devices_print(const struct json_t *answer, const struct terminal *t);

#endif
