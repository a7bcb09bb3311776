/* The most probable tokens that write a text which is there already, and go on.
 *
 * A prompt that ends in the middle of a word ends in tokens that the model has hardly ever seen before what should come:
 * "retu" alone is other tokens than the beginning of "return". So the last piece of the prompt is taken back, and the tokens
 * that follow are chosen among those whose bytes begin with the bytes taken back (token healing, byte-exact and over as many
 * tokens as it takes). What is chosen is a cover: its last token reaches the end of the held bytes or goes beyond it.
 *
 * Hidden: the search. Private to the infer room; runs on the session's thread. */
#ifndef INFER_HEAL_H
#define INFER_HEAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "infer/error.h"
#include "infer/sample.h"
#include "infer/session.h"
#include "infer/tokenizer.h"

enum {
    HEAL_BYTES_MAX = 32,  /* taken back; of a longer last piece nothing is */
    HEAL_PASSES_MAX = 4,  /* of the model, beyond the prompt's own */
    HEAL_COVERS_MAX = 16, /* that are chosen among */
};

/* How many bytes at the end of a text's last line are to be taken back, at most HEAL_BYTES_MAX; 0 where its tokens are those
 * that they would be with any text behind them, or where the tokenizer changes the line's bytes. */
size_t heal_held_bytes(const struct tokenizer *tokenizer, const char *text, size_t bytes);

/* Appends to `tokens`, the prompt without the held bytes, a cover of them drawn by `sampler` (the most probable one where
 * that is greedy), and to `log_probabilities` [HEAL_BYTES_MAX] one number for each token: the logarithm of the cover's
 * probability among all that were found, shared out evenly. At most HEAL_BYTES_MAX tokens. *beyond is how many bytes of the
 * last token are new. False with an error: memory, cancelled, or what session_sync fails with. */
bool heal_cover(const struct model *model, struct session *session,
                const struct tokenizer *tokenizer, struct sampler *sampler, const char *held,
                size_t held_bytes, const struct halt *halt, struct token_list *tokens,
                float *log_probabilities, size_t *beyond, struct error *error);

#endif
