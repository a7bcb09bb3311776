/* Matrices times a few inputs, straight from the stored form: what decoding does, bound by memory.
 *
 * A warp makes a few rows at a time; its lanes take turns at 16 columns of all of them, read with one load per row, and keep one
 * partial sum per row and input. The codebook lies in shared memory once per lane or once per two lanes, each copy in its own
 * bank, so that lookups of different values never wait for one another. Exceptions of a row are shared out to the lanes like
 * columns. Partial sums are added across the warp at the end: one order for every number of inputs.
 *
 * The norm is folded in: inputs are weighted as they are read and sums scaled at the end. */
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/portable.cuh"

enum {
    BLOCK = 256,
    WARPS = BLOCK / WARP,
    COLUMNS = 16, /* of a lane at a time */
    CODES = 256,
};

/* Rows that a warp makes at a time for up to N inputs: as many sums as registers hold well. */
#define ROWS_FOR(N) ((N) > 4 ? 2 : 4)

/* --- what a lane multiplies ------------------------------------------------------------------------------------------- */

/* Fills shared memory with REPLICAS copies of a codebook, copy i at [code * REPLICAS + i]. */
template <int REPLICAS> static __device__ void book_fill(float *book, const float *codebook)
{
    for (int i = threadIdx.x; i < CODES * REPLICAS; i += BLOCK)
        book[i] = codebook[i / REPLICAS];
}

