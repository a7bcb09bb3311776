/* From a dense checkpoint to one in HXQ form.
 *
 * Reads F32, F16 or BF16, in one file or in shards; writes what helix-substrate and this program load. Matrices named
 * `M.weight` become codebook, indices and sidecar; embeddings, heads, norms, convolutions, biases and small tensors stay
 * exactly as they are, and so do the other files (tokenizer, generation settings).
 *
 * The work is done in DESTINATION.partial, which no loader takes for a checkpoint before it is complete, and becomes
 * DESTINATION at once at the end. An interrupted run goes on from there when it is started again, to the same result bit
 * for bit. Work is spread over threads that end with the call.
 */
#ifndef INFER_COMPRESS_H
#define INFER_COMPRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "infer/error.h"

enum { COMPRESS_SIDECAR_DEFAULT = 512, COMPRESS_SIDECAR_MAX = 1 << 16 };

struct compress_options {
    const char *source;      /* checkpoint directory */
    const char *destination; /* must not exist, or be empty */
    int sidecar; /* exact outliers per matrix at most, 0..COMPRESS_SIDECAR_MAX; and at most 0.2 % of it */
    int threads; /* 0: one per processor */
    void (*on_progress)(void *user,
                        double fraction); /* 0..1, on any thread, one at a time; may be NULL */
    void *user;
};

struct compress_summary {
    int compressed_count, exact_count; /* tensors */
    int resumed_count;                 /* matrices that an interrupted run had fitted */
    int64_t source_bytes, bytes;       /* of weights files */
    double
        relative_error; /* root of squared error over squared norm, over all compressed matrices */
};

/* False with an error that names file and tensor; what was done stays in DESTINATION.partial. */
bool compress_run(const struct compress_options *options, struct compress_summary *summary,
                  struct error *error);

#endif
