/* Matrices times a few inputs, straight from the stored form: what decoding does, bound by memory.
 *
 * A warp makes a few rows at a time; its lanes take turns at 16 columns of all of them, read at once, so that every input is
 * read once for all these rows and every weight made once for all inputs. The codebook lies in shared memory once per lane
 * or once per two lanes, each copy in its own bank, so that lookups of different values hardly wait for one another.
 * Exceptions of a row are shared out to the lanes like columns. Partial sums are added across the warp at the end: one order
 * for every number of inputs. Blocks walk over the rows, because filling the codebook takes time.
 *
 * The norm is folded in: inputs are weighted as they are read and sums scaled at the end. */
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/portable.cuh"

enum {
    BLOCK = 256,
    WARPS = BLOCK / WARP,
    COLUMNS = DEVICE_STEP, /* of a lane at a time */
    CODES = 256,
    BOOK = CODES * WARP, /* a codebook, once per lane */
    PARTS = COLUMNS / 4,
    BLOCKS_OF_PROCESSOR = 4,
};

/* Rows that a warp makes at a time for N inputs: as many sums as registers hold well. */
#define ROWS_FOR(N) ((N) > 4 ? 2 : 4)

/* --- weights ---------------------------------------------------------------------------------------------------------- */

/* Fills shared memory with REPLICAS copies of a codebook, copy i at [code * REPLICAS + i]. */
template <int REPLICAS> static __device__ void book_fill(float *book, const float *codebook)
{
    for (int i = threadIdx.x; i < CODES * REPLICAS; i += BLOCK)
        book[i] = codebook[i / REPLICAS];
}

#define BYTES_OF(S) ((S) == DEVICE_HXQ ? 1 : (S) == DEVICE_F32 ? 4 : 2)

/* COLUMNS numbers of a row as they are stored. */
template <enum device_storage S> struct stored {
    enum {
        BYTES = BYTES_OF(S),
        WORDS = COLUMNS * BYTES / 4,
        PART_WORDS = WORDS / PARTS,
    };
    uint32_t words[WORDS];
};

template <enum device_storage S>
static __device__ __forceinline__ void stored_load(struct stored<S> *stored, const uint8_t *row,
                                                   int col)
{
    const uint8_t *from = row + (int64_t)col * stored->BYTES;

#pragma unroll
    for (int i = 0; i < stored->WORDS; i += 4) {
        const uint4 bits = load_once(from + i * 4);
        stored->words[i] = bits.x;
        stored->words[i + 1] = bits.y;
        stored->words[i + 2] = bits.z;
        stored->words[i + 3] = bits.w;
    }
}

/* The codebook's value at byte `k` of a word: the byte is moved to where it counts copies, the lane's place added. */
template <int REPLICAS>
static __device__ __forceinline__ float look_up(const float *book, uint32_t word, int k)
{
    const int shift = REPLICAS == WARP ? 7 : 6; /* 2^shift bytes: all copies of a value */
    const uint32_t place = threadIdx.x % REPLICAS * 4;
    const uint32_t moved = 8 * k < shift ? word << (shift - 8 * k) : word >> (8 * k - shift);

    return *(const float *)((const char *)book + ((moved & 255u << shift) | place));
}

/* The first four weights of what was loaded; the others move up. */
template <enum device_storage S, int REPLICAS>
static __device__ __forceinline__ void weights_take(struct stored<S> *stored, const float *book,
                                                    float weights[4])
{
#pragma unroll
    for (int k = 0; k < 4; k++) {
        const uint32_t word = stored->words[k * stored->BYTES / 4];
        const uint16_t half = (uint16_t)(word >> k % 2 * 16);
        weights[k] = S == DEVICE_HXQ    ? look_up<REPLICAS>(book, word, k)
                     : S == DEVICE_F32  ? float_of_bits(word)
                     : S == DEVICE_BF16 ? widen_bf16(half)
                                        : widen_f16(half);
    }
#pragma unroll
    for (int i = 0; i + stored->PART_WORDS < stored->WORDS; i++)
        stored->words[i] = stored->words[i + stored->PART_WORDS];
}

/* One weight, for what is left at the end of rows. */
template <enum device_storage S, int REPLICAS>
static __device__ __forceinline__ float weight_at(const uint8_t *row, const float *book, int col)
{
    if (S == DEVICE_HXQ)
        return look_up<REPLICAS>(book, row[col], 0);
    if (S == DEVICE_F32)
        return ((const float *)row)[col];
    const uint16_t half = ((const uint16_t *)row)[col];
    return S == DEVICE_BF16 ? widen_bf16(half) : widen_f16(half);
}

