/* What of a dense checkpoint is compressed, and what stays exact.
 *
 * Follows the original encoder's policy: matrices `M.weight` of linear layers are compressed; embeddings, heads, norms,
 * convolutions, biases and whatever is small stay as they are. Whoever makes a plan finishes it; constant once made.
 */
#ifndef INFER_COMPRESS_PLAN_H
#define INFER_COMPRESS_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "infer/error.h"
#include "infer/safetensors.h"

struct plan {
    struct safetensors *files;
    json_t *config; /* the source's, with the quantization_config that loaders look for */
    char **modules; /* [count] per tensor, in order of name: M, or NULL where it stays exact */
    size_t count;
};

/* Opens a checkpoint directory and decides. False with an error, also for a source that is quantized already or holds
 * nothing to compress; finish it all the same. */
bool plan_init(struct plan *plan, const char *directory, struct error *error);
void plan_finish(struct plan *plan);

/* Whether a tensor holds floating-point numbers of a type that can be read. */
bool plan_is_float(const struct tensor *tensor);

#endif