/* COLUMNS weights of a row from `col` on, a multiple of COLUMNS. */
template <int REPLICAS>
static __device__ __forceinline__ void weights_load(const struct device_matrix &matrix,
                                                    const float *book, int row, int col,
                                                    float weights[COLUMNS])
{
    const uint8_t *data = matrix.data + row * matrix.row_bytes;

    if (matrix.storage == DEVICE_HXQ) {
        const uint4 codes = load_once(data + col);
        const uint32_t words[4] = {codes.x, codes.y, codes.z, codes.w};
        const float *mine = book + threadIdx.x % REPLICAS;
#pragma unroll
        for (int i = 0; i < COLUMNS; i++)
            weights[i] = mine[(words[i / 4] >> i % 4 * 8 & 255u) * REPLICAS];
    } else if (matrix.storage == DEVICE_F32) {
#pragma unroll
        for (int part = 0; part < 4; part++) {
            const uint4 bits = load_once(data + (int64_t)(col + part * 4) * 4);
            weights[part * 4] = float_of_bits(bits.x);
            weights[part * 4 + 1] = float_of_bits(bits.y);
            weights[part * 4 + 2] = float_of_bits(bits.z);
            weights[part * 4 + 3] = float_of_bits(bits.w);
        }
    } else {
#pragma unroll
        for (int part = 0; part < 2; part++) {
            const uint4 bits = load_once(data + (int64_t)(col + part * 8) * 2);
            const uint32_t words[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
            for (int i = 0; i < 8; i++) {
                const uint16_t half = (uint16_t)(words[i / 2] >> i % 2 * 16);
                weights[part * 8 + i] =
                    matrix.storage == DEVICE_BF16 ? widen_bf16(half) : widen_f16(half);
            }
        }
    }
}

static __device__ __forceinline__ float input_at(const struct device_input &in, int cols, int t,
                                                 int col)
{
    const float x = in.x[(int64_t)t * cols + col];

    return in.norm ? x * in.norm[col] : x;
}

/* Adds the products of weights from `col` on with input t. */
static __device__ __forceinline__ float products_add(float sum, const float weights[COLUMNS],
                                                     const struct device_input &in, int cols, int t,
                                                     int col)
{
    if (col + COLUMNS <= cols && cols % 4 == 0) {
        const float4 *x = (const float4 *)(in.x + (int64_t)t * cols + col);
        const float4 *norm = (const float4 *)(in.norm + col);
#pragma unroll
        for (int part = 0; part < COLUMNS / 4; part++) {
            float4 v = x[part];
            if (in.norm) {
                const float4 w = norm[part];
                v.x *= w.x;
                v.y *= w.y;
                v.z *= w.z;
                v.w *= w.w;
            }
            sum = fmaf(weights[part * 4], v.x, sum);
            sum = fmaf(weights[part * 4 + 1], v.y, sum);
            sum = fmaf(weights[part * 4 + 2], v.z, sum);
            sum = fmaf(weights[part * 4 + 3], v.w, sum);
        }
        return sum;
    }
#pragma unroll
    for (int i = 0; i < COLUMNS; i++)
        if (col + i < cols)
            sum = fmaf(weights[i], input_at(in, cols, t, col + i), sum);
    return sum;
}

/* What the exceptions of a row add, this lane's share. */
static __device__ __forceinline__ float exceptions_add(float sum,
                                                       const struct device_matrix &matrix,
                                                       const struct device_input &in, int row,
                                                       int t)
{
    for (int i = matrix.starts[row] + (int)(threadIdx.x % WARP); i < matrix.starts[row + 1];
         i += WARP)
        sum = fmaf(matrix.deltas[i], input_at(in, matrix.cols, t, matrix.columns[i]), sum);
    return sum;
}

/* --- sums of a warp --------------------------------------------------------------------------------------------------- */

/* The factor that rms_norm has for each of n inputs, into shared `scales` [n]; 1 without a norm. The whole block calls it. */
static __device__ void scales_fill(const struct device_input &in, int cols, int n, float *partial,
                                   float *scales)
{
    for (int t = 0; t < n; t++) {
        float sum = 0.0f;
        for (int i = threadIdx.x; in.norm && i < cols; i += BLOCK) {
            const float x = in.x[(int64_t)t * cols + i];
            sum = fmaf(x, x, sum);
        }
        sum = warp_sum(sum);
        if (threadIdx.x % WARP == 0)
            partial[threadIdx.x / WARP] = sum;
        __syncthreads();
        if (threadIdx.x == 0) {
            float total = 0.0f;
            for (int warp = 0; warp < WARPS; warp++)
                total += partial[warp];
            scales[t] = in.norm ? rsqrtf(total / (float)cols + in.eps) : 1.0f;
        }
        __syncthreads();
    }
}

/* sums [ROWS][N] of `rows` [ROWS] and n <= N inputs, in every lane. */
template <int N, int ROWS, int REPLICAS>
static __device__ __forceinline__ void
rows_multiply(const struct device_matrix &matrix, const float *book, const struct device_input &in,
              int n, const float *scales, const int rows[ROWS], float sums[ROWS][N])
{
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int t = 0; t < N; t++)
            sums[r][t] = 0.0f;
    for (int col = (int)(threadIdx.x % WARP) * COLUMNS; col < matrix.cols; col += WARP * COLUMNS)
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            float weights[COLUMNS];
            weights_load<REPLICAS>(matrix, book, rows[r], col, weights);
#pragma unroll
            for (int t = 0; t < N; t++)
                if (t < n)
                    sums[r][t] = products_add(sums[r][t], weights, in, matrix.cols, t, col);
        }
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int t = 0; t < N; t++) {
            if (t >= n)
                continue;
            if (matrix.storage == DEVICE_HXQ)
                sums[r][t] = exceptions_add(sums[r][t], matrix, in, rows[r], t);
            sums[r][t] = warp_sum(sums[r][t]) * scales[t];
        }
}

/* --- kernels ---------------------------------------------------------------------------------------------------------- */

template <int N>
static __global__ void matvec(struct device_product product, struct device_input in, int n)
{
    enum { ROWS = ROWS_FOR(N) };
    SHARED(float, book, CODES * WARP);
    SHARED(float, partial, WARPS);
    SHARED(float, scales, N);
    const struct device_matrix &matrix = product.matrix;
    const int base = (int)(blockIdx.x * WARPS + threadIdx.x / WARP) * ROWS;
    int rows[ROWS];
    float sums[ROWS][N];

    if (matrix.storage == DEVICE_HXQ)
        book_fill<WARP>(book, matrix.codebook);
    scales_fill(in, matrix.cols, n, partial, scales);
    for (int r = 0; r < ROWS; r++)
        rows[r] = min(base + r, matrix.rows - 1);
    rows_multiply<N, ROWS, WARP>(matrix, book, in, n, scales, rows, sums);

#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int t = 0; t < N; t++)
            if (threadIdx.x % WARP == (unsigned)(r * N + t) % WARP && t < n && base + r < matrix.rows) {
                float *out = product.out + (int64_t)t * matrix.rows + base + r;
                float sum = sums[r][t];
                if (product.bias)
                    sum += product.bias[base + r];
                *out = product.accumulate ? *out + sum : sum;
            }
}

