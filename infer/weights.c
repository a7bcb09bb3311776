/* Checks follow the life of a number: the tensors of a module agree in type and shape, every number is finite, every index
 * and position points inside. Only then does a backend see the data, unchecked. */
#include "infer/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/failure.h"

enum { NAME_BYTES = 256, CODEBOOK_MAX = 256, CHUNK = 4096 };

bool weights_init(struct weights *weights, const struct safetensors *files, struct backend *backend,
                  struct error *error)
{
    *weights = (struct weights){.files = files, .backend = backend, .error = error};
    weights->used = calloc(safetensors_count(files) + 1, sizeof *weights->used);
    return weights->used || error_set(error, ERROR_MEMORY, "not enough memory for the model");
}

void weights_finish(struct weights *weights)
{
    free(weights->used);
    weights->used = NULL;
}

static const struct tensor *find(const struct safetensors *files, const char *module,
                                 const char *suffix)
{
    char name[NAME_BYTES];

    if (snprintf(name, sizeof name, "%s%s", module, suffix) >= (int)sizeof name)
        return NULL;
    return safetensors_find(files, name);
}

void module_tensors_find(struct module_tensors *found, const struct safetensors *files,
                         const char *module)
{
    *found = (struct module_tensors){
        .codebook = find(files, module, ".codebook"),
        .indices = find(files, module, ".indices"),
        .sidecar_positions = find(files, module, ".sidecar_positions"),
        .sidecar_values = find(files, module, ".sidecar_values"),
        .dense = find(files, module, ".weight"),
        .unsupported = find(files, module, ".svd_U"),
    };
    if (!found->sidecar_positions)
        found->sidecar_positions = find(files, module, ".sidecar_indices");
    if (!found->unsupported)
        found->unsupported = find(files, module, ".channel_scales");
}

bool weights_has(const struct weights *weights, const char *module)
{
    struct module_tensors found;

    module_tensors_find(&found, weights->files, module);
    return found.codebook || found.indices || found.dense;
}

static bool refuse(const struct weights *weights, const struct tensor *tensor, const char *why)
{
    return error_set(weights->error, ERROR_INPUT, "%s: tensor %s: %s", tensor->file, tensor->name,
                     why);
}

static void mark_used(struct weights *weights, const struct tensor *tensor)
{
    if (tensor) {
        weights->used[tensor - safetensors_at(weights->files, 0)] = true;
        weights->bytes += (int64_t)tensor->bytes;
    }
}

/* Fails unless the tensor has exactly these dimensions; cols 0 asks for a vector. */
static bool has_shape(const struct weights *weights, const struct tensor *tensor, int64_t rows,
                      int64_t cols)
{
    const bool fits =
        cols ? tensor->rank == 2 && tensor->shape[0] == rows && tensor->shape[1] == cols
             : tensor->rank == 1 && tensor->shape[0] == rows;
    if (fits)
        return true;

    char expected[64], found[TENSOR_MAX_RANK * 21 + 2] = "";
    snprintf(expected, sizeof expected, cols ? "[%lld, %lld]" : "[%lld]", (long long)rows,
             (long long)cols);
    for (int i = 0, at = 0; i < tensor->rank; i++)
        at += snprintf(found + at, sizeof found - (size_t)at, i ? ", %lld" : "%lld",
                       (long long)tensor->shape[i]);
    return error_set(weights->error, ERROR_INPUT,
                     "%s: tensor %s: shape [%s], but the configuration asks for %s", tensor->file,
                     tensor->name, found, expected);
}

static bool float_dtype(const struct tensor *tensor, enum dtype *dtype)
{
    switch (tensor->type) {
    case TENSOR_F32:
        *dtype = DTYPE_F32;
        return true;
    case TENSOR_F16:
        *dtype = DTYPE_F16;
        return true;
    case TENSOR_BF16:
        *dtype = DTYPE_BF16;
        return true;
    default:
        return false;
    }
}

