/* Loading walks the architecture, not the files: every expected tensor is asked for by name and shape, and what is left in
 * the files is only counted. */
#include "infer/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/failure.h"
#include "infer/weights.h"

enum { NAME_BYTES = 128 };

/* "model.layers.<index>.<rest>" */
static const char *layer_name(char name[NAME_BYTES], int index, const char *rest)
{
    snprintf(name, NAME_BYTES, "model.layers.%d.%s", index, rest);
    return name;
}

static bool load_attention(struct weights *weights, const struct config *config, int index,
                           struct layer *layer)
{
    const int64_t hidden = config->hidden_size;
    const int64_t q = (int64_t)config->heads * config->head_dim;
    const int64_t kv = (int64_t)config->kv_heads * config->head_dim;
    char name[NAME_BYTES];

#define NAME(rest) layer_name(name, index, rest)
    return (layer->attention_norm =
                weights_vector(weights, NAME("input_layernorm.weight"), hidden)) &&
           (layer->q = weights_matrix(weights, NAME("self_attn.q_proj"), q, hidden)) &&
           (layer->k = weights_matrix(weights, NAME("self_attn.k_proj"), kv, hidden)) &&
           (layer->v = weights_matrix(weights, NAME("self_attn.v_proj"), kv, hidden)) &&
           (layer->q_bias = weights_vector(weights, NAME("self_attn.q_proj.bias"), q)) &&
           (layer->k_bias = weights_vector(weights, NAME("self_attn.k_proj.bias"), kv)) &&
           (layer->v_bias = weights_vector(weights, NAME("self_attn.v_proj.bias"), kv)) &&
           (layer->o = weights_matrix(weights, NAME("self_attn.o_proj"), hidden, q));
}

static bool load_mlp(struct weights *weights, const struct config *config, int index,
                     struct layer *layer)
{
    const int64_t hidden = config->hidden_size, inner = config->intermediate_size;
    char name[NAME_BYTES];

    return (layer->mlp_norm =
                weights_vector(weights, NAME("post_attention_layernorm.weight"), hidden)) &&
           (layer->gate = weights_matrix(weights, NAME("mlp.gate_proj"), inner, hidden)) &&
           (layer->up = weights_matrix(weights, NAME("mlp.up_proj"), inner, hidden)) &&
           (layer->down = weights_matrix(weights, NAME("mlp.down_proj"), hidden, inner));
#undef NAME
}

/* The head is the embedding where the config says so, and where the files have none. */
static bool load_head(struct weights *weights, struct model *model)
{
    const struct config *config = &model->config;

    if (config->tied_head || !weights_has(weights, "lm_head")) {
        model->head = model->embedding;
        return true;
    }
    model->head = weights_matrix(weights, "lm_head", config->vocab_size, config->hidden_size);
    return model->head != NULL;
}

enum { LAYER_MATRICES = 7 };

static void layer_matrices(const struct layer *layer, struct matrix *matrices[LAYER_MATRICES])
{
    struct matrix *const all[] = {layer->q,    layer->k,  layer->v,   layer->o,
                                  layer->gate, layer->up, layer->down};

    memcpy(matrices, all, sizeof all);
}

/* What one token reads of the weights. */
static int64_t decode_bytes(const struct model *model)
{
    const struct ops *ops = model->backend->ops;
    int64_t bytes = ops->matrix_bytes(model->head);

    for (int i = 0; i < model->config.layers; i++) {
        struct matrix *matrices[LAYER_MATRICES];
        layer_matrices(&model->layers[i], matrices);
        for (int j = 0; j < LAYER_MATRICES; j++)
            bytes += ops->matrix_bytes(matrices[j]);
    }
    return bytes;
}

static bool load_weights(struct model *model, const struct model_options *options,
                         struct weights *weights, struct error *error)
{
    const struct config *config = &model->config;

    model->embedding =
        weights_matrix(weights, "model.embed_tokens", config->vocab_size, config->hidden_size);
    /* the largest matrices come first: they pass through memory that is given back before the layers fill it */
    if (!model->embedding || !load_head(weights, model))
        return false;
    const double file_bytes = (double)safetensors_bytes(weights->files);
    for (int i = 0; i < config->layers; i++) {
        if (options->cancel && atomic_load(options->cancel))
            return error_set(error, ERROR_CANCELLED, "loading was cancelled");
        if (!load_attention(weights, config, i, &model->layers[i]) ||
            !load_mlp(weights, config, i, &model->layers[i]))
            return false;
        if (options->on_progress)
            options->on_progress(options->user, (double)weights->bytes / file_bytes);
    }
    model->norm = weights_vector(weights, "model.norm.weight", config->hidden_size);
    if (!model->norm)
        return false;
    if (options->on_progress)
        options->on_progress(options->user, 1.0);
    model->parameters = weights->parameters;
    model->weight_bytes = weights->bytes;
    model->decode_bytes = decode_bytes(model);
    return true;
}

struct model *model_load(const char *directory, const struct model_options *options,
                         struct error *error)
{
    struct model *model = calloc(1, sizeof *model);
    struct weights weights = {0};
    struct safetensors *files = NULL;
    bool loaded = false;

    if (!model) {
        if (options->backend)
            options->backend->ops->destroy(options->backend);
        error_set(error, ERROR_MEMORY, "not enough memory for the model");
        return NULL;
    }
    model->backend =
        options->backend ? options->backend : cpu_backend_create(options->threads, options->exact);
    if (!config_read(&model->config, directory, error) ||
        !(files = safetensors_open(directory, error)))
        goto done;

    model->layers = calloc((size_t)model->config.layers, sizeof *model->layers);
    if (!model->backend || !model->layers) {
        error_set(error, ERROR_MEMORY, "not enough memory or threads for the model");
        goto done;
    }
    if (!weights_init(&weights, files, model->backend, error))
        goto done;

    loaded = load_weights(model, options, &weights, error) &&
             (backend_status(model->backend) == BACKEND_OK ||
              failure_report(model->backend, directory, error));
    for (size_t i = 0; i < safetensors_count(files); i++)
        model->unused_tensors += !weights.used[i];

done:
    weights_finish(&weights);
    safetensors_close(files);
    if (!loaded) {
        model_destroy(model);
        return NULL;
    }
    return model;
}

static void layer_finish(const struct ops *ops, struct layer *layer)
{
    struct buffer *buffers[] = {layer->attention_norm, layer->q_bias, layer->k_bias, layer->v_bias,
                                layer->mlp_norm};
    struct matrix *matrices[LAYER_MATRICES];

    layer_matrices(layer, matrices);
    for (int i = 0; i < LAYER_MATRICES; i++)
        ops->matrix_destroy(matrices[i]);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        ops->buffer_destroy(buffers[i]);
}

void model_destroy(struct model *model)
{
    if (!model)
        return;
    if (model->backend) {
        const struct ops *ops = model->backend->ops;
        for (int i = 0; model->layers && i < model->config.layers; i++)
            layer_finish(ops, &model->layers[i]);
        if (model->head != model->embedding)
            ops->matrix_destroy(model->head);
        ops->matrix_destroy(model->embedding);
        ops->buffer_destroy(model->norm);
        ops->destroy(model->backend);
    }
    free(model->layers);
    free(model);
}