/* Rows that are rotated together, `half` apart within a head; of values, which are not rotated, rows side by side. */
struct row_pair {
    int low, high, angle;
};

static __device__ __forceinline__ struct row_pair pair_at(int pair, int head_dim, bool is_rotated)
{
    const int half = head_dim / 2;
    const int angle = pair % half;

    if (!is_rotated)
        return {2 * pair, 2 * pair + 1, 0};
    return {pair / half * head_dim + angle, pair / half * head_dim + angle + half, angle};
}

/* Each block works for one of q, k, v: blockIdx.y. A warp makes two pairs of rows. */
template <int N>
static __global__ void qkv(struct device_product q, struct device_product k,
                           struct device_product v, struct device_input in,
                           struct device_rope rope, int n)
{
    enum { ROWS = ROWS_FOR(N) };
    SHARED(float, book, CODES * WARP);
    SHARED(float, partial, WARPS);
    SHARED(float, scales, N);
    const struct device_product product = blockIdx.y == 0 ? q : blockIdx.y == 1 ? k : v;
    const struct device_matrix &matrix = product.matrix;
    const bool is_rotated = blockIdx.y < 2;
    const int half = rope.head_dim / 2;
    const int first = *rope.first + rope.offset;
    int rows[ROWS];
    float sums[ROWS][N];

    if (matrix.storage == DEVICE_HXQ)
        book_fill<WARP>(book, matrix.codebook);
    scales_fill(in, matrix.cols, n, partial, scales);
    const int base = (int)(blockIdx.x * WARPS + threadIdx.x / WARP) * (ROWS / 2);
    for (int i = 0; i < ROWS / 2; i++) {
        const struct row_pair pair =
            pair_at(min(base + i, matrix.rows / 2 - 1), rope.head_dim, is_rotated);
        rows[2 * i] = pair.low;
        rows[2 * i + 1] = pair.high;
    }
    rows_multiply<N, ROWS, WARP>(matrix, book, in, n, scales, rows, sums);

#pragma unroll
    for (int i = 0; i < ROWS / 2; i++)
#pragma unroll
        for (int t = 0; t < N; t++)
            if (threadIdx.x % WARP == (unsigned)(i * N + t) % WARP && t < n && base + i < matrix.rows / 2) {
                const struct row_pair pair = pair_at(base + i, rope.head_dim, is_rotated);
                const float *angles = rope.table + (int64_t)(first + t) * rope.head_dim;
                const int64_t row = blockIdx.y == 0 ? t : first + t;
                float *out = product.out + row * matrix.rows;
                float a = sums[2 * i][t], b = sums[2 * i + 1][t];
                if (product.bias) {
                    a += product.bias[pair.low];
                    b += product.bias[pair.high];
                }
                const float cosine = is_rotated ? angles[pair.angle] : 1.0f;
                const float sine = is_rotated ? angles[half + pair.angle] : 0.0f;
                out[pair.low] = a * cosine - b * sine;
                out[pair.high] = b * cosine + a * sine;
            }
}

/* A warp makes ROWS rows of the gate, then the same of the other matrix; two codebooks have room for half as many copies. */
template <int N>
static __global__ void gate_up(struct device_product gate, struct device_product up,
                               struct device_input in, int n)
{
    enum { ROWS = ROWS_FOR(N) };
    SHARED(float, books, 2 * CODES * WARP / 2);
    SHARED(float, partial, WARPS);
    SHARED(float, scales, N);
    const struct device_matrix &matrix = gate.matrix;
    const int base = (int)(blockIdx.x * WARPS + threadIdx.x / WARP) * ROWS;
    int rows[ROWS];
    float gates[ROWS][N], ups[ROWS][N];