/* --- sums of a warp --------------------------------------------------------------------------------------------------- */

/* Where column `col` of input t stands; those behind the last are the last again, their sums not looked at. */
static __device__ __forceinline__ const float *input_place(const struct device_input &in, int cols,
                                                           int t, int n, int col)
{
    const int row = t == 0 ? 0 : min(t, n - 1);

    return in.x + (unsigned)(row * cols + col);
}

template <bool HAS_NORM>
static __device__ __forceinline__ float input_at(const struct device_input &in, int cols, int t,
                                                 int n, int col)
{
    const float x = *input_place(in, cols, t, n, col);

    return HAS_NORM ? x * in.norm[col] : x;
}

/* The factor that rms_norm has for each of n inputs, into shared `scales` [n]. The whole block calls it. */
static __device__ void scales_fill(const struct device_input &in, int cols, int n, float *partial,
                                   float *scales)
{
    for (int t = 0; t < n; t++) {
        float sum = 0.0f;
        for (int i = threadIdx.x; i < cols; i += BLOCK) {
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
            scales[t] = rsqrtf(total / (float)cols + in.eps);
        }
        __syncthreads();
    }
}

/* Four columns of N inputs from `col` on, a multiple of 4 in rows that begin at multiples of it. */
template <int N, bool HAS_NORM>
static __device__ __forceinline__ void inputs_load(const struct device_input &in, int cols, int n,
                                                   int col, float4 inputs[N])
{
    const float4 norm = HAS_NORM ? *(const float4 *)(in.norm + col) : float4{1, 1, 1, 1};

#pragma unroll
    for (int t = 0; t < N; t++) {
        inputs[t] = *(const float4 *)input_place(in, cols, t, n, col);
        if (HAS_NORM) {
            inputs[t].x *= norm.x;
            inputs[t].y *= norm.y;
            inputs[t].z *= norm.z;
            inputs[t].w *= norm.w;
        }
    }
}

/* Adds the products of COLUMNS columns from `col` on; of several inputs, registers hold four columns at a time. */
template <enum device_storage S, int N, int ROWS, int REPLICAS, bool HAS_NORM>
static __device__ __forceinline__ void
columns_add(const struct device_matrix &matrix, const float *book, const struct device_input &in,
            int n, const uint8_t *const rows[ROWS], int col, float sums[ROWS][N])
{
    struct stored<S> stored[ROWS];

#pragma unroll
    for (int r = 0; r < ROWS; r++)
        stored_load(&stored[r], rows[r], col);
#pragma unroll(N > 1 || S == DEVICE_F32 ? 1 : PARTS)
    for (int part = 0; part < PARTS; part++) {
        float4 inputs[N];
        inputs_load<N, HAS_NORM>(in, matrix.cols, n, col + part * 4, inputs);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            float weights[4];
            weights_take<S, REPLICAS>(&stored[r], book, weights);
#pragma unroll
            for (int t = 0; t < N; t++) {
                sums[r][t] = fmaf(weights[0], inputs[t].x, sums[r][t]);
                sums[r][t] = fmaf(weights[1], inputs[t].y, sums[r][t]);
                sums[r][t] = fmaf(weights[2], inputs[t].z, sums[r][t]);
                sums[r][t] = fmaf(weights[3], inputs[t].w, sums[r][t]);
            }
        }
    }
}

/* The same one by one, up to the last column: for ends of rows, and rows that begin anywhere. */
template <enum device_storage S, int N, int ROWS, int REPLICAS, bool HAS_NORM>
static __device__ __forceinline__ void
columns_add_singly(const struct device_matrix &matrix, const float *book,
                   const struct device_input &in, int n, const uint8_t *const rows[ROWS], int col,
                   float sums[ROWS][N])
{
    const int end = min(col + COLUMNS, matrix.cols);

#pragma unroll 1
    for (int at = col; at < end; at++)
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const float weight = weight_at<S, REPLICAS>(rows[r], book, at);
#pragma unroll
            for (int t = 0; t < N; t++)
                sums[r][t] =
                    fmaf(weight, input_at<HAS_NORM>(in, matrix.cols, t, n, at), sums[r][t]);
        }
}

