/* Checks follow the life of a number: the tensors of a module agree in type and shape; then they are read, every number is
 * finite, every index and position points inside. What was checked is what a backend sees, unchecked: a file that somebody
 * writes to meanwhile cannot come between.
 *
 * Tensors pass through one piece of memory, so that it is touched for the first time once; what large tensors took of it is
 * given back at once, because they come while little else is there (see model.c). */
#include "infer/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "infer/failure.h"

enum {
    NAME_BYTES = 256,
    CODEBOOK_MAX = 256,
    CHUNK = 4096,
    HUGE_PAGE_BYTES = 2 << 20,
    KEPT_BYTES = 128 << 20, /* of memory that tensors pass through */
};

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
    free(weights->numbers);
    *weights = (struct weights){0};
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

/* --- reading ---------------------------------------------------------------------------------------------------------- */

/* Memory for a tensor's numbers; NULL when exhausted. Of a large one the first touch costs most, so it is in large pages where
 * the system grants them. */
static void *take_memory(size_t bytes)
{
    if (bytes < HUGE_PAGE_BYTES)
        return malloc(bytes);

    const size_t whole = (bytes + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
    void *memory = aligned_alloc(HUGE_PAGE_BYTES, whole);
    if (memory)
        madvise(memory, whole, MADV_HUGEPAGE);
    return memory;
}

/* The numbers of a tensor, valid until the next ones are taken; NULL with an error. */
static const void *take_numbers(struct weights *weights, const struct tensor *tensor)
{
    if (tensor->bytes > weights->capacity) {
        free(weights->numbers);
        weights->numbers = take_memory(tensor->bytes);
        weights->capacity = weights->numbers ? tensor->bytes : 0;
    }
    if (!weights->numbers && !(weights->numbers = malloc(1))) {
        error_set(weights->error, ERROR_MEMORY, "%s: not enough memory to read it", tensor->name);
        return NULL;
    }
    return safetensors_read(tensor, 0, tensor->count, weights->numbers, weights->error)
               ? weights->numbers
               : NULL;
}

/* Gives back what a large tensor took. */
static void leave_numbers(struct weights *weights)
{
    if (weights->capacity <= KEPT_BYTES)
        return;
    free(weights->numbers);
    weights->numbers = NULL;
    weights->capacity = 0;
}

/* Whether all of a float tensor's numbers are finite. */
static bool are_finite(const struct weights *weights, const struct tensor *tensor, enum dtype dtype,
                       const void *numbers)
{
    float values[CHUNK];

    for (int64_t at = 0; at < tensor->count; at += CHUNK) {
        const int64_t count = tensor->count - at < CHUNK ? tensor->count - at : CHUNK;
        dtype_widen(dtype, (const char *)numbers + (size_t)at * dtype_bytes(dtype), values,
                    (size_t)count);
        for (int64_t i = 0; i < count; i++)
            if (!isfinite(values[i]))
                return refuse(weights, tensor, "holds a number that is not finite");
    }
    return true;
}

/* A float tensor as finite numbers of its own type; NULL with an error. */
static const void *take_floats(struct weights *weights, const struct tensor *tensor,
                               enum dtype *dtype)
{
    if (!float_dtype(tensor, dtype)) {
        refuse(weights, tensor, "F32, F16 or BF16 is expected");
        return NULL;
    }
    const void *numbers = take_numbers(weights, tensor);
    return numbers && are_finite(weights, tensor, *dtype, numbers) ? numbers : NULL;
}

/* A float tensor as finite float32 [count]; the caller frees it. NULL with an error. */
static float *read_floats(struct weights *weights, const struct tensor *tensor)
{
    enum dtype dtype;
    const void *numbers = take_floats(weights, tensor, &dtype);
    float *values = numbers ? malloc((size_t)tensor->count * sizeof *values + 1) : NULL;

    if (values)
        dtype_widen(dtype, numbers, values, (size_t)tensor->count);
    else if (numbers)
        error_set(weights->error, ERROR_MEMORY, "%s: not enough memory to read it", tensor->name);
    return values;
}

/* --- the parts of a module -------------------------------------------------------------------------------------------- */

static bool read_codebook(struct weights *weights, const struct tensor *tensor,
                          struct matrix_source *source)
{
    if (tensor->type != TENSOR_F32)
        return refuse(weights, tensor, "F32 is expected");
    if (tensor->rank != 1 || tensor->count < 1 || tensor->count > CODEBOOK_MAX)
        return refuse(weights, tensor,
                      "only codebooks of up to 256 single values are supported for this model");
    source->codebook = read_floats(weights, tensor);
    source->codebook_size = (int)tensor->count;
    return source->codebook;
}

/* Positions and values, where a module has any. */
static bool read_sidecar(struct weights *weights, const struct module_tensors *found,
                         struct matrix_source *source)
{
    const struct tensor *positions = found->sidecar_positions, *values = found->sidecar_values;
    const int64_t numbers = source->rows * source->cols;

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

    int64_t *flat = malloc(positions->bytes + 1);
    source->sidecar_positions = flat;
    source->sidecar_count = positions->count;
    if (!flat)
        return error_set(weights->error, ERROR_MEMORY, "%s: not enough memory to read it",
                         positions->name);
    if (!safetensors_read(positions, 0, positions->count, flat, weights->error))
        return false;
    for (int64_t i = 0; i < positions->count; i++)
        if (flat[i] < 0 || flat[i] >= numbers)
            return refuse(weights, positions, "a sidecar position points outside the matrix");
    source->sidecar_values = read_floats(weights, values);
    return source->sidecar_values;
}

/* Indices are bytes, so a codebook of 256 cannot be overrun. */
static bool take_indices(struct weights *weights, const struct tensor *tensor,
                         struct matrix_source *source)
{
    uint8_t largest = 0;

    if (tensor->type != TENSOR_U8)
        return refuse(weights, tensor, "U8 is expected");
    if (!has_shape(weights, tensor, source->rows, source->cols))
        return false;
    const uint8_t *indices = take_numbers(weights, tensor);
    source->data = indices;
    if (!indices || source->codebook_size == CODEBOOK_MAX)
        return indices;
    for (size_t i = 0; i < tensor->bytes; i++)
        largest = indices[i] > largest ? indices[i] : largest;
    return largest < source->codebook_size ||
           refuse(weights, tensor, "an index points beyond the codebook");
}

/* What of a module a backend makes a matrix [source->rows, source->cols] of. */
static bool read_module(struct weights *weights, const struct module_tensors *found,
                        const char *module, struct matrix_source *source)
{
    if (found->unsupported)
        return refuse(weights, found->unsupported, "this addition to HXQ is not supported");
    if (found->codebook && found->indices) /* the indices last: they stay where they are taken */
        return read_codebook(weights, found->codebook, source) &&
               read_sidecar(weights, found, source) &&
               take_indices(weights, found->indices, source);
    if (found->codebook || found->indices)
        return refuse(weights, found->codebook ? found->codebook : found->indices,
                      "codebook and indices must come together");
    if (found->dense)
        return has_shape(weights, found->dense, source->rows, source->cols) &&
               (source->data = take_floats(weights, found->dense, &source->dtype));
    return error_set(weights->error, ERROR_INPUT, "%s: tensor %s.weight (or .indices) is missing",
                     safetensors_count(weights->files) ? safetensors_at(weights->files, 0)->file
                                                       : "checkpoint",
                     module);
}

/* --- all of it -------------------------------------------------------------------------------------------------------- */

struct matrix *weights_matrix(struct weights *weights, const char *module, int64_t rows,
                              int64_t cols)
{
    struct matrix_source source = {.rows = rows, .cols = cols};
    struct module_tensors found;
    struct matrix *matrix = NULL;

    module_tensors_find(&found, weights->files, module);
    if (!read_module(weights, &found, module, &source))
        goto done;
    matrix = weights->backend->ops->matrix_create(weights->backend, &source);
    if (!matrix) {
        failure_report(weights->backend, module, weights->error);
        goto done;
    }
    if (found.codebook) {
        mark_used(weights, found.codebook);
        mark_used(weights, found.indices);
        mark_used(weights, found.sidecar_positions);
        mark_used(weights, found.sidecar_values);
    } else
        mark_used(weights, found.dense);
    weights->parameters += rows * cols;

done:
    leave_numbers(weights);
    free((void *)source.codebook);
    free((void *)source.sidecar_positions);
    free((void *)source.sidecar_values);
    return matrix;
}

struct buffer *weights_vector(struct weights *weights, const char *name, int64_t count)
{
    const struct tensor *tensor = safetensors_find(weights->files, name);
    struct buffer *buffer;

    if (!tensor) {
        error_set(weights->error, ERROR_INPUT, "%s: tensor %s is missing",
                  safetensors_count(weights->files) ? safetensors_at(weights->files, 0)->file
                                                    : "checkpoint",
                  name);
        return NULL;
    }
    float *values = has_shape(weights, tensor, count, 0) ? read_floats(weights, tensor) : NULL;
    if (!values)
        return NULL;
    buffer = weights->backend->ops->buffer_create(weights->backend, (size_t)count);
    if (buffer) {
        weights->backend->ops->write(weights->backend, slice_at(buffer, 0), values, (size_t)count);
        mark_used(weights, tensor);
        weights->parameters += count;
    } else
        failure_report(weights->backend, name, weights->error);
    free(values);
    return buffer;
}