    if (matrix.storage == DEVICE_HXQ)
        book_fill<WARP / 2>(books, matrix.codebook);
    if (up.matrix.storage == DEVICE_HXQ)
        book_fill<WARP / 2>(books + CODES * WARP / 2, up.matrix.codebook);
    scales_fill(in, matrix.cols, n, partial, scales);
    for (int r = 0; r < ROWS; r++)
        rows[r] = min(base + r, matrix.rows - 1);
    rows_multiply<N, ROWS, WARP / 2>(matrix, books, in, n, scales, rows, gates);
    rows_multiply<N, ROWS, WARP / 2>(up.matrix, books + CODES * WARP / 2, in, n, scales, rows, ups);

#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int t = 0; t < N; t++)
            if (threadIdx.x % WARP == (unsigned)(r * N + t) % WARP && t < n && base + r < matrix.rows) {
                const float value = gates[r][t];
                gate.out[(int64_t)t * matrix.rows + base + r] =
                    value / (1.0f + expf(-value)) * ups[r][t];
            }
}

/* --- launches --------------------------------------------------------------------------------------------------------- */

static unsigned blocks_for(int items, int items_of_warp)
{
    return (unsigned)((items + items_of_warp * WARPS - 1) / (items_of_warp * WARPS));
}

/* Launches `kernel` for as many inputs as n needs, that number a constant. */
#define LAUNCH_FOR(n, kernel, grid_of, stream, ...)                                                \
    do {                                                                                           \
        if ((n) == 1)                                                                              \
            LAUNCH((kernel<1>), grid_of(ROWS_FOR(1)), BLOCK, stream, __VA_ARGS__);                 \
        else if ((n) == 2)                                                                         \
            LAUNCH((kernel<2>), grid_of(ROWS_FOR(2)), BLOCK, stream, __VA_ARGS__);                 \
        else if ((n) <= 4)                                                                         \
            LAUNCH((kernel<4>), grid_of(ROWS_FOR(4)), BLOCK, stream, __VA_ARGS__);                 \
        else                                                                                       \
            LAUNCH((kernel<8>), grid_of(ROWS_FOR(8)), BLOCK, stream, __VA_ARGS__);                 \
    } while (0)

/* The inputs from t on. */
static struct device_input input_from(const struct device_input *in, int cols, int t)
{
    struct device_input rest = *in;

    rest.x += (int64_t)t * cols;
    return rest;
}

void launch_matvec(const struct device_product *product, const struct device_input *in, int n,
                   cudaStream_t stream)
{
    struct device_product part = *product;

#define GRID(of_warp) blocks_for(part.matrix.rows, of_warp)
    for (int t = 0; t < n; t += MATVEC_INPUTS) {
        const struct device_input inputs = input_from(in, part.matrix.cols, t);
        const int count = n - t < MATVEC_INPUTS ? n - t : MATVEC_INPUTS;
        LAUNCH_FOR(count, matvec, GRID, stream, part, inputs, count);
        part.out += (int64_t)count * part.matrix.rows;
    }
#undef GRID
}

void launch_qkv(const struct device_product products[3], const struct device_input *in,
                const struct device_rope *rope, int n, cudaStream_t stream)
{
    struct device_product q = products[0];
    const struct device_product k = products[1], v = products[2];
    struct device_rope place = *rope;
    const int most = q.matrix.rows > v.matrix.rows ? q.matrix.rows : v.matrix.rows;

#define GRID(of_warp) dim3(blocks_for(most / 2, (of_warp) / 2), 3)
    for (int t = 0; t < n; t += MATVEC_INPUTS) {
        const struct device_input inputs = input_from(in, q.matrix.cols, t);
        const int count = n - t < MATVEC_INPUTS ? n - t : MATVEC_INPUTS;
        place.offset = rope->offset + t;
        LAUNCH_FOR(count, qkv, GRID, stream, q, k, v, inputs, place, count);
        q.out += (int64_t)count * q.matrix.rows;
    }
#undef GRID
}

void launch_gate_up(const struct device_product products[2], const struct device_input *in, int n,
                    cudaStream_t stream)
{
    struct device_product gate = products[0], up = products[1];

#define GRID(of_warp) blocks_for(gate.matrix.rows, of_warp)
    for (int t = 0; t < n; t += MATVEC_INPUTS) {
        const struct device_input inputs = input_from(in, gate.matrix.cols, t);
        const int count = n - t < MATVEC_INPUTS ? n - t : MATVEC_INPUTS;
        LAUNCH_FOR(count, gate_up, GRID, stream, gate, up, inputs, count);
        gate.out += (int64_t)count * gate.matrix.rows;
    }
#undef GRID
}
