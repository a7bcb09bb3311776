/* The two fused operations: what stands between the residual stream and attention, and what stands before the MLP's last
 * product. Products of one input are one loop for the threads, so a layer takes half as many. The norm goes to scratch. */
#include "kernels/cpu/cpu_backend.h"

static bool normed_reserve(struct cpu_backend *backend, int n, int64_t hidden)
{
    return scratch_reserve(backend, &backend->normed, (size_t)n * (size_t)hidden * sizeof(float));
}

static const float *bias_values(struct slice bias)
{
    return bias.buffer ? slice_values(bias) : NULL;
}

void cpu_project_qkv(struct backend *base, const struct qkv_weights *weights, struct slice in,
                     struct slice table, struct attention_shape shape, int first, int n,
                     struct slice q, struct slice keys, struct slice values)
{
    struct cpu_backend *backend = cpu_backend_of(base);
    const size_t row = (size_t)first * (size_t)shape.kv_heads * (size_t)shape.head_dim;
    const struct slice k = slice_at(keys.buffer, keys.offset + row);
    const struct slice v = slice_at(values.buffer, values.offset + row);
    const int64_t hidden = weights->q->cols;

    if (!normed_reserve(backend, n, hidden))
        return;
    const struct cpu_product products[] = {
        {weights->q, bias_values(weights->q_bias), slice_values(q), false},
        {weights->k, bias_values(weights->k_bias), slice_values(k), false},
        {weights->v, bias_values(weights->v_bias), slice_values(v), false},
    };
    float *normed = backend->normed.bytes;
    norm_rows(backend, slice_values(in), slice_values(weights->norm), weights->eps, n, (int)hidden,
              normed);
    cpu_multiply(backend, products, 3, normed, n);
    cpu_rope(base, q, table, first, n, shape.heads, shape.head_dim);
    cpu_rope(base, k, table, first, n, shape.kv_heads, shape.head_dim);
}

/* Two matrices that are held differently: their products one after the other. */
static void gate_apart(struct cpu_backend *backend, struct cpu_product products[2],
                       const float *normed, int n)
{
    const size_t count = (size_t)n * (size_t)products[1].matrix->rows;

    if (!scratch_reserve(backend, &backend->up, count * sizeof(float)))
        return;
    products[1].out = backend->up.bytes;
    cpu_multiply(backend, products, 2, normed, n);
    backend->isa->silu_mul(products[0].out, products[1].out, (int64_t)count);
}

void cpu_gate_up(struct backend *base, const struct gate_up_weights *weights, struct slice in,
                 int n, struct slice out)
{
    struct cpu_backend *backend = cpu_backend_of(base);
    const int64_t hidden = weights->gate->cols;

    if (!normed_reserve(backend, n, hidden))
        return;
    struct cpu_product products[2] = {
        {weights->gate, NULL, slice_values(out), false},
        {weights->up, NULL, NULL, false},
    };
    float *normed = backend->normed.bytes;
    norm_rows(backend, slice_values(in), slice_values(weights->norm), weights->eps, n, (int)hidden,
              normed);
    if (!cpu_multiply_gated(backend, products, normed, n))
        gate_apart(backend, products, normed, n);
}
