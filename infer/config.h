/* The shape of a model, from a checkpoint's config.json.
 *
 * A plain value. Everything the forward pass needs is read from the file and checked; nothing that changes results is
 * guessed. Supported: Qwen2 ("model_type": "qwen2").
 */
#ifndef INFER_CONFIG_H
#define INFER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "infer/error.h"

enum { CONFIG_MAX_END_TOKENS = 8 };

struct config {
    int layers;
    int hidden_size;
    int intermediate_size;
    int heads, kv_heads, head_dim;
    int vocab_size;
    int max_positions;
    float norm_eps;
    double rope_theta;
    bool tied_head;                            /* the output head is the embedding */
    int32_t end_tokens[CONFIG_MAX_END_TOKENS]; /* ids after which nothing follows */
    int end_token_count;
};

/* Reads `directory`/config.json. False with an error that names the file and the key. */
bool config_read(struct config *config, const char *directory, struct error *error);

#endif
