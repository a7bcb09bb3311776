/* A smaller model that guesses what a larger one is going to write (speculative decoding, arXiv 2211.17192, with the larger one
 * deciding alone: a wrong guess costs time and never changes a result).
 *
 * Works where a draft from the text itself has nothing to propose. Owns its model, on the CPU, and a session; belongs to the
 * thread of the engine that asks it. Results are copies.
 */
#ifndef INFER_DRAFT_MODEL_H
#define INFER_DRAFT_MODEL_H

#include <stdint.h>

#include "infer/error.h"
#include "infer/halt.h"
#include "infer/model.h"

struct draft_model;

/* Opens the checkpoint in `directory` for sequences of up to `context_tokens` tokens, or as many as it takes. Its tokens must
 * mean what the larger model's mean, of which the sizes of their vocabularies are the sign. NULL with an error. */
struct draft_model *draft_model_open(const char *directory, const struct model_options *options,
                                     int vocab_size, int context_tokens, struct error *error);
void draft_model_close(struct draft_model *drafter);

/* Proposes up to `limit` tokens to follow tokens [count] and puts their number into *proposed: 0 where the sequence is too long
 * for it. False when cancelled or when its backend fails. */
bool draft_model_propose(struct draft_model *drafter, const int32_t *tokens, int count, int limit,
                         const struct halt *halt, int32_t *proposal, int *proposed,
                         struct error *error);

#endif
