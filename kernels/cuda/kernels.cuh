/* The launches of the CUDA backend: device code behind ordinary functions.
 *
 * Pointers are device memory; everything is queued on `stream` and reports nothing: errors show at the stream. Shapes as in
 * kernels/kernels.h, numbers float32. Every result is made in one order, whatever stands beside it: nothing is added
 * atomically.
 */
#ifndef KERNELS_CUDA_KERNELS_CUH
#define KERNELS_CUDA_KERNELS_CUH

#include <stdint.h>

#include <cuda_runtime.h>

struct likeliest; /* of kernels/kernels.h */

/* How a matrix lies in device memory. */
enum device_storage { DEVICE_HXQ, DEVICE_F32, DEVICE_BF16, DEVICE_F16 };

enum {
    DEVICE_STEP = 16,  /* columns that are read at once: rows are lengthened to multiples of it */
    MATVEC_INPUTS = 8, /* inputs that share one reading of a matrix */
};

struct device_matrix {
    enum device_storage storage;
    int rows, cols;
    int64_t row_bytes;      /* from one row to the next */
    const uint8_t *data;    /* indices or dense numbers */
    const float *codebook;  /* [256] */
    const int32_t *starts;  /* [rows + 1] of each row's exceptions */
    const int32_t *columns; /* of the exceptions */
    const float *deltas;    /* by how much they are more than the codebook's value */
    const float *values;    /* what they are */
};

/* Inputs of products: rows of x [n, cols], in fused operations as rms_norm leaves them. */
struct device_input {
    const float *x;
    const float *norm; /* [cols]; NULL where rows are taken as they are */
    float eps;
};

/* out [n, rows] = in * transposed matrix, + bias [rows] where set, + what out held when `accumulate`; from row *first of `out`
 * on where that is set. */
struct device_product {
    struct device_matrix matrix;
    const float *bias;
    bool accumulate;
    float *out;
    const int *first; /* on the device, or NULL */
};

/* The place of a pass in the cache is read from device memory, so that recorded launches serve every position. */
struct device_rope {
    const float *table; /* [positions, head_dim] */
    const int *first;
    int offset; /* added to *first */
    int heads, kv_heads, head_dim;
};

/* For few inputs, straight from the stored form; n in rounds of MATVEC_INPUTS. */
void launch_matvec(const struct device_product *product, const struct device_input *in, int n,
                   cudaStream_t stream);

/* Of HXQ matrices: q (out of the first), and k and v into rows *first.. of the caches that the others' outs begin; q and k
 * rotated; in rounds. */
void launch_qkv(const struct device_product products[3], const struct device_input *in,
                const struct device_rope *rope, int n, cudaStream_t stream);

/* Of HXQ matrices: out of the first = silu(first) * second. */
void launch_gate_up(const struct device_product products[2], const struct device_input *in, int n,
                    cudaStream_t stream);

/* For many inputs on tensor cores, HXQ matrices only: 16-bit inputs and codebook, float32 sums. */
void launch_matmul(const struct device_product *product, const struct device_input *in, int n,
                   cudaStream_t stream);

/* `scratch` [launch_attention_scratch floats] is for few queries; with NULL, or too many of them, each block goes through all
 * keys. The same bits either way. */
struct device_attention {
    const float *q, *keys, *values;
    float *out;
    const int *first;
    int heads, kv_heads, head_dim;
    int positions; /* first + n is at most this */
    float *scratch;
};
int64_t launch_attention_scratch(const struct device_attention *attention, int n);
void launch_attention(const struct device_attention *attention, int n, cudaStream_t stream);

/* Ids [n] are on the host, and taken before it returns. */
void launch_embed(const struct device_matrix *matrix, const int32_t *ids, int n, float *out,
                  cudaStream_t stream);
/* *to = value. */
void launch_set(int *to, int value, cudaStream_t stream);
void launch_rms_norm(const struct device_input *in, int n, int d, float *out, cudaStream_t stream);
/* Rotates rows 0.. of x, or rows *rope->first.. where `in_cache`. */
void launch_rope(float *x, const struct device_rope *rope, int heads, bool in_cache, int n,
                 cudaStream_t stream);
void launch_silu_mul(float *gate, const float *up, int64_t count, cudaStream_t stream);
/* Into *found, on the device. */
void launch_likeliest(const float *in, int count, struct likeliest *found, cudaStream_t stream);
/* Reads `bytes` (a multiple of 16) and leaves something in *out, so that it is not left out. */
void launch_read(const void *memory, int64_t bytes, uint32_t *out, cudaStream_t stream);

#endif
