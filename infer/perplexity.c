/* Probabilities are summed in double precision; the logits come row by row and are never kept. */
#include "infer/perplexity.h"

#include <math.h>
#include <stdlib.h>

/* One window under way: row i gives the logits after tokens[first + i]. */
struct scoring {
    const struct perplexity_options *options;
    const int32_t *tokens; /* [count] the whole text */
    size_t count;
    size_t first, end; /* the window's tokens */
    size_t row, next;  /* next row to come, next token to score */
    int vocab;
    size_t scored;
    double nats; /* over those scored */
};

/* -log p of token `id` under softmax(logits [vocab]). */
static double surprise(const float *logits, int vocab, int32_t id)
{
    float largest = logits[0];
    double sum = 0.0;

    for (int i = 1; i < vocab; i++)
        largest = logits[i] > largest ? logits[i] : largest;
    for (int i = 0; i < vocab; i++)
        sum += exp((double)(logits[i] - largest));
    return log(sum) + (double)largest - (double)logits[id];
}

static bool score_row(void *user, const float *logits)
{
    struct scoring *scoring = user;
    const size_t predicted = scoring->first + ++scoring->row;

    /* what an earlier window scored is context here; the last row predicts a token that is not in the window */
    if (predicted < scoring->next || predicted >= scoring->end)
        return true;
    scoring->nats += surprise(logits, scoring->vocab, scoring->tokens[predicted]);
    scoring->next = predicted + 1;
    scoring->scored++;
    if (scoring->options->on_progress)
        scoring->options->on_progress(scoring->options->user,
                                      (double)predicted / (double)(scoring->count - 1));
    return true;
}

/* Fills in window and stride. */
static bool resolve(const struct engine_info *info, const struct perplexity_options *options,
                    struct perplexity *result, struct error *error)
{
    const int context = info->context_tokens;

    result->window = options->window;
    if (result->window == 0)
        result->window = context < PERPLEXITY_WINDOW ? context : PERPLEXITY_WINDOW;
    result->stride = options->stride;
    if (result->stride == 0)
        result->stride = result->window < PERPLEXITY_STRIDE ? result->window : PERPLEXITY_STRIDE;
    if (result->window < 2 || result->window > context)
        return error_set(error, ERROR_LIMIT,
                         "a window of %d tokens does not fit: 2 to %d, the context, are possible",
                         result->window, context);
    return (result->stride >= 1 && result->stride <= result->window) ||
           error_set(error, ERROR_LIMIT,
                     "a stride of %d tokens does not fit a window of %d: from 1 to the window",
                     result->stride, result->window);
}

bool perplexity_measure(struct engine *engine, const char *text, size_t bytes,
                        const struct perplexity_options *options, struct perplexity *result,
                        struct error *error)
{
    struct engine_info info;
    struct scoring scoring = {.options = options, .next = 1};
    int32_t *tokens = NULL;
    bool measured = false;

    *result = (struct perplexity){0};
    engine_describe(engine, &info);
    if (!resolve(&info, options, result, error) ||
        !engine_tokenize(engine, text, bytes, false, &tokens, &result->tokens, error))
        return false;
    if (result->tokens < 2) {
        error_set(error, ERROR_INPUT, "the text has %zu tokens; at least 2 are needed",
                  result->tokens);
        goto done;
    }

    scoring.tokens = tokens;
    scoring.count = result->tokens;
    scoring.vocab = info.vocab_size;
    const size_t window = (size_t)result->window, stride = (size_t)result->stride;
    for (; scoring.end < scoring.count; scoring.first += stride) {
        const size_t left = scoring.count - scoring.first;
        scoring.row = 0;
        scoring.end = scoring.first + (left < window ? left : window);
        if (!engine_logits(engine, tokens + scoring.first, scoring.end - scoring.first, NULL,
                           score_row, &scoring, error))
            goto done;
    }
    result->scored = scoring.scored;
    result->nats_per_token = scoring.nats / (double)result->scored;
    result->value = exp(result->nats_per_token);
    measured = true;

done:
    free(tokens);
    return measured;
}
