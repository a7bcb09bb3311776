/* What the files of the CPU backend share. Private to kernels/cpu. */
#ifndef KERNELS_CPU_CPU_BACKEND_H
#define KERNELS_CPU_CPU_BACKEND_H

#include "kernels/cpu/arena.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/threads.h"
#include "kernels/hxq_layout.h"
#include "kernels/kernels.h"

enum { CPU_ALIGNMENT = 64 }; /* a cache line, and the widest register */

struct buffer {
    size_t count;
    _Alignas(CPU_ALIGNMENT) float values[];
};

/* Weights in tiles of ISA_TILE_ROWS rows: [tiles][steps][ISA_TILE_ROWS][ISA_STEP] numbers, or indices of them. What stands
 * behind the ends of rows and of the last tile is zero bytes. */
struct matrix {
    int64_t rows, cols;
    int64_t steps;              /* of ISA_STEP columns */
    enum dtype dtype;           /* of dense numbers */
    size_t number_bytes;        /* of one number or index */
    const unsigned char *tiles; /* in the backend's weights */
    bool compressed;
    float codebook[256]; /* padded with zeros */
    struct sidecar_rows sidecar;
    unsigned char exact_table[ISA_TABLE_BYTES],
        fast_table[ISA_TABLE_BYTES]; /* the codebook, prepared */
};

/* Memory that only grows and is not kept between operations. */
struct scratch {
    void *bytes;
    size_t size;
};

struct cpu_backend {
    struct backend base;
    const struct isa *isa;
    bool is_exact;
    struct threads *threads;
    struct arena weights;                /* what matrices hold; comes back with the backend */
    struct scratch packed;               /* inputs of a product, in panels */
    struct scratch normed, up;           /* what fused operations keep to themselves */
    struct scratch members[THREADS_MAX]; /* one for each member of the team */
};

static inline struct cpu_backend *cpu_backend_of(struct backend *backend)
{
    return (struct cpu_backend *)backend;
}

static inline float *slice_values(struct slice slice)
{
    return slice.buffer->values + slice.offset;
}

/* Makes room for `size` bytes; false, with the status set, when memory is exhausted or the backend failed before. */
bool scratch_reserve(struct cpu_backend *backend, struct scratch *scratch, size_t size);

/* The same for every member of the team. */
bool members_reserve(struct cpu_backend *backend, size_t size);

static inline int64_t matrix_tiles(const struct matrix *matrix)
{
    return (matrix->rows + ISA_TILE_ROWS - 1) / ISA_TILE_ROWS;
}

/* Where the step that begins at column `col` of a row stands, in bytes; `col` is a multiple of ISA_STEP. */
static inline size_t matrix_offset(const struct matrix *matrix, int64_t row, int64_t col)
{
    const int64_t step = row / ISA_TILE_ROWS * matrix->steps + col / ISA_STEP;

    return (size_t)((step * ISA_TILE_ROWS + row % ISA_TILE_ROWS) * ISA_STEP) * matrix->number_bytes;
}

/* One matrix row as float32 [cols], exact. */
void matrix_expand_row(const struct matrix *matrix, int64_t row, float *values);

/* One of several products of the same inputs: out [n, rows] = in [n, cols] * transposed matrix + bias, added to what `out` held
 * when `accumulate`. */
struct cpu_product {
    const struct matrix *matrix;
    const float *bias; /* [rows] or NULL */
    float *out;
    bool accumulate;
};

/* Runs products of one number of columns in one go. */
void cpu_multiply(struct cpu_backend *backend, const struct cpu_product *products, int count,
                  const float *in, int n);

/* out of the first = silu(first product) * second product; false, and nothing done, where the two matrices are not held
 * alike. */
bool cpu_multiply_gated(struct cpu_backend *backend, const struct cpu_product products[2],
                        const float *in, int n);

/* out [n, d] = rms_norm of in [n, d]. */
void norm_rows(struct cpu_backend *backend, const float *in, const float *weight, float eps, int n,
               int d, float *out);

/* The operations; see struct ops. */
double cpu_read_bandwidth(struct backend *backend);
struct matrix *cpu_matrix_create(struct backend *backend, const struct matrix_source *source);
void cpu_matrix_destroy(struct matrix *matrix);
int64_t cpu_matrix_bytes(const struct matrix *matrix);
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
void cpu_project_qkv(struct backend *backend, const struct qkv_weights *weights, struct slice in,
                     struct slice table, struct attention_shape shape, int first, int n,
                     struct slice q, struct slice keys, struct slice values);
void cpu_gate_up(struct backend *backend, const struct gate_up_weights *weights, struct slice in,
                 int n, struct slice out);

#endif
