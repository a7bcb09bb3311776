/* Random numbers, and random matrices in every storage together with the numbers they stand for. Asserts instead of failing.
 *
 * Numbers follow one sequence from `sample_seed` on. Arrays belong to the caller, a matrix's to the matrix. */
#ifndef TESTS_SUPPORT_SAMPLE_H
#define TESTS_SUPPORT_SAMPLE_H

#include "kernels/kernels.h"

void sample_seed(uint64_t seed);
float random_float(void); /* -1..1 */
float *random_floats(size_t count);

/* The nearest bfloat16, ties to even. */
float rounded(float value);

enum storage {
    STORAGE_HXQ,
    STORAGE_SMALL_CODEBOOK,
    STORAGE_F32,
    STORAGE_F32_OF_BF16,
    STORAGE_F16,
    STORAGE_BF16,
    STORAGES,
};

/* A random matrix in one storage, and the numbers it stands for. */
struct sample_matrix {
    struct matrix *matrix;
    void *data;
    float *dense; /* [rows, cols] */
    float *plain; /* the same before exceptions replaced some */
    enum storage storage;
    int64_t rows, cols;
};

void sample_create(struct sample_matrix *sample, struct backend *backend, enum storage storage,
                   int64_t rows, int64_t cols);
void sample_destroy(struct sample_matrix *sample, struct backend *backend);

#endif
