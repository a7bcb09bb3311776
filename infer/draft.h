/* Guesses at the tokens to come, without a second model.
 *
 * A draft follows one token sequence. Where the sequence's last tokens stood before, in the prompt (before or after the
 * cursor), in the completion so far or in an earlier completion, it proposes what followed them there: the longest match
 * counts, of equal ones the latest. Whoever asked evaluates a proposal in one pass and keeps what the model says as well
 * (prompt-lookup decoding, as speculative decoding in arXiv 2211.17192 with a copy in the place of the small model); so a
 * wrong guess costs time and never changes a result. The draft sees from the tokens that really follow how often it is
 * right: it proposes more after success and pauses after failures, until the next prompt.
 *
 * Hidden: the index, which takes constant time for each token and bounded memory, and the measure of success. A smaller model
 * that writes drafts fits behind the same functions. A draft belongs to one session's thread; results are copies.
 */
#ifndef INFER_DRAFT_H
#define INFER_DRAFT_H

#include <stddef.h>
#include <stdint.h>

#include "infer/error.h"

struct draft;

enum {
    DRAFT_MAX = 8,           /* tokens of one proposal */
    DRAFT_MATCH_MIN = 2,     /* tokens that must agree before anything is proposed */
    DRAFT_MATCH_MAX = 16,    /* no more are compared: longer matches count the same */
    DRAFT_PLACES_MAX = 64,   /* earlier places that one search looks at, latest first */
    DRAFT_RECENT_MAX = 4096, /* tokens of earlier completions that are remembered */
    DRAFT_LEAD = 8,          /* tokens before a completion that are remembered with it */
    DRAFT_SHORT = 3, /* tokens proposed as a rule: four rows of a pass cost about what one does */
    DRAFT_STREAK =
        2, /* proposals in a row that must be right as a whole before longer ones are made */
    DRAFT_PAUSE_MAX = 16, /* proposals left out after failures, at most */
};

/* For sequences of up to `context_tokens` tokens. NULL with an error. */
struct draft *draft_create(size_t context_tokens, struct error *error);
void draft_destroy(struct draft *draft);

/* A new prompt [count], count <= context_tokens: from here on the draft follows these tokens. What the previous prompt was
 * completed with is remembered. Takes time for the tokens that differ from the last sequence's. */
void draft_sync(struct draft *draft, const int32_t *tokens, size_t count);

/* The sequence went on with `token`. */
void draft_observe(struct draft *draft, int32_t token);

/* Proposes up to `limit` tokens to follow the sequence into `tokens` [at least min(limit, DRAFT_MAX)] and returns their
 * number, often 0. */
int draft_propose(struct draft *draft, int limit, int32_t *tokens);

#endif