/* Adds this lane's share of what the exceptions of a row change. */
template <int N, bool HAS_NORM>
static __device__ __forceinline__ void exceptions_add(const struct device_matrix &matrix,
                                                      const struct device_input &in, int n, int row,
                                                      float sums[N])
{
    const int end = matrix.starts[row + 1];

#pragma unroll 1
    for (int i = matrix.starts[row] + (int)(threadIdx.x % WARP); i < end; i += WARP) {
        const float delta = matrix.deltas[i];
        const int col = matrix.columns[i];
#pragma unroll
        for (int t = 0; t < N; t++)
            sums[t] = fmaf(delta, input_at<HAS_NORM>(in, matrix.cols, t, n, col), sums[t]);
    }
}

/* sums [ROWS][N] of `rows` [ROWS] and n <= N inputs, in every lane. */
template <enum device_storage S, int N, int ROWS, int REPLICAS, bool HAS_NORM>
static __device__ __forceinline__ void
rows_multiply(const struct device_matrix &matrix, const float *book, const struct device_input &in,
              int n, const int rows[ROWS], float sums[ROWS][N])
{
    const uint8_t *data[ROWS];

#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        data[r] = matrix.data + rows[r] * matrix.row_bytes;
#pragma unroll
        for (int t = 0; t < N; t++)
            sums[r][t] = 0.0f;
    }
#pragma unroll 1
    for (int col = (int)(threadIdx.x % WARP) * COLUMNS; col < matrix.cols; col += WARP * COLUMNS)
        if (col + COLUMNS <= matrix.cols && matrix.cols % 4 == 0)
            columns_add<S, N, ROWS, REPLICAS, HAS_NORM>(matrix, book, in, n, data, col, sums);
        else
            columns_add_singly<S, N, ROWS, REPLICAS, HAS_NORM>(matrix, book, in, n, data, col,
                                                               sums);
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        if (S == DEVICE_HXQ)
            exceptions_add<N, HAS_NORM>(matrix, in, n, rows[r], sums[r]);
#pragma unroll
        for (int t = 0; t < N; t++)
            sums[r][t] = warp_sum(sums[r][t]);
    }
}

/* --- kernels ---------------------------------------------------------------------------------------------------------- */

/* The first of a warp's items of so many, and how far it is to its next ones. */
static __device__ __forceinline__ int items_begin(int of_warp)
{
    return (int)(blockIdx.x * WARPS + threadIdx.x / WARP) * of_warp;
}

static __device__ __forceinline__ int items_stride(int of_warp)
{
    return (int)gridDim.x * WARPS * of_warp;
}