/* Whether every number of a float tensor is finite. */
static bool is_finite(const struct weights *weights, const struct tensor *tensor)
{
    float values[CHUNK];
    enum dtype dtype;

    if (!float_dtype(tensor, &dtype))
        return refuse(weights, tensor, "F32, F16 or BF16 is expected");
    for (int64_t at = 0; at < tensor->count; at += CHUNK) {
        const int64_t count = tensor->count - at < CHUNK ? tensor->count - at : CHUNK;
        dtype_widen(dtype, (const char *)tensor->data + (size_t)at * dtype_bytes(dtype), values,
                    (size_t)count);
        for (int64_t i = 0; i < count; i++)
            if (!isfinite(values[i]))
                return refuse(weights, tensor, "holds a number that is not finite");
    }
    return true;
}

static bool check_codebook(const struct weights *weights, const struct tensor *codebook)
{
    if (codebook->type != TENSOR_F32)
        return refuse(weights, codebook, "F32 is expected");
    if (codebook->rank != 1 || codebook->count < 1 || codebook->count > CODEBOOK_MAX)
        return refuse(weights, codebook,
                      "only codebooks of up to 256 single values are supported for this model");
    return is_finite(weights, codebook);
}

/* Indices are bytes, so a codebook of 256 cannot be overrun. */
static bool check_indices(const struct weights *weights, const struct tensor *indices,
                          int64_t codebook_size, int64_t rows, int64_t cols)
{
    const uint8_t *bytes = indices->data;
    uint8_t largest = 0;

    if (indices->type != TENSOR_U8)
        return refuse(weights, indices, "U8 is expected");
    if (!has_shape(weights, indices, rows, cols))
        return false;
    if (codebook_size == CODEBOOK_MAX)
        return true;
    for (size_t i = 0; i < indices->bytes; i++)
        largest = bytes[i] > largest ? bytes[i] : largest;
    return largest < codebook_size ||
           refuse(weights, indices, "an index points beyond the codebook");
}

static bool check_sidecar(const struct weights *weights, const struct tensor *positions,
                          const struct tensor *values, int64_t numbers)
{
    if (!positions && !values)
        return true;
    if (!positions || !values)
        return refuse(weights, positions ? positions : values,
                      "sidecar positions and values must come together");
    if (positions->type != TENSOR_I64)
        return refuse(weights, positions, "I64 is expected");
    if (positions->rank != 1 || values->rank != 1)
        return refuse(weights, positions, "sidecar tensors must have one dimension");

    if (positions->count != values->count || positions->count > numbers)
        return refuse(weights, values, "as many values as sidecar positions are expected");
    for (int64_t i = 0; i < positions->count; i++) {
        int64_t position;
        memcpy(&position, (const char *)positions->data + 8 * i, sizeof position);
        if (position < 0 || position >= numbers)
            return refuse(weights, positions, "a sidecar position points outside the matrix");
    }
    return is_finite(weights, values);
}

/* An aligned copy; NULL when memory is exhausted. */
static void *copy(const struct tensor *tensor)
{
    void *bytes = malloc(tensor->bytes + 1);

    if (bytes)
        memcpy(bytes, tensor->data, tensor->bytes);
    return bytes;
}

/* Builds an HXQ matrix from tensors that were checked. */
static struct matrix *compressed_matrix(struct weights *weights, const struct module_tensors *found,
                                        int64_t rows, int64_t cols)
{
    const bool sidecar = found->sidecar_positions != NULL;
    float codebook[CODEBOOK_MAX];
    int64_t *positions = sidecar ? copy(found->sidecar_positions) : NULL;
    float *values = sidecar ? malloc(found->sidecar_values->count * sizeof *values + 1) : NULL;
    struct matrix *matrix = NULL;
    enum dtype dtype;

    memcpy(codebook, found->codebook->data, found->codebook->bytes);
    if (!sidecar || (positions && values)) {
        if (sidecar && float_dtype(found->sidecar_values, &dtype))
            dtype_widen(dtype, found->sidecar_values->data, values,
                        (size_t)found->sidecar_values->count);
        matrix = weights->backend->ops->matrix_create(
            weights->backend, &(struct matrix_source){
                                  .rows = rows,
                                  .cols = cols,
                                  .data = found->indices->data,
                                  .codebook = codebook,
                                  .codebook_size = (int)found->codebook->count,
                                  .sidecar_positions = positions,
                                  .sidecar_values = values,
                                  .sidecar_count = sidecar ? found->sidecar_values->count : 0,
                              });
    }
    free(positions);
    free(values);
    return matrix;
}

