/* The small operations between the products: embedding rows, RMS norm, rotary positions, SiLU. Each touches every value
 * once; only SiLU is worth sharing among threads. */
#include "kernels/cpu/cpu_backend.h"

#include <math.h>

enum { SILU_GRAIN = 8192 }; /* values that a thread is woken for */

void cpu_embed(struct backend *backend, const struct matrix *matrix, const int32_t *ids, int n,
               struct slice out)
{
    if (backend->status != BACKEND_OK)
        return;
    for (int i = 0; i < n; i++)
        matrix_expand_row(matrix, ids[i], slice_values(out) + i * matrix->cols);
}

void cpu_rms_norm(struct backend *backend, struct slice in, struct slice weight, float eps, int n,
                  int d, struct slice out)
{
    if (backend->status != BACKEND_OK)
        return;
    for (int row = 0; row < n; row++) {
        const float *x = slice_values(in) + (size_t)row * (size_t)d;
        const float *w = slice_values(weight);
        float *y = slice_values(out) + (size_t)row * (size_t)d;
        const float scale =
            1.0f / sqrtf(cpu_backend_of(backend)->isa->dot(x, x, d) / (float)d + eps);

        for (int i = 0; i < d; i++)
            y[i] = x[i] * scale * w[i];
    }
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

void cpu_rope(struct backend *backend, struct slice x, struct slice table, int first, int n,
              int heads, int head_dim)
{
    if (backend->status != BACKEND_OK)
        return;
    for (int row = 0; row < n; row++) {
        const float *angles = slice_values(table) + (size_t)(first + row) * (size_t)head_dim;
        for (int head = 0; head < heads; head++)
            rotate(slice_values(x) +
                       ((size_t)row * (size_t)heads + (size_t)head) * (size_t)head_dim,
                   angles, angles + head_dim / 2, head_dim / 2);
    }
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
