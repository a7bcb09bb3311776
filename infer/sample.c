/* Probabilities are kept unnormalised: only ratios matter for the draw. */
#include "infer/sample.h"

#include <math.h>
#include <stdlib.h>

struct candidate {
    float weight; /* exp((logit - largest) / temperature) */
    int32_t id;
};

bool sampler_init(struct sampler *sampler, int vocab, float temperature, float top_p, uint64_t seed)
{
    *sampler = (struct sampler){
        .temperature = temperature,
        .top_p = top_p,
        .state = seed,
        .vocab = vocab,
    };
    if (temperature > 0.0f)
        sampler->candidates = malloc((size_t)vocab * sizeof *sampler->candidates);
    return temperature <= 0.0f || sampler->candidates;
}

void sampler_finish(struct sampler *sampler)
{
    free(sampler->candidates);
    sampler->candidates = NULL;
}

/* SplitMix64 (Steele, Lea, Flood 2014): uniform in [0, 1). */
static double next_random(struct sampler *sampler)
{
    uint64_t z = sampler->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

int32_t sampler_largest(const float *logits, int count)
{
    int32_t best = 0;

    for (int32_t id = 1; id < count; id++)
        if (logits[id] > logits[best])
            best = id;
    return best;
}

/* Heaviest first; equal weights in order of id, so that the draw does not depend on the sort. */
static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    return a->id < b->id ? -1 : 1;
}

/* Sorts those of `all` tokens that the nucleus can need and returns their number; `total` is the weight of all. Tokens lighter
 * than (1 - top_p) * total / all together weigh less than what the nucleus leaves out, so it never reaches them. */
static int rank_candidates(struct sampler *sampler, const float *logits, int all, float largest,
                           double *total)
{
    struct candidate *candidates = sampler->candidates;
    int count = 0;

    *total = 0.0;
    for (int32_t id = 0; id < all; id++) {
        candidates[id].weight = expf((logits[id] - largest) / sampler->temperature);
        *total += candidates[id].weight;
    }
    const double lightest = (1.0 - sampler->top_p) * *total / all;
    for (int32_t id = 0; id < all; id++)
        if (candidates[id].weight >= lightest)
            candidates[count++] = (struct candidate){candidates[id].weight, id};
    qsort(candidates, (size_t)count, sizeof *candidates, compare_candidates);
    return count;
}

int32_t sampler_draw(struct sampler *sampler, const float *scores, int all)
{
    const int32_t best = sampler_largest(scores, all);
    const struct candidate *candidates = sampler->candidates;
    double total, nucleus = 0.0;

    if (!candidates)
        return best;
    const int count = rank_candidates(sampler, scores, all, scores[best], &total);

    /* the nucleus holds at least one token */
    int inside = 0;
    do
        nucleus += candidates[inside++].weight;
    while (inside < count && nucleus < sampler->top_p * total);

    double drawn = next_random(sampler) * nucleus;
    for (int i = 0; i < inside - 1; i++) {
        drawn -= candidates[i].weight;
        if (drawn < 0.0)
            return candidates[i].id;
    }
    return candidates[inside - 1].id;
}

int32_t sampler_next(struct sampler *sampler, const float *logits)
{
    return sampler_draw(sampler, logits, sampler->vocab);
}

float sampler_log_sum(const float *logits, int count)
{
    const float largest = logits[sampler_largest(logits, count)];
    double sum = 0.0;

    for (int i = 0; i < count; i++)
        sum += (double)expf(logits[i] - largest);
    return largest + (float)log(sum);
}
