/* Each layer reads the residual stream, adds what attention makes of it, then what the MLP makes of it. Keys and values are
 * written straight into the cache by their products and rotated there. */
#include "infer/forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct slice none = {NULL, 0};

static struct slice whole(struct buffer *buffer)
{
    return slice_at(buffer, 0);
}

/* Cosines and sines of every position; angles in double precision, position * theta^(-2j / head_dim). */
static bool fill_angles(struct activations *work, const struct model *model, int positions)
{
    const int dim = model->config.head_dim, half = dim / 2;
    float *row = malloc((size_t)dim * sizeof *row);

    if (!row)
        return false;
    for (int position = 0; position < positions; position++) {
        for (int j = 0; j < half; j++) {
            const double angle = position * pow(model->config.rope_theta, -2.0 * j / dim);
            row[j] = (float)cos(angle);
            row[half + j] = (float)sin(angle);
        }
        model->backend->ops->write(model->backend,
                                   slice_at(work->angles, (size_t)position * (size_t)dim), row,
                                   (size_t)dim);
    }
    free(row);
    return true;
}

void activations_counts(const struct config *config, int positions,
                        size_t counts[ACTIVATIONS_BUFFERS])
{
    const size_t stream = FORWARD_TILE * (size_t)config->hidden_size;
    const size_t heads = FORWARD_TILE * (size_t)config->heads * (size_t)config->head_dim;
    const size_t inner = FORWARD_TILE * (size_t)config->intermediate_size;
    const size_t all[ACTIVATIONS_BUFFERS] = {
        stream,
        stream,
        heads,
        heads,
        inner,
        inner,
        FORWARD_LOGITS_MAX * (size_t)config->vocab_size,
        (size_t)positions * (size_t)config->head_dim,
    };

    memcpy(counts, all, sizeof all);
}

bool activations_init(struct activations *work, const struct model *model, int positions)
{
    struct buffer **buffers[ACTIVATIONS_BUFFERS] = {&work->x,      &work->normed, &work->q,
                                                    &work->mixed,  &work->gate,   &work->up,
                                                    &work->logits, &work->angles};
    size_t counts[ACTIVATIONS_BUFFERS];

    *work = (struct activations){0};
    activations_counts(&model->config, positions, counts);
    for (int i = 0; i < ACTIVATIONS_BUFFERS; i++) {
        *buffers[i] = model->backend->ops->buffer_create(model->backend, counts[i]);
        if (!*buffers[i])
            return false;
    }
    return fill_angles(work, model, positions);
}

void activations_finish(struct activations *work, const struct model *model)
{
    struct buffer *buffers[] = {work->x,    work->normed, work->q,      work->mixed,
                                work->gate, work->up,     work->logits, work->angles};

    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        model->backend->ops->buffer_destroy(buffers[i]);
    *work = (struct activations){0};
}

/* q of the tile; k and v go into the cache. */
static void project(const struct model *model, const struct layer *layer, struct cache *cache,
                    int index, struct activations *work, int n, int first)
{
    const struct config *config = &model->config;
    const struct ops *ops = model->backend->ops;
    struct backend *backend = model->backend;
    const size_t row = (size_t)first * (size_t)cache->width;
    const struct slice x = whole(work->x), normed = whole(work->normed), q = whole(work->q);
    const struct slice k = slice_at(cache->keys[index], row);
    const struct slice v = slice_at(cache->values[index], row);

    if (ops->project_qkv) {
        const struct attention_shape shape = {config->heads, config->kv_heads, config->head_dim};
        const struct qkv_weights weights = {
            .norm = whole(layer->attention_norm),
            .eps = config->norm_eps,
            .q = layer->q,
            .k = layer->k,
            .v = layer->v,
            .q_bias = whole(layer->q_bias),
            .k_bias = whole(layer->k_bias),
            .v_bias = whole(layer->v_bias),
        };
        ops->project_qkv(backend, &weights, x, whole(work->angles), shape, first, n, q,
                         whole(cache->keys[index]), whole(cache->values[index]));
        return;
    }
    ops->rms_norm(backend, x, whole(layer->attention_norm), config->norm_eps, n,
                  config->hidden_size, normed);
    ops->matmul(backend, layer->q, normed, whole(layer->q_bias), false, n, q);
    ops->matmul(backend, layer->k, normed, whole(layer->k_bias), false, n, k);
    ops->matmul(backend, layer->v, normed, whole(layer->v_bias), false, n, v);
    ops->rope(backend, q, whole(work->angles), first, n, config->heads, config->head_dim);
    ops->rope(backend, k, whole(work->angles), first, n, config->kv_heads, config->head_dim);
}

