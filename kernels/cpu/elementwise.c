/* The small operations between the products: embedding rows, RMS norm, rotary positions, SiLU. Each touches every value
 * once; threads share them only where there are many rows. */
#include "kernels/cpu/cpu_backend.h"

#include <math.h>

enum {
    SILU_GRAIN = 8192, /* values that a thread is woken for */
    ROWS_GRAIN = 8,    /* rows, of a norm or of positions */
};

void cpu_embed(struct backend *backend, const struct matrix *matrix, const int32_t *ids, int n,
               struct slice out)
{
    if (backend->status != BACKEND_OK)
        return;
    for (int i = 0; i < n; i++)
        matrix_expand_row(matrix, ids[i], slice_values(out) + i * matrix->cols);
}

struct norm {
    const struct isa *isa;
    const float *in, *weight;
    float *out;
    float eps;
    int d;
};

static void norm_some(void *argument, int member, int64_t first, int64_t last)
{
    const struct norm *job = argument;

    (void)member;
    for (int64_t row = first; row < last; row++) {
        const float *x = job->in + row * job->d;
        float *y = job->out + row * job->d;
        const float scale = 1.0f / sqrtf(job->isa->dot(x, x, job->d) / (float)job->d + job->eps);
        for (int i = 0; i < job->d; i++)
            y[i] = x[i] * scale * job->weight[i];
    }
}

void norm_rows(struct cpu_backend *backend, const float *in, const float *weight, float eps, int n,
               int d, float *out)
{
    struct norm job = {backend->isa, in, weight, out, eps, d};

    threads_run(backend->threads, norm_some, &job, n, ROWS_GRAIN);
}

void cpu_rms_norm(struct backend *backend, struct slice in, struct slice weight, float eps, int n,
                  int d, struct slice out)
{
    if (backend->status == BACKEND_OK)
        norm_rows(cpu_backend_of(backend), slice_values(in), slice_values(weight), eps, n, d,
                  slice_values(out));
}

/* Rotates one head by the angles whose cosines and sines are given [half]. */
static void rotate(float *x, const float *cosines, const float *sines, int half)
{
    for (int i = 0; i < half; i++) {
        const float a = x[i], b = x[i + half];
        x[i] = a * cosines[i] - b * sines[i];
        x[i + half] = b * cosines[i] + a * sines[i];
    }
}

struct rope {
    float *x;
    const float *table;
    int first, heads, head_dim;
};

static void rope_some(void *argument, int member, int64_t first, int64_t last)
{
    const struct rope *job = argument;
    const int half = job->head_dim / 2;

    (void)member;
    for (int64_t row = first; row < last; row++) {
        const float *angles = job->table + (job->first + row) * job->head_dim;
        for (int head = 0; head < job->heads; head++)
            rotate(job->x + (row * job->heads + head) * job->head_dim, angles, angles + half, half);
    }
}

void cpu_rope(struct backend *backend, struct slice x, struct slice table, int first, int n,
              int heads, int head_dim)
{
    struct rope job = {slice_values(x), slice_values(table), first, heads, head_dim};

    if (backend->status == BACKEND_OK)
        threads_run(cpu_backend_of(backend)->threads, rope_some, &job, n, ROWS_GRAIN);
}

struct silu_mul {
    const struct isa *isa;
    float *gate;
    const float *up;
};

static void silu_mul_values(void *argument, int member, int64_t first, int64_t last)
{
    const struct silu_mul *job = argument;

    (void)member;
    job->isa->silu_mul(job->gate + first, job->up + first, last - first);
}

void cpu_silu_mul(struct backend *backend, struct slice gate, struct slice up, size_t count)
{
    struct cpu_backend *cpu = cpu_backend_of(backend);
    struct silu_mul job = {cpu->isa, slice_values(gate), slice_values(up)};

    if (backend->status == BACKEND_OK)
        threads_run(cpu->threads, silu_mul_values, &job, (int64_t)count, SILU_GRAIN);
}
