/* The Qwen2 forward pass over a tile of tokens.
 *
 * Written once over the table of operations. Appends the tile's keys and values to a cache and gives logits. Knows nothing
 * of tokens' history: that is the session's. Architecture: Qwen2 technical report, arXiv 2407.10671, as in Hugging Face
 * transformers' modeling_qwen2.
 */
#ifndef INFER_FORWARD_H
#define INFER_FORWARD_H

#include "infer/cache.h"
#include "infer/halt.h"
#include "infer/model.h"

/* Tokens that one pass evaluates at most: cancellation is answered at least this often. */
enum { FORWARD_TILE = 256 };

/* Rows of a tile whose logits are computed at once, at most: a token and eight drafted ones. */
enum { FORWARD_LOGITS_MAX = 9 };

/* Working memory of a pass, owned by one session. */
struct activations {
    struct buffer *x;      /* [FORWARD_TILE, hidden] the residual stream */
    struct buffer *normed; /* [FORWARD_TILE, hidden] */
    struct buffer *q;      /* [FORWARD_TILE, heads * head_dim] */
    struct buffer *mixed;  /* [FORWARD_TILE, heads * head_dim] what attention gives */
    struct buffer *gate;   /* [FORWARD_TILE, intermediate] */
    struct buffer *up;     /* [FORWARD_TILE, intermediate] */
    struct buffer *logits; /* [FORWARD_LOGITS_MAX, vocab] */
    struct buffer *angles; /* [positions, head_dim] cosines, then sines */
};

/* How many numbers each of these buffers holds, in their order. */
enum { ACTIVATIONS_BUFFERS = 8 };
void activations_counts(const struct config *config, int positions,
                        size_t counts[ACTIVATIONS_BUFFERS]);

/* False when memory is exhausted; finish it all the same. */
bool activations_init(struct activations *work, const struct model *model, int positions);
void activations_finish(struct activations *work, const struct model *model);

/* Evaluates tokens [n], n <= FORWARD_TILE, at positions first..first + n - 1; positions below `first` are in the cache. The
 * cache holds the tile once true is returned. False when `halt` was due before a layer: the tile then counts as not
 * evaluated. A failing device shows in the backend's status only. */
bool forward_tile(const struct model *model, struct cache *cache, struct activations *work,
                  const int32_t *tokens, int n, int first, const struct halt *halt);

/* Computes the logits after rows row..row + n - 1 of the tile that was evaluated last, in one product: the head is read once
 * for all of them. They go to rows at..at + n - 1 of work->logits, at + n <= FORWARD_LOGITS_MAX. */
void forward_logits(const struct model *model, struct activations *work, int row, int n, int at);

/* The first `count` of the logits in row `at` of work->logits, into `logits`; waits for them. */
void forward_read_logits(const struct model *model, const struct activations *work, int at,
                         float *logits, size_t count);

/* The likeliest among the first `count` of them; false where the backend leaves looking for it to the host. */
bool forward_likeliest(const struct model *model, const struct activations *work, int at, int count,
                       struct likeliest *found);

#endif
