/* The weights of a Qwen2 model on a backend.
 *
 * Immutable once loaded, so that sessions share it. A model owns its backend and everything on it; whoever loads
 * it destroys it, after its sessions. Shapes are of the checkpoint's config.
 */
#ifndef INFER_MODEL_H
#define INFER_MODEL_H

#include <stdatomic.h>

#include "infer/config.h"
#include "infer/safetensors.h"
#include "kernels/kernels.h"

struct layer {
    struct buffer *attention_norm; /* [hidden] */
    struct matrix *q, *k, *v; /* [heads * head_dim, hidden], [kv_heads * head_dim, hidden] twice */
    struct buffer *q_bias, *k_bias, *v_bias; /* [heads * head_dim], [kv_heads * head_dim] twice */
    struct matrix *o;                        /* [hidden, heads * head_dim] */
    struct buffer *mlp_norm;                 /* [hidden] */
    struct matrix *gate, *up;                /* [intermediate, hidden] */
    struct matrix *down;                     /* [hidden, intermediate] */
};

struct model {
    struct config config;
    struct backend *backend;
    struct matrix *embedding; /* [vocab, hidden] */
    struct layer *layers;     /* [config.layers] */
    struct buffer *norm;      /* [hidden] */
    struct matrix *head;      /* [vocab, hidden]; the embedding itself where tied */
    int64_t parameters;
    int64_t weight_bytes;  /* as stored */
    int64_t decode_bytes;  /* what one token reads of them, as the backend holds them */
    size_t unused_tensors; /* in the files, not part of this architecture: ignored */
};

struct model_options {
    struct backend *backend;   /* becomes the model's, also on failure; NULL: one on the CPU */
    int threads;               /* of that one; 0: one per processor */
    bool exact;                /* of that one: no rounding below float32 */
    const atomic_bool *cancel; /* may be NULL; polled between layers */
    void (*on_progress)(void *user, double fraction);
    void *user;
};

/* NULL with an error that names the file and tensor at fault. */
struct model *model_load(const char *directory, const struct model_options *options,
                         struct error *error);
void model_destroy(struct model *model);

#endif
