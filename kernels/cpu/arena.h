/* Memory that is taken piece by piece and given back at once: for weights, which live as long as their backend.
 *
 * Hidden here: chunks in huge pages, where the system grants them, so that reading gigabytes goes through few entries of the
 * processor's page tables; and a look at what the system has left, since it would rather kill a process than refuse. One
 * thread at a time.
 */
#ifndef KERNELS_CPU_ARENA_H
#define KERNELS_CPU_ARENA_H

#include <stddef.h>

struct arena {
    struct arena_chunk *chunks;
    unsigned char *next; /* in the newest chunk */
    size_t left;
};

/* `bytes` of memory, zeros at first, at a multiple of 64; NULL when memory is exhausted. Begin with an arena of zeros. */
void *arena_take(struct arena *arena, size_t bytes);

void arena_finish(struct arena *arena);

#endif
