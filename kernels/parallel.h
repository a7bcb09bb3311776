/* Long independent work on several threads, outside any backend. */
#ifndef KERNELS_PARALLEL_H
#define KERNELS_PARALLEL_H

#include <stdbool.h>
#include <stdint.h>

/* Calls function(argument, item) for every item in [0, items), on `threads` threads (0: one per processor) that end with
 * the call; the caller's is one of them. False when no threads can be had: then nothing was called. */
bool parallel_for(int threads, int64_t items, void (*function)(void *argument, int64_t item),
                  void *argument);

#endif
