/* A logistic function of confidence and length, fitted to what became of completions of the evaluation set
 * (tests/bench/quality.c; QUALITY.md has the check on problems that were not fitted). */
#include "lsp/completion/chance.h"

#include <math.h>

float chance_confidence(const struct engine_result *result, size_t bytes)
{
    float sum = 0.0f;
    int count = 0;

    for (int i = 0; i < result->completion_tokens; i++) {
        size_t start = i > 0 ? result->ends[i - 1] : 0;
        if (count > 0 && start >= bytes)
            break;
        sum += result->log_probabilities[i];
        count++;
    }
    return count > 0 ? expf(sum / (float)count) : 0.0f;
}

float chance_right(float confidence, size_t bytes)
{
    static const float base = 1.90f, per_log_confidence = 2.88f, per_log_byte = -1.23f;
    float sum = base + per_log_confidence * logf(confidence) + per_log_byte * logf((float)bytes);

    return 1.0f / (1.0f + expf(-sum));
}
