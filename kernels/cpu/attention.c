/* Causal attention with grouped heads over the key-value cache.
 *
 * Threads share the pairs of token and head. Scores of one pair are kept in the member's scratch, exponentials are taken
 * relative to the largest score, and values are added position by position: the order is the same for every batch. */
#include "kernels/cpu/cpu_backend.h"

#include <math.h>

struct attention {
    struct cpu_backend *backend;
    const float *q, *keys, *values;
    float *out;
    struct attention_shape shape;
    int first;
};

/* One query of one head against `positions` rows of the cache. */
static void attend(const struct attention *job, int64_t token, int head, float *scores)
{
    const int dim = job->shape.head_dim;
    const int64_t width = (int64_t)job->shape.kv_heads * dim;
    const int64_t query = (token * job->shape.heads + head) * dim;
    const int64_t kv = (int64_t)(head / (job->shape.heads / job->shape.kv_heads)) * dim;
    const int64_t positions = job->first + token + 1;
    const float scale = 1.0f / sqrtf((float)dim);
    const struct isa *isa = job->backend->isa;
    float *out = job->out + query;

    for (int64_t p = 0; p < positions; p++)
        scores[p] = isa->dot(job->q + query, job->keys + p * width + kv, dim) * scale;
    isa->softmax(scores, positions);

    for (int i = 0; i < dim; i++)
        out[i] = 0.0f;
    for (int64_t p = 0; p < positions; p++)
        isa->add_scaled(out, job->values + p * width + kv, scores[p], dim);
}

static void attention_pairs(void *argument, int member, int64_t first, int64_t last)
{
    const struct attention *job = argument;

    for (int64_t pair = first; pair < last; pair++)
        attend(job, pair / job->shape.heads, (int)(pair % job->shape.heads),
               job->backend->members[member].bytes);
}

void cpu_attention(struct backend *base, struct slice q, struct slice keys, struct slice values,
                   struct attention_shape shape, int first, int n, struct slice out)
{
    struct cpu_backend *backend = cpu_backend_of(base);
    struct attention job = {
        .backend = backend,
        .q = slice_values(q),
        .keys = slice_values(keys),
        .values = slice_values(values),
        .out = slice_values(out),
        .shape = shape,
        .first = first,
    };

    if (members_reserve(backend, ((size_t)first + (size_t)n) * sizeof(float)))
        threads_run(backend->threads, attention_pairs, &job, (int64_t)n * shape.heads, 1);
}
