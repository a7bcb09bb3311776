/* The table of operations on one stream. Up to MATVEC_TOKENS inputs, and all of them in exact mode, are multiplied in rounds
 * straight from the stored form, in float32; more go to the tensor cores in 16 bits, where the matrix is HXQ. There norm and
 * rotation are operations of their own, and what stands between them lies in the workspace, some tokens at a time. */
#include <stdio.h>
#include <stdlib.h>

#include "kernels/cuda/cuda_backend.cuh"

enum { MATVEC_TOKENS = 16, BANDWIDTH_READINGS = 5 };

static bool works(struct cuda_backend *backend)
{
    return backend->base.status == BACKEND_OK;
}

/* Whether a product of n inputs is one for tensor cores. */
static bool is_matmul(const struct cuda_backend *backend, const struct device_matrix *matrix, int n)
{
    return !backend->is_exact && n > MATVEC_TOKENS && matrix->storage == DEVICE_HXQ;
}

/* Whether products with n inputs are one kernel: where all are HXQ and none is one for tensor cores. */
static bool is_fused(const struct cuda_backend *backend, const struct device_product *products,
                     int count, int n)
{
    for (int i = 0; i < count; i++)
        if (products[i].matrix.storage != DEVICE_HXQ)
            return false;
    return backend->is_exact || n <= MATVEC_TOKENS;
}

static struct device_product product_of(const struct matrix *matrix, struct slice bias, float *out)
{
    return {matrix->device, slice_values(bias), false, out, NULL};
}

/* --- buffers ---------------------------------------------------------------------------------------------------------- */

static struct buffer *buffer_create(struct backend *base, size_t count)
{
    struct cuda_backend *backend = cuda_backend_of(base);
    struct buffer *buffer = (struct buffer *)calloc(1, sizeof *buffer);
    const bool is_countable = count < (size_t)1 << 48;

    if (!buffer || !is_countable ||
        !(buffer->values = (float *)block_create(backend, count * sizeof(float)))) {
        device_check(backend, cudaErrorMemoryAllocation);
        free(buffer);
        return NULL;
    }
    buffer->backend = backend;
    buffer->count = count;
    device_check(backend,
                 cudaMemsetAsync(buffer->values, 0, count * sizeof(float), backend->stream));
    return buffer;
}

static void buffer_destroy(struct buffer *buffer)
{
    if (!buffer)
        return;
    graph_forget(buffer->backend);
    block_destroy(buffer->backend, buffer->values, buffer->count * sizeof(float));
    free(buffer);
}

static void buffer_write(struct backend *base, struct slice to, const float *from, size_t count)
{
    memory_upload(cuda_backend_of(base), slice_values(to), from, count * sizeof *from);
}

static void buffer_read(struct backend *base, struct slice from, float *to, size_t count)
{
    memory_download(cuda_backend_of(base), to, slice_values(from), count * sizeof *to);
}

/* --- single operations ------------------------------------------------------------------------------------------------ */

static void embed(struct backend *base, const struct matrix *matrix, const int32_t *ids, int n,
                  struct slice out)
{
    struct cuda_backend *backend = cuda_backend_of(base);

    if (works(backend))
        launch_embed(&matrix->device, ids, n, slice_values(out), backend->stream);
    device_check(backend, cudaSuccess);
}

static void rms_norm(struct backend *base, struct slice in, struct slice weight, float eps, int n,
                     int d, struct slice out)
{
    struct cuda_backend *backend = cuda_backend_of(base);
    const struct device_input rows = {slice_values(in), slice_values(weight), eps};

    if (works(backend))
        launch_rms_norm(&rows, n, d, slice_values(out), backend->stream);
    device_check(backend, cudaSuccess);
}

static void matmul(struct backend *base, const struct matrix *matrix, struct slice in,
                   struct slice bias, bool accumulate, int n, struct slice out)
{
    struct cuda_backend *backend = cuda_backend_of(base);
    struct device_product product = product_of(matrix, bias, slice_values(out));
    const struct device_input rows = {slice_values(in), NULL, 0.0f};

