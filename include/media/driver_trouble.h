/*
 * driver_trouble: why NVIDIA's driver cannot be used, and what to do about it,
 * from what can be seen around it. Pure but for driver_trouble_look().
 */
#ifndef MEDIA_DRIVER_TROUBLE_H
#define MEDIA_DRIVER_TROUBLE_H

#include <stddef.h>

struct error;

#define DRIVER_NO_DEVICE 100 // CUDA_ERROR_NO_DEVICE

enum driver_node { NODE_CTL, NODE_CARD, NODE_UVM, NODE_COUNT };

extern const char *const driver_node_paths[NODE_COUNT];

/* What can be seen of a driver that does not work. */
struct driver_facts {
    int result;            // of cuInit
    const char *words;     // CUDA's, for that
    int nodes[NODE_COUNT]; // 0: it can be opened, else -errno
    char kernel[32];       // version of the kernel's part, "" none loaded
    char library[32];      // version of libcuda, "" unknown
};

/* The version of the kernel's part into @ret, untouched where none is loaded. */
void driver_trouble_kernel(char *ret, size_t size);

/* Fills all but result and words. */
void driver_trouble_look(struct driver_facts *ret);

/* Returns -ENOENT, -EACCES or -ENODEV, with words. */
int driver_trouble_explain(const struct driver_facts *f, struct error *e);

#endif
