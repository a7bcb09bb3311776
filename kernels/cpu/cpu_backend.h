/* What the files of the CPU backend share. Private to kernels/cpu. */
#ifndef KERNELS_CPU_CPU_BACKEND_H
#define KERNELS_CPU_CPU_BACKEND_H

#include "kernels/cpu/threads.h"
#include "kernels/hxq_layout.h"
#include "kernels/kernels.h"

struct buffer {
    size_t count;
    float values[];
};

struct matrix {
    int64_t rows, cols;
    enum dtype dtype;          /* of dense data */
    const unsigned char *data; /* borrowed: indices [rows, cols] or dense numbers */
    bool compressed;
    float codebook[256]; /* padded with zeros */
    struct sidecar_rows sidecar;
};

struct cpu_backend {
    struct backend base;
    struct threads *threads;
    float *scratch; /* [members, scratch_count] */
    size_t scratch_count;
};

static inline struct cpu_backend *cpu_backend_of(struct backend *backend)
{
    return (struct cpu_backend *)backend;
}

static inline float *slice_values(struct slice slice)
{
    return slice.buffer->values + slice.offset;
}

/* Makes room for `count` values per member; false, with the status set, when memory is exhausted or was before. */
bool cpu_scratch_reserve(struct cpu_backend *backend, size_t count);

static inline float *cpu_scratch(const struct cpu_backend *backend, int member)
{
    return backend->scratch + (size_t)member * backend->scratch_count;
}

/* One matrix row as float32 [cols], exact. */
void matrix_expand_row(const struct matrix *matrix, int64_t row, float *values);

/* Sum of products, always in the same order: DOT_LANES partial sums, then pairwise. */
enum { DOT_LANES = 16 };
float dot(const float *a, const float *b, int64_t count);

/* The operations; see struct ops. */
void cpu_embed(struct backend *backend, const struct matrix *matrix, const int32_t *ids, int n,
               struct slice out);
void cpu_matmul(struct backend *backend, const struct matrix *matrix, struct slice in,
                struct slice bias, bool accumulate, int n, struct slice out);
void cpu_attention(struct backend *backend, struct slice q, struct slice keys, struct slice values,
                   struct attention_shape shape, int first, int n, struct slice out);
void cpu_rms_norm(struct backend *backend, struct slice in, struct slice weight, float eps, int n,
                  int d, struct slice out);
void cpu_rope(struct backend *backend, struct slice x, struct slice table, int first, int n,
              int heads, int head_dim);
void cpu_silu_mul(struct backend *backend, struct slice gate, struct slice up, size_t count);

#endif