    product.accumulate = accumulate;
    if (!works(backend))
        return;
    if (is_matmul(backend, &matrix->device, n))
        launch_matmul(&product, &rows, n, backend->stream);
    else
        launch_matvec(&product, &rows, n, backend->stream);
    device_check(backend, cudaSuccess);
}

static void rope(struct backend *base, struct slice x, struct slice table, int first, int n,
                 int heads, int head_dim)
{
    struct cuda_backend *backend = cuda_backend_of(base);
    const struct device_rope place = {
        slice_values(table), backend->first, 0, heads, heads, head_dim};

    if (!works(backend))
        return;
    place_set(backend, first);
    launch_rope(slice_values(x), &place, heads, false, n, backend->stream);
    device_check(backend, cudaSuccess);
}

static void attention(struct backend *base, struct slice q, struct slice keys, struct slice values,
                      struct attention_shape shape, int first, int n, struct slice out)
{
    struct cuda_backend *backend = cuda_backend_of(base);
    const size_t width = (size_t)shape.kv_heads * (size_t)shape.head_dim;
    struct device_attention job = {
        slice_values(q),   slice_values(keys), slice_values(values),
        slice_values(out), backend->first,     shape.heads,
        shape.kv_heads,    shape.head_dim,     (int)((keys.buffer->count - keys.offset) / width),
        backend->scratch,
    };

    if (!works(backend))
        return;
    if (launch_attention_scratch(&job, n) > SCRATCH_BYTES / (int64_t)sizeof(float))
        job.scratch = NULL;
    place_set(backend, first);
    launch_attention(&job, n, backend->stream);
    device_check(backend, cudaSuccess);
}

static void silu_mul(struct backend *base, struct slice gate, struct slice up, size_t count)
{
    struct cuda_backend *backend = cuda_backend_of(base);

    if (works(backend))
        launch_silu_mul(slice_values(gate), slice_values(up), (int64_t)count, backend->stream);
    device_check(backend, cudaSuccess);
}

/* Twelve bytes come back instead of the whole row. */
static void likeliest(struct backend *base, struct slice in, int count, struct likeliest *found)
{
    struct cuda_backend *backend = cuda_backend_of(base);
    struct likeliest *place = (struct likeliest *)backend->scratch;

    *found = {};
    if (!works(backend))
        return;
    launch_likeliest(slice_values(in), count, place, backend->stream);
    memory_download(backend, found, place, sizeof *found);
}

/* --- fused operations ------------------------------------------------------------------------------------------------- */

/* How many of n tokens have room in the scratch with so many numbers each; 0 and a failure where not one has. */
static int tokens_at_once(struct cuda_backend *backend, int64_t numbers, int n)
{
    const int64_t most = SCRATCH_BYTES / (int64_t)sizeof(float) / numbers;

    if (most < 1)
        device_check(backend, cudaErrorMemoryAllocation);
    return most < n ? (int)most : n;
}

/* A product of `count` normed rows out of a pass of n: which kernel it is depends on the pass alone. */
static void multiply(struct cuda_backend *backend, const struct device_product *product,
                     const struct device_input *rows, int count, int n)
{
    if (is_matmul(backend, &product->matrix, n))
        launch_matmul(product, rows, count, backend->stream);
    else
        launch_matvec(product, rows, count, backend->stream);
}

/* One operation after the other. */
static void project_apart(struct cuda_backend *backend, const struct device_product products[3],
                          const struct device_input *in, const struct device_rope *rope, int n)
{
    const int hidden = products[0].matrix.cols, at_once = tokens_at_once(backend, hidden, n);
    const struct device_input normed = {backend->scratch, NULL, 0.0f};

    for (int t = 0; at_once > 0 && t < n; t += at_once) {
        const int count = n - t < at_once ? n - t : at_once;
        const struct device_input rows = {in->x + (int64_t)t * hidden, in->norm, in->eps};
        launch_rms_norm(&rows, count, hidden, backend->scratch, backend->stream);
        for (int i = 0; i < 3; i++) {
            struct device_product product = products[i];
            product.out += (int64_t)t * product.matrix.rows;
            product.first = i > 0 ? backend->first : NULL;
            multiply(backend, &product, &normed, count, n);
        }
    }
    launch_rope(products[0].out, rope, rope->heads, false, n, backend->stream);
    launch_rope(products[1].out, rope, rope->kv_heads, true, n, backend->stream);
}

