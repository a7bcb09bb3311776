/* Causal attention with grouped heads over the key-value cache.
 *
 * Keys are taken CHUNK positions at a time. A block works for one key-value head and QUERIES tokens: it brings a chunk of
 * keys into shared memory once for all query heads that share it, and each warp makes scores, exponentials and weighted
 * values of its pairs of token and head. What a chunk gives (largest score, sum, weighted values) is merged into what the
 * chunks before it gave (arXiv 1805.02867). With many tokens a block goes through all chunks; with few, every chunk is a
 * block of its own and a second kernel merges, in the same order: the bits are the same. */
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/portable.cuh"

enum {
    BLOCK = 128,
    WARPS = BLOCK / WARP,
    QUERIES = 4, /* tokens of a block */
    CHUNK = 64,  /* positions: two of a lane */
    HEAD_DIM_MAX = 128,
    PARTS = HEAD_DIM_MAX / WARP, /* values of a head that a lane holds */
    PAIRS_MAX = 8,               /* of a warp, held in registers at a time */
    FEW_TOKENS = 16,
    KEYS = CHUNK * (HEAD_DIM_MAX + 1), /* in shared memory, rows a bank apart */
    WEIGHTS = WARPS * CHUNK,
};

/* What some positions give to one query head: the lanes share its values, lane + 32 i in part i. */
struct state {
    float largest, sum, values[PARTS];
};

static __device__ __forceinline__ void state_clear(struct state *state)
{
    state->largest = -INFINITY;
    state->sum = 0.0f;
#pragma unroll
    for (int i = 0; i < PARTS; i++)
        state->values[i] = 0.0f;
}

static __device__ __forceinline__ void state_merge(struct state *state, const struct state &next)
{
    const float largest = fmaxf(state->largest, next.largest);
    const float before = expf(state->largest - largest), after = expf(next.largest - largest);

    state->sum = state->sum * before + next.sum * after;
#pragma unroll
    for (int i = 0; i < PARTS; i++)
        state->values[i] = state->values[i] * before + next.values[i] * after;
    state->largest = largest;
}

/* Positions [from, from + CHUNK) of the keys, zeros behind `end`, rows one number apart in banks. */
static __device__ void keys_fill(float *keys, const struct device_attention &job, int from, int end)
{
    const int width = job.kv_heads * job.head_dim;

    for (int i = threadIdx.x; i < CHUNK * job.head_dim; i += BLOCK) {
        const int p = i / job.head_dim, at = i % job.head_dim;
        keys[p * (HEAD_DIM_MAX + 1) + at] =
            from + p < end ? job.keys[(int64_t)(from + p) * width + blockIdx.y * job.head_dim + at]
                           : 0.0f;
    }
}

/* What a chunk gives to the query head at q, which sees `seen` of its positions, 1..CHUNK. `weights` [CHUNK] is the warp's. */
static __device__ void chunk_attend(const struct device_attention &job, const float *keys,
                                    float *weights, const float *q, int from, int seen,
                                    struct state *state)
{
    const int lane = threadIdx.x % WARP, width = job.kv_heads * job.head_dim;
    const float *low = keys + lane * (HEAD_DIM_MAX + 1);
    const float *high = low + WARP * (HEAD_DIM_MAX + 1);
    const float scale = rsqrtf((float)job.head_dim);
    float first = 0.0f, second = 0.0f;

    for (int i = 0; i < job.head_dim; i++) {
        first = fmaf(q[i], low[i], first);
        second = fmaf(q[i], high[i], second);
    }
    first = lane < seen ? first * scale : -INFINITY;
    second = lane + WARP < seen ? second * scale : -INFINITY;
    state_clear(state);
    state->largest = warp_max(fmaxf(first, second));
    first = expf(first - state->largest);
    second = expf(second - state->largest);
    state->sum = warp_sum(first + second);
    __syncwarp();
    weights[lane] = first;
    weights[lane + WARP] = second;
    __syncwarp();
    for (int p = 0; p < seen; p++) {
        const float *row = job.values + (int64_t)(from + p) * width + blockIdx.y * job.head_dim;
#pragma unroll
        for (int i = 0; i < PARTS; i++)
            if (lane + i * WARP < job.head_dim)
                state->values[i] = fmaf(weights[p], row[lane + i * WARP], state->values[i]);
    }
}

static __device__ void out_store(const struct device_attention &job, int t, int head,
                                 const struct state &state)
{
    const int lane = threadIdx.x % WARP;
    float *out = job.out + ((int64_t)t * job.heads + head) * job.head_dim;

#pragma unroll
    for (int i = 0; i < PARTS; i++)
        if (lane + i * WARP < job.head_dim)
            out[lane + i * WARP] = state.values[i] / state.sum;
}

/* A chunk's state in scratch: [token, head, chunk][2 + head_dim]. */
static __device__ __forceinline__ float *scratch_at(const struct device_attention &job, int chunks,
                                                    int t, int head, int chunk)
{
    return job.scratch + (((int64_t)t * job.heads + head) * chunks + chunk) * (2 + job.head_dim);
}

