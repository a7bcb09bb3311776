/* Matrix products over HXQ and dense weights.
 *
 * Threads share the rows of the matrix. A member expands MATMUL_ROWS rows at a time into its scratch, which stays in the
 * first-level cache, and multiplies them with every column of the input while they are there: the compressed form is what
 * travels from memory, once, however many tokens there are. Every sum runs over the columns in one fixed order, so a result
 * does not depend on the number of tokens or threads. */
#include "kernels/cpu/cpu_backend.h"

enum { MATMUL_ROWS = 4 };

/* Adds the lanes pairwise. */
static inline float lanes_sum(const float *lanes)
{
    float sums[DOT_LANES];

    for (int i = 0; i < DOT_LANES; i++)
        sums[i] = lanes[i];
    for (int width = DOT_LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            sums[i] += sums[i + width];
    return sums[0];
}

float dot(const float *a, const float *b, int64_t count)
{
    float lanes[DOT_LANES] = {0};
    int64_t i = 0;

    for (; i + DOT_LANES <= count; i += DOT_LANES)
        for (int lane = 0; lane < DOT_LANES; lane++)
            lanes[lane] += a[i + lane] * b[i + lane];
    for (int lane = 0; i + lane < count; lane++)
        lanes[lane] += a[i + lane] * b[i + lane];
    return lanes_sum(lanes);
}

struct matmul {
    struct cpu_backend *backend;
    const struct matrix *matrix;
    const float *in;   /* [n, cols] */
    const float *bias; /* [rows] or NULL */
    float *out;        /* [n, rows] */
    bool accumulate;
    int n;
};

static void matmul_rows(void *argument, int member, int64_t first, int64_t last)
{
    const struct matmul *job = argument;
    const int64_t rows = job->matrix->rows, cols = job->matrix->cols;
    float *expanded = cpu_scratch(job->backend, member);

    for (int64_t base = first; base < last; base += MATMUL_ROWS) {
        const int64_t count = last - base < MATMUL_ROWS ? last - base : MATMUL_ROWS;
        for (int64_t r = 0; r < count; r++)
            matrix_expand_row(job->matrix, base + r, expanded + r * cols);

        for (int64_t token = 0; token < job->n; token++)
            for (int64_t r = 0; r < count; r++) {
                float *out = job->out + token * rows + base + r;
                float sum = dot(expanded + r * cols, job->in + token * cols, cols);
                if (job->bias)
                    sum += job->bias[base + r];
                *out = job->accumulate ? *out + sum : sum;
            }
    }
}

void cpu_matmul(struct backend *base, const struct matrix *matrix, struct slice in,
                struct slice bias, bool accumulate, int n, struct slice out)
{
    struct cpu_backend *backend = cpu_backend_of(base);
    struct matmul job = {
        .backend = backend,
        .matrix = matrix,
        .in = slice_values(in),
        .bias = bias.buffer ? slice_values(bias) : NULL,
        .out = slice_values(out),
        .accumulate = accumulate,
        .n = n,
    };

    if (cpu_scratch_reserve(backend, (size_t)(MATMUL_ROWS * matrix->cols)))
        threads_run(backend->threads, matmul_rows, &job, matrix->rows, MATMUL_ROWS);
}