static void project_qkv(struct backend *base, const struct qkv_weights *weights, struct slice in,
                        struct slice table, struct attention_shape shape, int first, int n,
                        struct slice q, struct slice keys, struct slice values)
{
    struct cuda_backend *backend = cuda_backend_of(base);
    const struct device_product products[3] = {
        product_of(weights->q, weights->q_bias, slice_values(q)),
        product_of(weights->k, weights->k_bias, slice_values(keys)),
        product_of(weights->v, weights->v_bias, slice_values(values)),
    };
    const struct device_input rows = {slice_values(in), slice_values(weights->norm), weights->eps};
    const struct device_rope place = {slice_values(table), backend->first, 0,
                                      shape.heads,         shape.kv_heads, shape.head_dim};

    if (!works(backend))
        return;
    place_set(backend, first);
    if (is_fused(backend, products, 3, n))
        launch_qkv(products, &rows, &place, n, backend->stream);
    else
        project_apart(backend, products, &rows, &place, n);
    device_check(backend, cudaSuccess);
}

static void gate_apart(struct cuda_backend *backend, const struct device_product products[2],
                       const struct device_input *in, int n)
{
    const int hidden = products[0].matrix.cols, inner = products[0].matrix.rows;
    const int at_once = tokens_at_once(backend, (int64_t)hidden + inner, n);
    float *normed = backend->scratch, *above = normed + (int64_t)at_once * hidden;
    const struct device_input inputs = {normed, NULL, 0.0f};

    for (int t = 0; at_once > 0 && t < n; t += at_once) {
        const int count = n - t < at_once ? n - t : at_once;
        const struct device_input rows = {in->x + (int64_t)t * hidden, in->norm, in->eps};
        struct device_product gate = products[0], up = products[1];
        gate.out += (int64_t)t * inner;
        up.out = above;
        launch_rms_norm(&rows, count, hidden, normed, backend->stream);
        multiply(backend, &gate, &inputs, count, n);
        multiply(backend, &up, &inputs, count, n);
        launch_silu_mul(gate.out, above, (int64_t)count * inner, backend->stream);
    }
}

static void gate_up(struct backend *base, const struct gate_up_weights *weights, struct slice in,
                    int n, struct slice out)
{
    struct cuda_backend *backend = cuda_backend_of(base);
    const struct slice none = {};
    const struct device_product products[2] = {product_of(weights->gate, none, slice_values(out)),
                                               product_of(weights->up, none, NULL)};
    const struct device_input rows = {slice_values(in), slice_values(weights->norm), weights->eps};

    if (!works(backend))
        return;
    if (is_fused(backend, products, 2, n))
        launch_gate_up(products, &rows, n, backend->stream);
    else
        gate_apart(backend, products, &rows, n);
    device_check(backend, cudaSuccess);
}

/* --- the backend ------------------------------------------------------------------------------------------------------ */

static void describe(const struct backend *base, struct backend_info *info)
{
    const struct cuda_backend *backend = (const struct cuda_backend *)base;

    info->device = "cuda";
    info->hardware = backend->device.name;
    info->kernels = backend->kernels;
    info->is_exact = backend->is_exact;
    info->peak_bytes_per_second = backend->device.peak_bytes_per_second;
    info->memory_bytes = backend->block_bytes;
}

/* Milliseconds that one reading of all pieces takes; below 0 after a failure. */
static float reading_ms(struct cuda_backend *backend, const cudaEvent_t marks[2])
{
    float ms = -1.0f;
    cudaError_t error = cudaEventRecord(marks[0], backend->stream);

    for (int i = 0; i < backend->piece_count; i++)
        launch_read(backend->pieces[i].memory, (int64_t)backend->pieces[i].used,
                    (uint32_t *)backend->scratch, backend->stream);
    if (error == cudaSuccess)
        error = cudaEventRecord(marks[1], backend->stream);
    if (error == cudaSuccess)
        error = cudaEventSynchronize(marks[1]);
    if (error == cudaSuccess)
        error = cudaEventElapsedTime(&ms, marks[0], marks[1]);
    return device_check(backend, error) ? ms : -1.0f;
}

