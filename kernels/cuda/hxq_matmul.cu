/* HXQ matrices times many inputs on tensor cores: what reading a prompt does, bound by arithmetic.
 *
 * A block makes 128 rows for 64 inputs. Inputs are brought into shared memory 64 columns at a time as 16-bit numbers; each
 * warp looks 16 rows up straight into the registers of the matrix instruction. Which columns stand in which of its places is
 * free as long as both sides agree, so a lane takes 16 indices that lie side by side: column 16t + 4s + i is step s, lane
 * t's i-th number. Sums are float32; what exceptions change is added at the end, in float32. */
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/portable.cuh"

enum {
    BLOCK = 256,
    WARPS = BLOCK / WARP,
    WARP_ROWS = 16,
    TILES = 8, /* of 8 inputs */
    INPUTS = TILES * 8,
    COLUMNS = 64,         /* of a round */
    STEPS = COLUMNS / 16, /* matrix instructions of a round, for each tile */
    /* pairs of numbers from one input to the next: apart in banks */
    INPUT_STRIDE = COLUMNS / 2 + 2,
    CODES = 256,
    BOOK = CODES * WARP,
    TILE = INPUTS * INPUT_STRIDE,
};

/* 16 indices of a row from `col` on; what is behind the row's end counts as index 0, whose inputs are zeros. */
static __device__ __forceinline__ uint4 indices_load(const struct device_matrix &matrix, int row,
                                                     int col)
{
    const uint4 none = {0, 0, 0, 0};

    return col < matrix.row_bytes ? load_once(matrix.data + row * matrix.row_bytes + col) : none;
}

static __device__ __forceinline__ uint32_t word_of(const uint4 &value, int i)
{
    return i == 0 ? value.x : i == 1 ? value.y : i == 2 ? value.z : value.w;
}

/* Two looked-up numbers, of the lower or upper two indices in a word. */
static __device__ __forceinline__ uint32_t look_up(const uint32_t *book, uint32_t word, int upper)
{
    const uint32_t *mine = book + threadIdx.x % WARP;

    const uint32_t low = mine[(word >> upper * 16 & 255u) * WARP];
    const uint32_t high = mine[(word >> (upper * 16 + 8) & 255u) * WARP];

    return low | high << 16;
}

/* Columns [col, col + COLUMNS) of the block's inputs as pairs; zeros behind the last column and input. */
static __device__ void inputs_fill(uint32_t *inputs, const struct device_input &in, int cols, int n,
                                   int col)
{
    for (int i = threadIdx.x; i < INPUTS * COLUMNS / 2; i += BLOCK) {
        const int t = (int)(blockIdx.y * INPUTS) + i / (COLUMNS / 2);
        const int at = col + i % (COLUMNS / 2) * 2;
        const float *x = in.x + (int64_t)t * cols + at;
        const float low = t < n && at < cols ? x[0] : 0.0f;
        const float high = t < n && at + 1 < cols ? x[1] : 0.0f;
        inputs[i / (COLUMNS / 2) * INPUT_STRIDE + i % (COLUMNS / 2)] =
            mma_pair(low * MMA_INPUT_SCALE, high * MMA_INPUT_SCALE);
    }
}

/* One sum, finished. */
static __device__ void sum_store(const struct device_product &product,
                                 const struct device_input &in, int row, int t, int n, float sum)
{
    const struct device_matrix &matrix = product.matrix;

    if (row >= matrix.rows || t >= n)
        return;
    sum *= MMA_RESULT_SCALE;
#pragma unroll 1
    for (int i = matrix.starts[row]; i < matrix.starts[row + 1]; i++)
        sum = fmaf(matrix.deltas[i], in.x[(int64_t)t * matrix.cols + matrix.columns[i]], sum);
    if (product.bias)
        sum += product.bias[row];
    const int first = product.first ? *product.first : 0;
    float *out = product.out + (int64_t)(first + t) * matrix.rows + row;
    *out = product.accumulate ? *out + sum : sum;
}

static __global__ void matmul(struct device_product product, struct device_input in, int n)
{
    SHARED(uint32_t, book, BOOK);
    SHARED(uint32_t, inputs, TILE);
    const struct device_matrix &matrix = product.matrix;
    const int lane = threadIdx.x % WARP, group = lane / 4, place = lane % 4;
    const int base = (int)(blockIdx.x * WARPS + threadIdx.x / WARP) * WARP_ROWS + group;
    const int upper = min(base, matrix.rows - 1), lower = min(base + 8, matrix.rows - 1);
    float sums[TILES][4];

#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            sums[tile][i] = 0.0f;
    for (int i = threadIdx.x; i < CODES * WARP; i += BLOCK)
        book[i] = narrow_f16(matrix.codebook[i / WARP]);
    for (int col = 0; col < matrix.cols; col += COLUMNS) {
        __syncthreads();
        inputs_fill(inputs, in, matrix.cols, n, col);
        __syncthreads();
        const uint4 first = indices_load(matrix, upper, col + place * 16);
        const uint4 second = indices_load(matrix, lower, col + place * 16);
#pragma unroll
        for (int step = 0; step < STEPS; step++) {
            const uint32_t a[4] = {
                look_up(book, word_of(first, step), 0), look_up(book, word_of(second, step), 0),
                look_up(book, word_of(first, step), 1), look_up(book, word_of(second, step), 1)};
#pragma unroll
            for (int tile = 0; tile < TILES; tile++) {
                const uint32_t *x =
                    inputs + (tile * 8 + group) * INPUT_STRIDE + place * 8 + step * 2;
                const uint32_t b[2] = {x[0], x[1]};
                mma_16816(sums[tile], a, b);
            }
        }
    }

#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            sum_store(product, in, base + i / 2 * 8,
                      (int)(blockIdx.y * INPUTS) + tile * 8 + place * 2 + i % 2, n, sums[tile][i]);
}

void launch_matmul(const struct device_product *product, const struct device_input *in, int n,
                   cudaStream_t stream)
{
    const struct device_product whole = *product;
    const struct device_input inputs = *in;
    const int block_rows = WARPS * WARP_ROWS;
    const dim3 grid((unsigned)((whole.matrix.rows + block_rows - 1) / block_rows),
                    (unsigned)((n + INPUTS - 1) / INPUTS));

    LAUNCH(matmul, grid, BLOCK, stream, whole, inputs, n);
}
