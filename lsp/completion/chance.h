/* How likely it is that a model's text is right.
 *
 * Pure functions.
 */
#ifndef LSP_COMPLETION_CHANCE_H
#define LSP_COMPLETION_CHANCE_H

#include <stddef.h>

#include "infer/engine.h"

/* How sure the model was of what it wrote: the geometric mean of the probabilities of the tokens that begin within the first
 * `bytes`, of the first one at least; 0 of nothing. */
float chance_confidence(const struct engine_result *result, size_t bytes);

/* The chance, 0..1, that a first line of `bytes` is right. A model knows how sure it is of each token, but not how far it is to
 * the next chance to be wrong: long lines seldom are right. */
float chance_right(float confidence, size_t bytes);

#endif
