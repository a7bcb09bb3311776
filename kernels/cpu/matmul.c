/* Matrix products over HXQ and dense weights.
 *
 * Threads share the rows of the matrix, ISA_TILE_ROWS at a time. For a few inputs the instruction set multiplies straight from
 * the indices; for many, a member expands its rows into scratch that stays in its cache and multiplies them with every input
 * there. Either way the compressed form is what travels from memory, once, and every sum is made in the same order.
 *
 * Exceptions of a row come last: the sum of their deltas times the float32 inputs is added to the row's result. */
#include "kernels/cpu/cpu_backend.h"

struct matmul {
    struct cpu_backend *backend;
    const struct matrix *matrix;
    const struct number_format *format;
    const float *in;    /* [n, cols] */
    const void *packed; /* [n, stride] in the format */
    int64_t stride;
    const float *bias; /* [rows] or NULL */
    float *out;        /* [n, rows] */
    bool accumulate;
    int n;
};

static size_t round_up(size_t value, size_t step)
{
    return (value + step - 1) / step * step;
}

/* Bytes of an expanded row. */
static size_t row_bytes(const struct matrix *matrix, const struct number_format *format)
{
    return round_up((size_t)matrix->cols, ISA_EXPAND_STEP) * format->bytes;
}

/* Whether a dense matrix holds its rows as the format wants them. */
static bool is_direct(const struct matrix *matrix, const struct number_format *format)
{
    return !matrix->compressed && matrix->dtype == (format->bytes == 2 ? DTYPE_BF16 : DTYPE_F32);
}

static const void *table_of(const struct matmul *job)
{
    return job->format == job->backend->isa->fast ? job->matrix->fast_table
                                                  : job->matrix->exact_table;
}

/* Rows as the format wants them, in place or expanded into scratch. */
static void find_rows(const struct matmul *job, int64_t base, unsigned char *scratch,
                      const void *rows[ISA_TILE_ROWS])
{
    const struct matrix *matrix = job->matrix;
    const size_t item = matrix->compressed ? 1 : dtype_bytes(matrix->dtype);
    const int64_t last = matrix->rows - 1;

    for (int r = 0; r < ISA_TILE_ROWS; r++) {
        const int64_t row = base + r < last ? base + r : last;
        const unsigned char *data = matrix->data + (size_t)(row * matrix->cols) * item;
        unsigned char *expanded = scratch + (size_t)r * row_bytes(matrix, job->format);
        rows[r] = is_direct(matrix, job->format) ? (const void *)data : expanded;
        if (matrix->compressed)
            job->format->expand(table_of(job), data, matrix->cols, expanded);
        else if (rows[r] == expanded)
            job->backend->isa->widen(matrix->dtype, data, (float *)expanded, (size_t)matrix->cols);
    }
}

/* sums [n, ISA_TILE_ROWS] of the rows from `base` on. */
static void multiply(const struct matmul *job, int64_t base, unsigned char *scratch, float *sums)
{
    const struct matrix *matrix = job->matrix;
    const void *rows[ISA_TILE_ROWS];

    if (matrix->compressed && job->format->multiply && job->n <= ISA_DIRECT_MAX &&
        base + ISA_TILE_ROWS <= matrix->rows) {
        const uint8_t *indices[ISA_TILE_ROWS];
        for (int r = 0; r < ISA_TILE_ROWS; r++)
            indices[r] = matrix->data + (base + r) * matrix->cols;
        job->format->multiply(table_of(job), indices, job->packed, job->stride, matrix->cols,
                              job->n, sums);
        return;
    }
    find_rows(job, base, scratch, rows);
    job->format->tile(rows, job->packed, job->stride, matrix->cols, job->n,
                      is_direct(matrix, job->format), sums);
}

/* What the exceptions of a row add for one input. */
static float exceptions(const struct matrix *matrix, int64_t row, const float *in)
{
    const struct sidecar_rows *sidecar = &matrix->sidecar;
    float sum = 0.0f;

    for (int64_t i = sidecar->starts[row]; i < sidecar->starts[row + 1]; i++)
        sum += sidecar->deltas[i] * in[sidecar->columns[i]];
    return sum;
}

/* Adds exceptions, bias and what the output held. */
static void finish_row(const struct matmul *job, int64_t row, const float *sums)
{
    const struct matrix *matrix = job->matrix;
    const bool has_exceptions =
        matrix->compressed && matrix->sidecar.starts[row] < matrix->sidecar.starts[row + 1];

    for (int t = 0; t < job->n; t++) {
        float *out = job->out + t * matrix->rows + row;
        float sum = sums[t * ISA_TILE_ROWS];
        if (has_exceptions)
            sum += exceptions(matrix, row, job->in + t * matrix->cols);
        if (job->bias)
            sum += job->bias[row];
        *out = job->accumulate ? *out + sum : sum;
    }
}

static void matmul_rows(void *argument, int member, int64_t first, int64_t last)
{
    const struct matmul *job = argument;
    unsigned char *scratch = job->backend->members[member].bytes;
    float *sums = (float *)(scratch + ISA_TILE_ROWS * row_bytes(job->matrix, job->format));

    for (int64_t tile = first; tile < last; tile++) {
        const int64_t base = tile * ISA_TILE_ROWS;
        multiply(job, base, scratch, sums);
        for (int r = 0; r < ISA_TILE_ROWS && base + r < job->matrix->rows; r++)
            finish_row(job, base + r, sums + r);
    }
}

/* The 16-bit format where it is wanted and loses nothing more than it must. */
static const struct number_format *choose_format(const struct cpu_backend *backend,
                                                 const struct matrix *matrix)
{
    const bool suits = matrix->compressed || matrix->dtype == DTYPE_BF16;

    return backend->isa->fast && !backend->is_exact && suits ? backend->isa->fast
                                                             : backend->isa->exact;
}

/* Brings the inputs into the format; float32 stays where it is. */
static bool pack_inputs(struct matmul *job)
{
    const int64_t cols = job->matrix->cols;

    job->packed = job->in;
    job->stride = cols;
    if (!job->format->pack)
        return true;

    job->stride = (int64_t)round_up((size_t)cols, ISA_EXPAND_STEP);
    const size_t bytes = (size_t)job->stride * job->format->bytes;
    if (!scratch_reserve(job->backend, &job->backend->packed, (size_t)job->n * bytes))
        return false;
    unsigned char *packed = job->backend->packed.bytes;
    for (int t = 0; t < job->n; t++)
        job->format->pack(job->in + t * cols, cols, packed + (size_t)t * bytes);
    job->packed = packed;
    return true;
}

void cpu_matmul(struct backend *base, const struct matrix *matrix, struct slice in,
                struct slice bias, bool accumulate, int n, struct slice out)
{
    struct cpu_backend *backend = cpu_backend_of(base);
    struct matmul job = {
        .backend = backend,
        .matrix = matrix,
        .format = choose_format(backend, matrix),
        .in = slice_values(in),
        .bias = bias.buffer ? slice_values(bias) : NULL,
        .out = slice_values(out),
        .accumulate = accumulate,
        .n = n,
    };
    const size_t scratch =
        ISA_TILE_ROWS * row_bytes(matrix, job.format) + ISA_TILE_ROWS * (size_t)n * sizeof(float);

    if (members_reserve(backend, scratch) && pack_inputs(&job))
        threads_run(backend->threads, matmul_rows, &job,
                    (matrix->rows + ISA_TILE_ROWS - 1) / ISA_TILE_ROWS, 1);
}