template <enum device_storage S, int N>
static __global__ void __launch_bounds__(BLOCK, N > 1 || S == DEVICE_F32 ? 2 : 3)
    matvec(struct device_product product, struct device_input in, int n)
{
    enum { ROWS = ROWS_FOR(N) };
    SHARED(float, book, S == DEVICE_HXQ ? BOOK : 1);
    const struct device_matrix &matrix = product.matrix;
    const int lane = threadIdx.x % WARP, first = product.first ? *product.first : 0;

    if (S == DEVICE_HXQ)
        book_fill<WARP>(book, matrix.codebook);
    __syncthreads();
    for (int base = items_begin(ROWS); base < matrix.rows; base += items_stride(ROWS)) {
        int rows[ROWS];
        float sums[ROWS][N];
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            rows[r] = min(base + r, matrix.rows - 1);
        rows_multiply<S, N, ROWS, WARP, false>(matrix, book, in, n, rows, sums);
#pragma unroll
        for (int r = 0; r < ROWS; r++)
#pragma unroll
            for (int t = 0; t < N; t++)
                if (lane == r * N + t && t < n && base + r < matrix.rows) {
                    float *out = product.out + (int64_t)(first + t) * matrix.rows + base + r;
                    float sum = sums[r][t];
                    if (product.bias)
                        sum += product.bias[base + r];
                    *out = product.accumulate ? *out + sum : sum;
                }
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

/* Finishes the two sums of a pair for input t: which of q, k, v it belongs to is blockIdx.y. */
static __device__ __forceinline__ void pair_store(const struct device_product &product,
                                                  const struct device_rope &rope, int t,
                                                  const struct row_pair &pair, float a, float b)
{
    const int position = *rope.first + rope.offset + t;
    const float *angles = rope.table + (int64_t)position * rope.head_dim;
    const int64_t row = blockIdx.y == 0 ? t : position;
    float *out = product.out + row * product.matrix.rows;
    float cosine = 1.0f, sine = 0.0f;

    if (product.bias) {
        a += product.bias[pair.low];
        b += product.bias[pair.high];
    }
    if (blockIdx.y < 2) {
        cosine = angles[pair.angle];
        sine = angles[rope.head_dim / 2 + pair.angle];
    }
    out[pair.low] = a * cosine - b * sine;
    out[pair.high] = b * cosine + a * sine;
}

/* Each block works for one of q, k, v: blockIdx.y. */
template <int N>
static __global__ void __launch_bounds__(BLOCK, N > 1 ? 2 : 3)
    qkv(struct device_product q, struct device_product k, struct device_product v,
        struct device_input in, struct device_rope rope, int n)
{
    enum { ROWS = ROWS_FOR(N), PAIRS = ROWS / 2 };
    SHARED(float, book, BOOK);
    SHARED(float, partial, WARPS);
    SHARED(float, scales, N);
    const struct device_product product = blockIdx.y == 0 ? q : blockIdx.y == 1 ? k : v;
    const struct device_matrix &matrix = product.matrix;
    const int lane = threadIdx.x % WARP, pairs = matrix.rows / 2;

    book_fill<WARP>(book, matrix.codebook);
    scales_fill(in, matrix.cols, n, partial, scales);
    for (int base = items_begin(PAIRS); base < pairs; base += items_stride(PAIRS)) {
        int rows[ROWS];
        float sums[ROWS][N];
#pragma unroll
        for (int i = 0; i < PAIRS; i++) {
            const struct row_pair pair =
                pair_at(min(base + i, pairs - 1), rope.head_dim, blockIdx.y < 2);
            rows[2 * i] = pair.low;
            rows[2 * i + 1] = pair.high;
        }
        rows_multiply<DEVICE_HXQ, N, ROWS, WARP, true>(matrix, book, in, n, rows, sums);
#pragma unroll
        for (int i = 0; i < PAIRS; i++)
#pragma unroll
            for (int t = 0; t < N; t++)
                if (lane == i * N + t && t < n && base + i < pairs)
                    pair_store(product, rope, t, pair_at(base + i, rope.head_dim, blockIdx.y < 2),
                               sums[2 * i][t] * scales[t], sums[2 * i + 1][t] * scales[t]);
    }
}

/* A warp makes ROWS rows of the gate, then the same of the other matrix; two codebooks have room for half as many copies. */
template <int N>
static __global__ void __launch_bounds__(BLOCK, N > 1 ? 2 : 3)
    gate_up(struct device_product gate, struct device_product up, struct device_input in, int n)
{
    enum { ROWS = ROWS_FOR(N), COPIES = WARP / 2 };
    SHARED(float, books, 2 * CODES * COPIES);
    SHARED(float, partial, WARPS);
    SHARED(float, scales, N);
    const struct device_matrix &matrix = gate.matrix;
    const int lane = threadIdx.x % WARP;

    book_fill<COPIES>(books, matrix.codebook);
    book_fill<COPIES>(books + CODES * COPIES, up.matrix.codebook);
    scales_fill(in, matrix.cols, n, partial, scales);
    for (int base = items_begin(ROWS); base < matrix.rows; base += items_stride(ROWS)) {
        int rows[ROWS];
        float gates[ROWS][N], ups[ROWS][N];
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            rows[r] = min(base + r, matrix.rows - 1);
        rows_multiply<DEVICE_HXQ, N, ROWS, COPIES, true>(matrix, books, in, n, rows, gates);
        rows_multiply<DEVICE_HXQ, N, ROWS, COPIES, true>(up.matrix, books + CODES * COPIES, in, n,
                                                         rows, ups);
#pragma unroll
        for (int r = 0; r < ROWS; r++)
#pragma unroll
            for (int t = 0; t < N; t++)
                if (lane == r * N + t && t < n && base + r < matrix.rows) {
                    const float value = gates[r][t] * scales[t];
                    gate.out[(int64_t)t * matrix.rows + base + r] =
                        value / (1.0f + expf(-value)) * (ups[r][t] * scales[t]);
                }
    }
}

/* --- launches --------------------------------------------------------------------------------------------------------- */

/* Blocks for so many items, so many to a warp; no more than the device has room for at a time. */
static unsigned blocks_for(int items, int of_warp)
{
    const int needed = (items + of_warp * WARPS - 1) / (of_warp * WARPS);
    int processors = 0;

    cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0);
    const int most = (processors > 0 ? processors : 1) * BLOCKS_OF_PROCESSOR;
    return (unsigned)(needed < most ? needed : most);
}

/* The inputs from t on. */
static struct device_input input_from(const struct device_input *in, int cols, int t)
{
    struct device_input rest = *in;

    rest.x += (int64_t)t * cols;
    return rest;
}

template <enum device_storage S>
static void launch_round(const struct device_product &product, const struct device_input &in, int n,
                         cudaStream_t stream)
{
    const int rows = product.matrix.rows;

    if (n == 1)
        LAUNCH((matvec<S, 1>), blocks_for(rows, ROWS_FOR(1)), BLOCK, stream, product, in, n);
    else if (n <= 4)
        LAUNCH((matvec<S, 4>), blocks_for(rows, ROWS_FOR(4)), BLOCK, stream, product, in, n);
    else
        LAUNCH((matvec<S, 8>), blocks_for(rows, ROWS_FOR(8)), BLOCK, stream, product, in, n);
}

void launch_matvec(const struct device_product *product, const struct device_input *in, int n,
                   cudaStream_t stream)
{
    struct device_product part = *product;

    for (int t = 0; t < n; t += MATVEC_INPUTS) {
        const struct device_input inputs = input_from(in, part.matrix.cols, t);
        const int count = n - t < MATVEC_INPUTS ? n - t : MATVEC_INPUTS;
        switch (part.matrix.storage) {
        case DEVICE_HXQ:
            launch_round<DEVICE_HXQ>(part, inputs, count, stream);
            break;
        case DEVICE_F32:
            launch_round<DEVICE_F32>(part, inputs, count, stream);
            break;
        case DEVICE_BF16:
            launch_round<DEVICE_BF16>(part, inputs, count, stream);
            break;
        case DEVICE_F16:
            launch_round<DEVICE_F16>(part, inputs, count, stream);
            break;
        }
        part.out += (int64_t)count * part.matrix.rows;
    }
}

void launch_qkv(const struct device_product products[3], const struct device_input *in,
                const struct device_rope *rope, int n, cudaStream_t stream)
{
    struct device_product q = products[0];
    const struct device_product k = products[1], v = products[2];
    struct device_rope place = *rope;
    const int pairs = (q.matrix.rows > v.matrix.rows ? q.matrix.rows : v.matrix.rows) / 2;

    for (int t = 0; t < n; t += MATVEC_INPUTS) {
        const struct device_input inputs = input_from(in, q.matrix.cols, t);
        const int count = n - t < MATVEC_INPUTS ? n - t : MATVEC_INPUTS;
        const dim3 grid(blocks_for(pairs, (count > 4 ? ROWS_FOR(8) : ROWS_FOR(4)) / 2), 3);
        place.offset = rope->offset + t;
        if (count == 1)
            LAUNCH((qkv<1>), grid, BLOCK, stream, q, k, v, inputs, place, count);
        else if (count <= 4)
            LAUNCH((qkv<4>), grid, BLOCK, stream, q, k, v, inputs, place, count);
        else
            LAUNCH((qkv<8>), grid, BLOCK, stream, q, k, v, inputs, place, count);
        q.out += (int64_t)count * q.matrix.rows;
    }
}

void launch_gate_up(const struct device_product products[2], const struct device_input *in, int n,
                    cudaStream_t stream)
{
    struct device_product gate = products[0];
    const struct device_product up = products[1];

    for (int t = 0; t < n; t += MATVEC_INPUTS) {
        const struct device_input inputs = input_from(in, gate.matrix.cols, t);
        const int count = n - t < MATVEC_INPUTS ? n - t : MATVEC_INPUTS;
        const unsigned grid = blocks_for(gate.matrix.rows, count > 4 ? ROWS_FOR(8) : ROWS_FOR(4));
        if (count == 1)
            LAUNCH((gate_up<1>), grid, BLOCK, stream, gate, up, inputs, count);
        else if (count <= 4)
            LAUNCH((gate_up<4>), grid, BLOCK, stream, gate, up, inputs, count);
        else
            LAUNCH((gate_up<8>), grid, BLOCK, stream, gate, up, inputs, count);
        gate.out += (int64_t)count * gate.matrix.rows;
    }
}
