/* The small operations between the products. Each touches every value once and is over sooner than its launch. */
#include <math.h>
#include <string.h>

extern "C" {
#include "kernels/kernels.h"
}
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/portable.cuh"

enum { BLOCK = 256, WARPS = BLOCK / WARP, READ_BLOCKS = 1024 };
enum { WIDE_BLOCK = 1024, WIDE_WARPS = WIDE_BLOCK / WARP };

static unsigned blocks_for(int64_t items)
{
    return (unsigned)((items + BLOCK - 1) / BLOCK);
}

/* --- embedding -------------------------------------------------------------------------------------------------------- */

static __device__ float number_at(const struct device_matrix &matrix, int row, int col)
{
    const uint8_t *data = matrix.data + row * matrix.row_bytes;

    switch (matrix.storage) {
    case DEVICE_HXQ:
        for (int i = matrix.starts[row]; i < matrix.starts[row + 1]; i++)
            if (matrix.columns[i] == col)
                return matrix.values[i];
        return matrix.codebook[data[col]];
    case DEVICE_F32:
        return ((const float *)data)[col];
    case DEVICE_BF16:
        return widen_bf16(((const uint16_t *)data)[col]);
    default:
        return widen_f16(((const uint16_t *)data)[col]);
    }
}

/* As many ids as travel with a launch. */
struct ids {
    int32_t at[256];
};

static __global__ void embed(struct device_matrix matrix, struct ids ids, float *out)
{
    for (int col = threadIdx.x; col < matrix.cols; col += BLOCK)
        out[(int64_t)blockIdx.x * matrix.cols + col] = number_at(matrix, ids.at[blockIdx.x], col);
}

void launch_embed(const struct device_matrix *matrix, const int32_t *ids, int n, float *out,
                  cudaStream_t stream)
{
    const struct device_matrix rows = *matrix;
    const int most = (int)(sizeof(struct ids) / sizeof(int32_t));

    for (int from = 0; from < n; from += most) {
        const int count = n - from < most ? n - from : most;
        float *to = out + (int64_t)from * matrix->cols;
        struct ids some = {};
        memcpy(some.at, ids + from, (size_t)count * sizeof *ids);
        LAUNCH(embed, (unsigned)count, BLOCK, stream, rows, some, to);
    }
}

static __global__ void set(int *to, int value)
{
    if (threadIdx.x == 0)
        *to = value;
}

void launch_set(int *to, int value, cudaStream_t stream)
{
    LAUNCH(set, 1, WARP, stream, to, value);
}

/* --- norm ------------------------------------------------------------------------------------------------------------- */

/* A block to a row. */
static __global__ void rms_norm(struct device_input in, int d, float *out)
{
    SHARED(float, partial, WARPS);
    const float *x = in.x + (int64_t)blockIdx.x * d;
    float sum = 0.0f;

    for (int i = threadIdx.x; i < d; i += BLOCK)
        sum = fmaf(x[i], x[i], sum);
    sum = warp_sum(sum);
    if (threadIdx.x % WARP == 0)
        partial[threadIdx.x / WARP] = sum;
    __syncthreads();
    float total = 0.0f;
    for (int warp = 0; warp < WARPS; warp++)
        total += partial[warp];
    const float scale = rsqrtf(total / (float)d + in.eps);
    for (int i = threadIdx.x; i < d; i += BLOCK)
        out[(int64_t)blockIdx.x * d + i] = x[i] * scale * in.norm[i];
}

void launch_rms_norm(const struct device_input *in, int n, int d, float *out, cudaStream_t stream)
{
    const struct device_input rows = *in;

    LAUNCH(rms_norm, (unsigned)n, BLOCK, stream, rows, d, out);
}

/* --- rotary positions ------------------------------------------------------------------------------------------------- */