static struct matrix *dense_matrix(struct weights *weights, const struct tensor *dense,
                                   int64_t rows, int64_t cols)
{
    struct matrix_source source = {.rows = rows, .cols = cols, .data = dense->data};

    if (!float_dtype(dense, &source.dtype))
        return NULL;
    return weights->backend->ops->matrix_create(weights->backend, &source);
}

/* Whether the tensors of a module may become a matrix [rows, cols]. */
static bool check_module(const struct weights *weights, const struct module_tensors *found,
                         const char *module, int64_t rows, int64_t cols)
{
    if (found->unsupported)
        return refuse(weights, found->unsupported, "this addition to HXQ is not supported");
    if (found->codebook && found->indices)
        return check_codebook(weights, found->codebook) &&
               check_indices(weights, found->indices, found->codebook->count, rows, cols) &&
               check_sidecar(weights, found->sidecar_positions, found->sidecar_values, rows * cols);
    if (found->codebook || found->indices)
        return refuse(weights, found->codebook ? found->codebook : found->indices,
                      "codebook and indices must come together");
    if (found->dense)
        return has_shape(weights, found->dense, rows, cols) && is_finite(weights, found->dense);
    return error_set(weights->error, ERROR_INPUT, "%s: tensor %s.weight (or .indices) is missing",
                     safetensors_count(weights->files) ? safetensors_at(weights->files, 0)->file
                                                       : "checkpoint",
                     module);
}

struct matrix *weights_matrix(struct weights *weights, const char *module, int64_t rows,
                              int64_t cols)
{
    struct module_tensors found;

    module_tensors_find(&found, weights->files, module);
    if (!check_module(weights, &found, module, rows, cols))
        return NULL;

    struct matrix *matrix = found.codebook ? compressed_matrix(weights, &found, rows, cols)
                                           : dense_matrix(weights, found.dense, rows, cols);
    if (!matrix) {
        failure_report(weights->backend, module, weights->error);
        return NULL;
    }
    /* the backend has its copy */
    safetensors_release(found.codebook ? found.indices : found.dense);
    if (found.codebook) {
        mark_used(weights, found.codebook);
        mark_used(weights, found.indices);
        mark_used(weights, found.sidecar_positions);
        mark_used(weights, found.sidecar_values);
    } else
        mark_used(weights, found.dense);
    weights->parameters += rows * cols;
    return matrix;
}

struct buffer *weights_vector(struct weights *weights, const char *name, int64_t count)
{
    const struct tensor *tensor = safetensors_find(weights->files, name);
    enum dtype dtype;

    if (!tensor) {
        error_set(weights->error, ERROR_INPUT, "%s: tensor %s is missing",
                  safetensors_count(weights->files) ? safetensors_at(weights->files, 0)->file
                                                    : "checkpoint",
                  name);
        return NULL;
    }
    if (!has_shape(weights, tensor, count, 0) || !is_finite(weights, tensor) ||
        !float_dtype(tensor, &dtype))
        return NULL;

    float *values = malloc((size_t)count * sizeof *values);
    struct buffer *buffer =
        values ? weights->backend->ops->buffer_create(weights->backend, (size_t)count) : NULL;
    if (!buffer) {
        free(values);
        failure_report(weights->backend, name, weights->error);
        return NULL;
    }
    dtype_widen(dtype, tensor->data, values, (size_t)count);
    weights->backend->ops->write(weights->backend, slice_at(buffer, 0), values, (size_t)count);
    free(values);

    mark_used(weights, tensor);
    weights->parameters += count;
    return buffer;
}