static int compare_floats(const void *left, const void *right)
{
    const float a = *(const float *)left, b = *(const float *)right;

    return (a > b) - (a < b);
}

/* Reads what is there, a model's weights mostly; nothing is taken for it. */
static double read_bandwidth(struct backend *base)
{
    struct cuda_backend *backend = cuda_backend_of(base);
    float ms[BANDWIDTH_READINGS] = {0};
    cudaEvent_t marks[2] = {};
    int64_t bytes = 0;

    if (!works(backend))
        return 0.0;
    for (int i = 0; i < backend->piece_count; i++)
        bytes += (int64_t)backend->pieces[i].used;
    cudaError_t error = cudaEventCreate(&marks[0]);
    if (error == cudaSuccess)
        error = cudaEventCreate(&marks[1]);
    for (int i = 0; i < BANDWIDTH_READINGS && device_check(backend, error); i++)
        ms[i] = reading_ms(backend, marks);
    for (int i = 0; i < 2; i++)
        if (marks[i])
            cudaEventDestroy(marks[i]);
    qsort(ms, BANDWIDTH_READINGS, sizeof *ms, compare_floats);
    return works(backend) && ms[BANDWIDTH_READINGS / 2] > 0.0f
               ? (double)bytes / (double)ms[BANDWIDTH_READINGS / 2] * 1e3
               : 0.0;
}

static void destroy(struct backend *base)
{
    struct cuda_backend *backend = cuda_backend_of(base);

    if (!backend)
        return;
    if (backend->stream)
        cudaStreamSynchronize(backend->stream);
    graph_finish(backend);
    memory_finish(backend);
    if (backend->stream)
        cudaStreamDestroy(backend->stream);
    free(backend);
}

static const struct ops *table(void)
{
    static struct ops ops;

    ops.name = "cuda";
    ops.destroy = destroy;
    ops.describe = describe;
    ops.read_bandwidth = read_bandwidth;
    ops.buffer_create = buffer_create;
    ops.buffer_destroy = buffer_destroy;
    ops.write = buffer_write;
    ops.read = buffer_read;
    ops.matrix_create = cuda_matrix_create;
    ops.matrix_destroy = cuda_matrix_destroy;
    ops.matrix_bytes = cuda_matrix_held_bytes;
    ops.embed = embed;
    ops.rms_norm = rms_norm;
    ops.matmul = matmul;
    ops.rope = rope;
    ops.attention = attention;
    ops.silu_mul = silu_mul;
    ops.project_qkv = project_qkv;
    ops.gate_up = gate_up;
    ops.likeliest = likeliest;
    ops.part_begin = cuda_part_begin;
    ops.part_end = cuda_part_end;
    return &ops;
}

/* The stream and the workspace. */
static bool init(struct cuda_backend *backend)
{
    if (!device_check(backend,
                      cudaStreamCreateWithFlags(&backend->stream, cudaStreamNonBlocking)) ||
        !memory_init(backend) || !graph_init(backend))
        return false;
    backend->scratch = (float *)block_create(backend, SCRATCH_BYTES);
    backend->first = (int *)block_create(backend, sizeof *backend->first);
    backend->first_value = -1;
    backend->block_bytes = cuda_workspace_bytes(); /* as plans count it */
    return backend->scratch && backend->first;
}

extern "C" struct backend *cuda_backend_create(bool exact, int64_t memory_bytes,
                                               char problem[BACKEND_PROBLEM_BYTES])
{
    struct cuda_backend *backend = (struct cuda_backend *)calloc(1, sizeof *backend);

    if (!backend) {
        snprintf(problem, BACKEND_PROBLEM_BYTES, "not enough memory for a backend");
        return NULL;
    }
    backend->base.ops = table();
    backend->is_exact = exact;
    backend->limit_bytes = memory_bytes;
    if (cuda_device_find(&backend->device, problem)) {
        snprintf(backend->kernels, sizeof backend->kernels, "sm_%d%d", backend->device.major,
                 backend->device.minor);
        if (init(backend))
            return &backend->base;
        snprintf(problem, BACKEND_PROBLEM_BYTES, "%s", backend_problem(&backend->base));
    }
    destroy(&backend->base);
    return NULL;
}
