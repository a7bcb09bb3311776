/* Exceptions stand first, last and in the middle of a matrix, far from what the codebook holds. */
#include "tests/support/sample.h"

#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state;

void sample_seed(uint64_t seed)
{
    random_state = seed;
}

float random_float(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(random_state >> 40) * 0x1p-23 - 1.0);
}

float *random_floats(size_t count)
{
    float *values = malloc(count * sizeof *values);

    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = random_float();
    return values;
}

float rounded(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void sample_dense(struct sample_matrix *sample, struct backend *backend, enum dtype dtype)
{
    const size_t count = (size_t)(sample->rows * sample->cols);
    struct matrix_source source = {.rows = sample->rows, .cols = sample->cols, .dtype = dtype};

    sample->dense = random_floats(count);
    sample->data = malloc(count * dtype_bytes(dtype) + 1);
    for (size_t i = 0; sample->storage == STORAGE_F32_OF_BF16 && i < count; i++)
        sample->dense[i] = rounded(sample->dense[i]);
    if (dtype == DTYPE_F32)
        memcpy(sample->data, sample->dense, count * sizeof(float));
    for (size_t i = 0; dtype != DTYPE_F32 && i < count; i++) {
        /* any finite 16-bit pattern of moderate size will do */
        const uint16_t bits = (uint16_t)((dtype == DTYPE_BF16 ? 0x3f00 : 0x3800) + (i * 37 & 0x7f) +
                                         (i & 1 ? 0x8000 : 0));
        memcpy((char *)sample->data + 2 * i, &bits, sizeof bits);
        dtype_widen(dtype, &bits, &sample->dense[i], 1);
    }
    source.data = sample->data;
    sample->matrix = backend->ops->matrix_create(backend, &source);
}

static void sample_compressed(struct sample_matrix *sample, struct backend *backend, int codes)
{
    const int64_t count = sample->rows * sample->cols;
    const int64_t positions[] = {count - 1, 0, count / 2};
    const float values[] = {3.0f, -4.0f, 5.0f};
    float *codebook = random_floats((size_t)codes);
    uint8_t *indices = malloc((size_t)count);

    sample->dense = malloc((size_t)count * sizeof *sample->dense);
    sample->plain = malloc((size_t)count * sizeof *sample->plain);
    for (int64_t i = 0; i < count; i++) {
        indices[i] = (uint8_t)(fabsf(random_float()) * (float)(codes - 1));
        sample->dense[i] = sample->plain[i] = codebook[indices[i]];
    }
    for (int i = 0; i < 3; i++)
        sample->dense[positions[i]] = values[i];
    sample->data = indices;
    sample->matrix = backend->ops->matrix_create(backend, &(struct matrix_source){
                                                              .rows = sample->rows,
                                                              .cols = sample->cols,
                                                              .data = indices,
                                                              .codebook = codebook,
                                                              .codebook_size = codes,
                                                              .sidecar_positions = positions,
                                                              .sidecar_values = values,
                                                              .sidecar_count = 3,
                                                          });
    free(codebook);
}

void sample_create(struct sample_matrix *sample, struct backend *backend, enum storage storage,
                   int64_t rows, int64_t cols)
{
    static const enum dtype dtypes[] = {[STORAGE_F32] = DTYPE_F32,
                                        [STORAGE_F32_OF_BF16] = DTYPE_F32,
                                        [STORAGE_F16] = DTYPE_F16,
                                        [STORAGE_BF16] = DTYPE_BF16};

    *sample = (struct sample_matrix){.storage = storage, .rows = rows, .cols = cols};
    if (storage == STORAGE_HXQ)
        sample_compressed(sample, backend, 256);
    else if (storage == STORAGE_SMALL_CODEBOOK)
        sample_compressed(sample, backend, 3);
    else
        sample_dense(sample, backend, dtypes[storage]);
    assert_non_null(sample->matrix);
}

void sample_destroy(struct sample_matrix *sample, struct backend *backend)
{
    backend->ops->matrix_destroy(sample->matrix);
    free(sample->data);
    free(sample->dense);
    free(sample->plain);
}
