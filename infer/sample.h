/* From logits to the next token.
 *
 * Greedy at temperature 0, else softmax at a temperature over the smallest set of tokens whose probabilities reach top_p
 * (nucleus sampling, arXiv 1904.09751). The same seed and logits give the same tokens. Owned by one request.
 */
#ifndef INFER_SAMPLE_H
#define INFER_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

struct sampler {
    float temperature, top_p;
    uint64_t state;
    int vocab; /* ids from here on are never chosen: rows that only pad the matrix */
    struct candidate *candidates; /* [vocab], only when sampling */
};

/* False when memory is exhausted. */
bool sampler_init(struct sampler *sampler, int vocab, float temperature, float top_p,
                  uint64_t seed);
void sampler_finish(struct sampler *sampler);

/* Next token for logits [at least vocab]; of equal logits the lowest id wins. */
int32_t sampler_next(struct sampler *sampler, const float *logits);

/* One of the first `count` (1..vocab) scores, which are logits of whatever stands behind them, drawn alike. */
int32_t sampler_draw(struct sampler *sampler, const float *scores, int count);

/* The largest of `count` (at least 1) logits; of equals the lowest id. */
int32_t sampler_largest(const float *logits, int count);

/* Logarithm of the sum of the exponentials of `count` (at least 1) logits: a logit less this is a log-probability. */
float sampler_log_sum(const float *logits, int count);

#endif