static __device__ void state_write(float *to, const struct state &state, int head_dim)
{
    const int lane = threadIdx.x % WARP;

    if (lane == 0) {
        to[0] = state.largest;
        to[1] = state.sum;
    }
#pragma unroll
    for (int i = 0; i < PARTS; i++)
        if (lane + i * WARP < head_dim)
            to[2 + lane + i * WARP] = state.values[i];
}

/* Many tokens: blockIdx.x counts groups of QUERIES tokens, blockIdx.z groups of the pairs that warps can hold. */
static __global__ void attend_many(struct device_attention job, int n)
{
    SHARED(float, keys, KEYS);
    SHARED(float, weights, WEIGHTS);
    const int warp = threadIdx.x / WARP, group = job.heads / job.kv_heads, first = *job.first;
    const int t0 = (int)blockIdx.x * QUERIES;
    const int pairs = min(QUERIES, n - t0) * group;
    const int end = first + min(t0 + QUERIES, n);
    struct state states[PAIRS_MAX];

#pragma unroll
    for (int i = 0; i < PAIRS_MAX; i++)
        state_clear(&states[i]);
    for (int from = 0; from < end; from += CHUNK) {
        __syncthreads();
        keys_fill(keys, job, from, end);
        __syncthreads();
#pragma unroll
        for (int i = 0; i < PAIRS_MAX; i++) {
            const int pair = ((int)blockIdx.z * PAIRS_MAX + i) * WARPS + warp;
            const int t = t0 + pair / group, head = (int)blockIdx.y * group + pair % group;
            const int seen = min(first + t + 1 - from, (int)CHUNK);
            if (pair >= pairs || seen <= 0)
                continue;
            struct state next;
            chunk_attend(job, keys, weights + warp * CHUNK,
                         job.q + ((int64_t)t * job.heads + head) * job.head_dim, from, seen, &next);
            state_merge(&states[i], next);
        }
    }
#pragma unroll
    for (int i = 0; i < PAIRS_MAX; i++) {
        const int pair = ((int)blockIdx.z * PAIRS_MAX + i) * WARPS + warp;
        if (pair < pairs)
            out_store(job, t0 + pair / group, (int)blockIdx.y * group + pair % group, states[i]);
    }
}

/* Few tokens: blockIdx.x is the chunk, blockIdx.z the token. */
static __global__ void attend_chunks(struct device_attention job)
{
    SHARED(float, keys, KEYS);
    SHARED(float, weights, WEIGHTS);
    const int warp = threadIdx.x / WARP, group = job.heads / job.kv_heads;
    const int t = (int)blockIdx.z, from = (int)blockIdx.x * CHUNK, end = *job.first + t + 1;
    if (from >= end)
        return;

    keys_fill(keys, job, from, end);
    __syncthreads();
    for (int i = warp; i < group; i += WARPS) {
        const int head = (int)blockIdx.y * group + i;
        struct state state;
        chunk_attend(job, keys, weights + warp * CHUNK,
                     job.q + ((int64_t)t * job.heads + head) * job.head_dim, from,
                     min(end - from, (int)CHUNK), &state);
        state_write(scratch_at(job, gridDim.x, t, head, blockIdx.x), state, job.head_dim);
    }
}

/* A warp to a token and head. */
static __global__ void merge_chunks(struct device_attention job, int chunks)
{
    const int lane = threadIdx.x % WARP, t = (int)blockIdx.y, head = (int)blockIdx.x;
    const int seen = (*job.first + t) / CHUNK + 1;
    struct state state;

    state_clear(&state);
    for (int chunk = 0; chunk < seen; chunk++) {
        const float *from = scratch_at(job, chunks, t, head, chunk);
        struct state next = {from[0], from[1], {0}};
#pragma unroll
        for (int i = 0; i < PARTS; i++)
            if (lane + i * WARP < job.head_dim)
                next.values[i] = from[2 + lane + i * WARP];
        state_merge(&state, next);
    }
    out_store(job, t, head, state);
}

static int chunks_of(const struct device_attention *job)
{
    return (job->positions + CHUNK - 1) / CHUNK;
}

int64_t launch_attention_scratch(const struct device_attention *job, int n)
{
    return n > FEW_TOKENS ? 0 : (int64_t)n * job->heads * chunks_of(job) * (2 + job->head_dim);
}

void launch_attention(const struct device_attention *attention, int n, cudaStream_t stream)
{
    const struct device_attention job = *attention;
    const int chunks = chunks_of(&job), group = job.heads / job.kv_heads;
    const unsigned heads = (unsigned)job.heads, kv_heads = (unsigned)job.kv_heads;

    if (n <= FEW_TOKENS && job.scratch) {
        LAUNCH(attend_chunks, dim3((unsigned)chunks, kv_heads, (unsigned)n), BLOCK, stream, job);
        LAUNCH(merge_chunks, dim3(heads, (unsigned)n), WARP, stream, job, chunks);
        return;
    }
    const int held = PAIRS_MAX * WARPS; /* pairs of a block */
    const dim3 grid((unsigned)((n + QUERIES - 1) / QUERIES), kv_heads,
                    (unsigned)((QUERIES * group + held - 1) / held));
    LAUNCH(attend_many, grid, BLOCK, stream, job, n);
}
