/* Causal attention with grouped heads over the key-value cache.
 *
 * Threads share the pairs of key-value head and query, in that order: those that follow one another read the same keys. A
 * member takes as many as CHUNK_PAIRS at a time and leads them through the cache BLOCK_POSITIONS positions after another, so
 * that a block of keys and values is read from its fastest cache by all of them. Softmax is kept as a largest score, a sum
 * and an unfinished output per pair (Milakov & Gimelshein, arXiv 1805.02867); blocks begin at multiples of their size, so the
 * order of sums is the same for every batch. */
#include "kernels/cpu/cpu_backend.h"

#include <math.h>
#include <string.h>

enum {
    BLOCK_POSITIONS = 64, /* with 64 numbers to a head, 32 KB of keys and values */
    CHUNK_PAIRS = 64,
};

struct attention {
    struct cpu_backend *backend;
    const float *q, *keys, *values;
    float *out;
    struct attention_shape shape;
    int first, n;
};

/* One query head of one token. */
struct pair {
    const float *q; /* [head_dim] */
    float *out;     /* [head_dim] */
    int64_t positions;
    float largest, sum;
};

static struct pair pair_at(const struct attention *job, int64_t index)
{
    const int group = job->shape.heads / job->shape.kv_heads;
    const int64_t kv_head = index / ((int64_t)job->n * group);
    const int64_t token = index / group % job->n;
    const int64_t head = kv_head * group + index % group;
    const int64_t at = (token * job->shape.heads + head) * job->shape.head_dim;
    const struct pair pair = {job->q + at, job->out + at, job->first + token + 1, -INFINITY, 0.0f};

    memset(pair.out, 0, (size_t)job->shape.head_dim * sizeof *pair.out);
    return pair;
}

/* Takes the positions from `from` on into account, a block at most. */
static void pair_step(const struct attention *job, struct pair *pair, int64_t kv, int64_t from)
{
    const int dim = job->shape.head_dim;
    const int64_t width = (int64_t)job->shape.kv_heads * dim;
    const int64_t left = pair->positions - from;
    const int64_t count = left < BLOCK_POSITIONS ? left : BLOCK_POSITIONS;
    const struct isa *isa = job->backend->isa;
    float scores[BLOCK_POSITIONS];
    float largest = pair->largest;

    isa->score(pair->q, job->keys + from * width + kv, width, dim, count, 1.0f / sqrtf((float)dim),
               scores);
    for (int64_t p = 0; p < count; p++)
        largest = scores[p] > largest ? scores[p] : largest;
    const float factor = pair->largest == largest ? 1.0f : expf(pair->largest - largest);
    pair->sum = pair->sum * factor + isa->exp_sum(scores, count, largest);
    pair->largest = largest;
    isa->mix(scores, job->values + from * width + kv, width, dim, count, factor, pair->out);
}

/* Pairs [first, last), all of one key-value head. */
static void attend(const struct attention *job, int64_t first, int64_t last)
{
    const int group = job->shape.heads / job->shape.kv_heads;
    const int dim = job->shape.head_dim;
    const int64_t kv = first / ((int64_t)job->n * group) * dim;
    const int count = (int)(last - first);
    struct pair pairs[CHUNK_PAIRS];

    for (int i = 0; i < count; i++)
        pairs[i] = pair_at(job, first + i);
    /* the last one sees most */
    for (int64_t from = 0; from < pairs[count - 1].positions; from += BLOCK_POSITIONS)
        for (int i = 0; i < count; i++)
            if (from < pairs[i].positions)
                pair_step(job, &pairs[i], kv, from);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < dim; j++)
            pairs[i].out[j] /= pairs[i].sum;
}

static void attention_pairs(void *argument, int member, int64_t first, int64_t last)
{
    const struct attention *job = argument;
    const int64_t head_pairs = (int64_t)job->n * (job->shape.heads / job->shape.kv_heads);

    (void)member;
    while (first < last) {
        const int64_t of_head = head_pairs - first % head_pairs;
        int64_t count = last - first < CHUNK_PAIRS ? last - first : CHUNK_PAIRS;
        if (count > of_head)
            count = of_head;
        attend(job, first, first + count);
        first += count;
    }
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
        .n = n,
    };

    if (base->status == BACKEND_OK)
        threads_run(backend->threads, attention_pairs, &job, (int64_t)n * shape.heads, 1);
}
