/* Keys and values of every position that has been evaluated, per layer.
 *
 * Rows are positions, so adding tokens appends and forgetting tokens only moves an end that the session keeps. Owned by one
 * session; lives on the model's backend and must be finished before it.
 */
#ifndef INFER_CACHE_H
#define INFER_CACHE_H

#include "infer/config.h"
#include "kernels/kernels.h"

struct cache {
    int positions; /* capacity */
    int width;     /* kv_heads * head_dim */
    int layers;
    struct buffer **keys;   /* [layers], each [positions, width], positions rotated in */
    struct buffer **values; /* [layers], each [positions, width] */
};

/* False when memory is exhausted; finish it all the same. */
bool cache_init(struct cache *cache, struct backend *backend, const struct config *config,
                int positions);
void cache_finish(struct cache *cache, struct backend *backend);

#endif
