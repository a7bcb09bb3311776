/* How well a model predicts a text.
 *
 * The text is cut into windows that overlap: each moves on by `stride` tokens, and only tokens that no earlier window has
 * scored are scored, with all before them in the window as context. The very first token has no context and is not
 * scored; nor is, where windows do not overlap, the first of each. (The procedure of
 * https://huggingface.co/docs/transformers/perplexity.) Uses an engine; on its thread.
 */
#ifndef INFER_PERPLEXITY_H
#define INFER_PERPLEXITY_H

#include "infer/engine.h"

enum { PERPLEXITY_WINDOW = 2048, PERPLEXITY_STRIDE = 512 }; /* defaults, the published figures' */

struct perplexity_options {
    int window; /* 2..the engine's context; 0: the smaller of it and PERPLEXITY_WINDOW */
    int stride; /* 1..window; 0: the smaller of the window and PERPLEXITY_STRIDE */
    void (*on_progress)(void *user, double fraction); /* 0..1; may be NULL */
    void *user;
};

struct perplexity {
    double value;          /* exp(nats_per_token) */
    double nats_per_token; /* mean of -log p over the scored tokens */
    size_t tokens, scored; /* of the text, and those that were predicted */
    int window, stride;    /* as used */
};

/* Measures over `text`, taken as plain text. False with an error, also for a text of less than two tokens. */
bool perplexity_measure(struct engine *engine, const char *text, size_t bytes,
                        const struct perplexity_options *options, struct perplexity *result,
                        struct error *error);

#endif
