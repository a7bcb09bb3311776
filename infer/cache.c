/* One allocation per layer and kind; pages that no position has reached yet cost nothing. */
#include "infer/cache.h"

#include <stdlib.h>

bool cache_init(struct cache *cache, struct backend *backend, const struct config *config,
                int positions)
{
    const size_t layers = (size_t)config->layers;

    *cache = (struct cache){
        .positions = positions,
        .width = config->kv_heads * config->head_dim,
        .layers = config->layers,
        .keys = calloc(layers, sizeof *cache->keys),
        .values = calloc(layers, sizeof *cache->values),
    };
    if (!cache->keys || !cache->values)
        return false;

    const size_t count = (size_t)positions * (size_t)cache->width;
    for (size_t i = 0; i < layers; i++) {
        cache->keys[i] = backend->ops->buffer_create(backend, count);
        cache->values[i] = backend->ops->buffer_create(backend, count);
        if (!cache->keys[i] || !cache->values[i])
            return false;
    }
    return true;
}

void cache_finish(struct cache *cache, struct backend *backend)
{
    for (int i = 0; cache->keys && i < cache->layers; i++)
        backend->ops->buffer_destroy(cache->keys[i]);
    for (int i = 0; cache->values && i < cache->layers; i++)
        backend->ops->buffer_destroy(cache->values[i]);
    free(cache->keys);
    free(cache->values);
    *cache = (struct cache){0};
}
