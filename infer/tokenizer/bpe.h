/* Byte pair encoding: joins the bytes of a piece into tokens by ranked merges (Sennrich et al., arXiv 1508.07909).
 *
 * Private to the infer room. A merge table is filled once and then immutable; any thread may encode with it, each with its
 * own scratch.
 */
#ifndef INFER_TOKENIZER_BPE_H
#define INFER_TOKENIZER_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/token_list.h"

struct bpe;

/* A table for up to `merges` merges; `byte_ids[b]` is the token of the single byte b. NULL when memory is exhausted. */
struct bpe *bpe_create(const int32_t byte_ids[256], size_t merges);
void bpe_destroy(struct bpe *bpe);

/* Lets `left` followed by `right` become `merged`. Lower ranks merge first; a pair that is added again changes its rank. */
void bpe_add(struct bpe *bpe, int32_t left, int32_t right, uint32_t rank, int32_t merged);

/* Working memory, reused from piece to piece; zero-initialise it. */
struct bpe_scratch {
    struct bpe_symbol *symbols; /* [capacity] */
    uint64_t *heap;             /* [2 * capacity] */
    size_t capacity;
};

void bpe_scratch_finish(struct bpe_scratch *scratch);

/* Appends the tokens of a piece of fewer than 2^32 bytes, in O(n log n). False when memory is exhausted. */
bool bpe_encode(const struct bpe *bpe, struct bpe_scratch *scratch, const char *piece, size_t bytes,
                struct token_list *out);

#endif