/* A thread to a pair of values that are half a head apart. */
static __global__ void rotate(float *x, struct device_rope rope, int heads, bool in_cache,
                              int pairs)
{
    const int half = rope.head_dim / 2;
    const int pair = (int)(blockIdx.x * BLOCK + threadIdx.x);
    if (pair >= pairs)
        return;

    const int angle = pair % half, head = pair / half % heads, row = pair / half / heads;
    const float *angles = rope.table + (int64_t)(*rope.first + rope.offset + row) * rope.head_dim;
    const int64_t at = (int64_t)(row + (in_cache ? *rope.first + rope.offset : 0)) * heads + head;
    float *values = x + at * rope.head_dim + angle;
    const float a = values[0], b = values[half];
    values[0] = a * angles[angle] - b * angles[half + angle];
    values[half] = b * angles[angle] + a * angles[half + angle];
}

void launch_rope(float *x, const struct device_rope *rope, int heads, bool in_cache, int n,
                 cudaStream_t stream)
{
    const struct device_rope place = *rope;
    const int pairs = n * heads * (rope->head_dim / 2);

    LAUNCH(rotate, blocks_for(pairs), BLOCK, stream, x, place, heads, in_cache, pairs);
}

/* --- gate ------------------------------------------------------------------------------------------------------------- */

static __global__ void silu_mul(float *gate, const float *up, int64_t count)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i < count)
        gate[i] = gate[i] / (1.0f + expf(-gate[i])) * up[i];
}

void launch_silu_mul(float *gate, const float *up, int64_t count, cudaStream_t stream)
{
    LAUNCH(silu_mul, blocks_for(count), BLOCK, stream, gate, up, count);
}

/* --- the likeliest ---------------------------------------------------------------------------------------------------- */

/* One block goes through all twice, the second time mostly out of the second cache: what other blocks would save, gathering
 * their results would cost. */
static __global__ void find_likeliest(const float *in, int count, struct likeliest *found)
{
    SHARED(float, values, WIDE_BLOCK);
    SHARED(int, indices, WIDE_BLOCK);
    SHARED(float, partial, WIDE_WARPS);
    const int thread = (int)threadIdx.x;
    float best = -INFINITY, sum = 0.0f;
    int index = 0;

    for (int i = thread; i < count; i += WIDE_BLOCK) {
        index = in[i] > best ? i : index;
        best = fmaxf(best, in[i]);
    }
    for (int half = WIDE_BLOCK / 2; half > 0; half /= 2) {
        values[thread] = best;
        indices[thread] = index;
        __syncthreads();
        const float other = values[thread ^ half];
        const int at = indices[thread ^ half];
        index = other > best || (other == best && at < index) ? at : index;
        best = fmaxf(best, other);
        __syncthreads();
    }

    /* now every thread knows the largest */
    for (int i = thread; i < count; i += WIDE_BLOCK)
        sum += expf(in[i] - best);
    sum = warp_sum(sum);
    if (thread % WARP == 0)
        partial[thread / WARP] = sum;
    __syncthreads();
    if (thread == 0) {
        float total = 0.0f;
        for (int warp = 0; warp < WIDE_WARPS; warp++)
            total += partial[warp];
        *found = {index, best, best + logf(total)};
    }
}

void launch_likeliest(const float *in, int count, struct likeliest *found, cudaStream_t stream)
{
    LAUNCH(find_likeliest, 1, WIDE_BLOCK, stream, in, count, found);
}

/* --- bandwidth -------------------------------------------------------------------------------------------------------- */

static __global__ void read_all(const uint8_t *memory, int64_t chunks, uint32_t *out)
{
    uint32_t mixed = 0;

    for (int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x; i < chunks;
         i += (int64_t)READ_BLOCKS * BLOCK) {
        const uint4 bits = load_once(memory + i * 16);
        mixed ^= bits.x ^ bits.y ^ bits.z ^ bits.w;
    }
    /* every thread's share must count, or its loads could be left out */
    if (mixed == 0x9e3779b9u)
        *out = mixed;
}

void launch_read(const void *memory, int64_t bytes, uint32_t *out, cudaStream_t stream)
{
    const uint8_t *start = (const uint8_t *)memory;

    LAUNCH(read_all, READ_BLOCKS, BLOCK, stream, start, bytes / 16, out);
}
