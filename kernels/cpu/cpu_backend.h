/* What the files of the CPU backend share. Private to kernels/cpu. */
#ifndef KERNELS_CPU_CPU_BACKEND_H
#define KERNELS_CPU_CPU_BACKEND_H

#include "kernels/cpu/isa.h"
#include "kernels/cpu/threads.h"
#include "kernels/hxq_layout.h"
#include "kernels/kernels.h"

enum { CPU_ALIGNMENT = 64 }; /* a cache line, and the widest register */

struct buffer {
    size_t count;
    _Alignas(CPU_ALIGNMENT) float values[];
};

struct matrix {
    int64_t rows, cols;
    enum dtype dtype;          /* of dense data */
    const unsigned char *data; /* borrowed, or `owned`: indices [rows, cols] or dense numbers */
    uint16_t *
        owned; /* [rows, cols] bfloat16, where float32 numbers turned out to be no more; else NULL */
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