/* x += o * attention(q, k, v) of the normed stream. */
static void attend(const struct model *model, const struct layer *layer, struct cache *cache,
                   int index, struct activations *work, int n, int first)
{
    const struct config *config = &model->config;
    const struct ops *ops = model->backend->ops;
    const struct attention_shape shape = {config->heads, config->kv_heads, config->head_dim};

    project(model, layer, cache, index, work, n, first);
    ops->attention(model->backend, whole(work->q), whole(cache->keys[index]),
                   whole(cache->values[index]), shape, first, n, whole(work->mixed));
    ops->matmul(model->backend, layer->o, whole(work->mixed), none, true, n, whole(work->x));
}

/* gate = silu(gate) * up of the normed stream. */
static void gate(const struct model *model, const struct layer *layer, struct activations *work,
                 int n)
{
    const struct config *config = &model->config;
    const struct ops *ops = model->backend->ops;
    struct backend *backend = model->backend;
    const struct slice normed = whole(work->normed);

    if (ops->gate_up) {
        const struct gate_up_weights weights = {whole(layer->mlp_norm), config->norm_eps,
                                                layer->gate, layer->up};
        ops->gate_up(backend, &weights, whole(work->x), n, whole(work->gate));
        return;
    }
    ops->rms_norm(backend, whole(work->x), whole(layer->mlp_norm), config->norm_eps, n,
                  config->hidden_size, normed);
    ops->matmul(backend, layer->gate, normed, none, false, n, whole(work->gate));
    ops->matmul(backend, layer->up, normed, none, false, n, whole(work->up));
    ops->silu_mul(backend, whole(work->gate), whole(work->up),
                  (size_t)n * (size_t)config->intermediate_size);
}

/* x += down * (silu(gate) * up) of the normed stream. */
static void feed_forward(const struct model *model, const struct layer *layer,
                         struct activations *work, int n)
{
    gate(model, layer, work, n);
    model->backend->ops->matmul(model->backend, layer->down, whole(work->gate), none, true, n,
                                whole(work->x));
}

bool forward_tile(const struct model *model, struct cache *cache, struct activations *work,
                  const int32_t *tokens, int n, int first, const struct halt *halt)
{
    const struct ops *ops = model->backend->ops;

    ops->embed(model->backend, model->embedding, tokens, n, whole(work->x));
    for (int i = 0; i < model->config.layers; i++) {
        if (halt_is_due(halt))
            return false;
        if (ops->part_begin && !ops->part_begin(model->backend, cache, i, first, n))
            continue;
        attend(model, &model->layers[i], cache, i, work, n, first);
        feed_forward(model, &model->layers[i], work, n);
        if (ops->part_end)
            ops->part_end(model->backend);
    }
    return true;
}

static struct slice logits_row(const struct model *model, const struct activations *work, int at)
{
    return slice_at(work->logits, (size_t)at * (size_t)model->config.vocab_size);
}

void forward_logits(const struct model *model, struct activations *work, int row, int n, int at)
{
    const struct config *config = &model->config;
    const struct ops *ops = model->backend->ops;
    struct backend *backend = model->backend;
    const struct slice x = slice_at(work->x, (size_t)row * (size_t)config->hidden_size);

    ops->rms_norm(backend, x, whole(model->norm), config->norm_eps, n, config->hidden_size,
                  whole(work->normed));
    ops->matmul(backend, model->head, whole(work->normed), none, false, n,
                logits_row(model, work, at));
}

void forward_read_logits(const struct model *model, const struct activations *work, int at,
                         float *logits, size_t count)
{
    model->backend->ops->read(model->backend, logits_row(model, work, at), logits, count);
}

bool forward_likeliest(const struct model *model, const struct activations *work, int at, int count,
                       struct likeliest *found)
{
    const struct ops *ops = model->backend->ops;

    if (ops->likeliest)
        ops->likeliest(model->backend, logits_row(model, work, at), count, found);
    return ops->likeliest != NULL;
}
