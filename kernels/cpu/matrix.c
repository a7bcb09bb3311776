/* Weights in tiles: rows that are multiplied together stand step by step behind one another, so that a product reads memory
 * front to back. That gets a tenth more out of the bus than rows read side by side where a file maps them, for long rows a
 * third; and the file may go. Ends of rows and of the last tile are zeros, so no product has to look out for them.
 *
 * Some checkpoints store the embedding in float32 although it was trained in bfloat16: half the bytes say the same. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu/cpu_backend.h"

enum { FILL_GRAIN = 64 }; /* rows that a thread is woken for */

/* Work of the team on the rows of a matrix. */
struct filling {
    const struct matrix *matrix;
    const struct matrix_source *source;
    size_t source_bytes;  /* of one number */
    unsigned char *tiles; /* zeros */
    atomic_bool is_lossy; /* some float32 number is more than a bfloat16 */
};

static const unsigned char *source_row(const struct filling *job, int64_t row)
{
    return (const unsigned char *)job->source->data +
           (size_t)(row * job->source->cols) * job->source_bytes;
}

/* Looks at the lower halves of float32 numbers. */
static void look_for_loss(void *argument, int member, int64_t first, int64_t last)
{
    struct filling *job = argument;
    const size_t bytes = (size_t)job->source->cols * job->source_bytes;

    (void)member;
    for (int64_t row = first; row < last && !atomic_load(&job->is_lossy); row++) {
        const unsigned char *from = source_row(job, row);
        uint32_t lost = 0;
        for (size_t i = 0; i < bytes; i += sizeof lost) {
            uint32_t bits;
            memcpy(&bits, from + i, sizeof bits);
            lost |= bits & 0xffff;
        }
        if (lost)
            atomic_store(&job->is_lossy, true);
    }
}

/* Upper halves of float32 numbers. */
static void narrow(const unsigned char *from, int64_t count, unsigned char *to)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, from + (size_t)i * sizeof bits, sizeof bits);
        const uint16_t half = (uint16_t)(bits >> 16);
        memcpy(to + (size_t)i * sizeof half, &half, sizeof half);
    }
}

static void fill_rows(void *argument, int member, int64_t first, int64_t last)
{
    const struct filling *job = argument;
    const struct matrix *matrix = job->matrix;

    (void)member;
    for (int64_t row = first; row < last; row++) {
        const unsigned char *from = source_row(job, row);
        for (int64_t col = 0; col < matrix->cols; col += ISA_STEP) {
            const int64_t count = matrix->cols - col < ISA_STEP ? matrix->cols - col : ISA_STEP;
            unsigned char *to = job->tiles + matrix_offset(matrix, row, col);
            if (job->source_bytes != matrix->number_bytes)
                narrow(from + (size_t)col * job->source_bytes, count, to);
            else
                memcpy(to, from + (size_t)col * job->source_bytes,
                       (size_t)count * job->source_bytes);
        }
    }
}

/* Brings the numbers into tiles; false when memory is exhausted. */
static bool fill(struct cpu_backend *backend, struct matrix *matrix,
                 const struct matrix_source *source)
{
    struct filling job = {
        .matrix = matrix,
        .source = source,
        .source_bytes = source->codebook ? 1 : dtype_bytes(source->dtype),
    };

    matrix->number_bytes = job.source_bytes;
    if (!matrix->compressed && matrix->dtype == DTYPE_F32) {
        threads_run(backend->threads, look_for_loss, &job, matrix->rows, FILL_GRAIN);
        if (!atomic_load(&job.is_lossy)) {
            matrix->dtype = DTYPE_BF16;
            matrix->number_bytes = dtype_bytes(DTYPE_BF16);
        }
    }
    job.tiles = arena_take(&backend->weights, (size_t)cpu_matrix_bytes(matrix));
    if (!job.tiles)
        return false;
    threads_run(backend->threads, fill_rows, &job, matrix->rows, FILL_GRAIN);
    matrix->tiles = job.tiles;
    return true;
}

struct matrix *cpu_matrix_create(struct backend *base, const struct matrix_source *source)
{
    struct cpu_backend *backend = cpu_backend_of(base);
    struct matrix *matrix = calloc(1, sizeof *matrix);
    if (!matrix)
        goto exhausted;

    matrix->rows = source->rows;
    matrix->cols = source->cols;
    matrix->steps = (source->cols + ISA_STEP - 1) / ISA_STEP;
    matrix->dtype = source->dtype;
    matrix->compressed = source->codebook != NULL;
    if (!fill(backend, matrix, source))
        goto exhausted;
    if (matrix->compressed) {
        memcpy(matrix->codebook, source->codebook,
               (size_t)source->codebook_size * sizeof *source->codebook);
        backend->isa->exact->prepare(matrix->codebook, matrix->exact_table);
        if (backend->isa->fast)
            backend->isa->fast->prepare(matrix->codebook, matrix->fast_table);
        if (!sidecar_rows_init(&matrix->sidecar, source))
            goto exhausted;
    }
    return matrix;

exhausted:
    base->status = BACKEND_OUT_OF_MEMORY;
    cpu_matrix_destroy(matrix);
    return NULL;
}

void cpu_matrix_destroy(struct matrix *matrix)
{
    if (!matrix)
        return;
    sidecar_rows_finish(&matrix->sidecar);
    free(matrix);
}

int64_t cpu_matrix_bytes(const struct matrix *matrix)
{
    return (int64_t)matrix_offset(matrix, matrix_tiles(matrix) * ISA_TILE_ROWS, 0);
}

void matrix_expand_row(const struct matrix *matrix, int64_t row, float *values)
{
    for (int64_t col = 0; col < matrix->cols; col += ISA_STEP) {
        const int64_t count = matrix->cols - col < ISA_STEP ? matrix->cols - col : ISA_STEP;
        const unsigned char *step = matrix->tiles + matrix_offset(matrix, row, col);
        if (!matrix->compressed)
            dtype_widen(matrix->dtype, step, values + col, (size_t)count);
        else
            for (int64_t i = 0; i < count; i++)
                values[col + i] = matrix->codebook[step[i]];
    }
    if (!matrix->compressed)
        return;
    const struct sidecar_rows *sidecar = &matrix->sidecar;
    for (int64_t i = sidecar->starts[row]; i < sidecar->starts[row + 1]; i++)
        values[sidecar->columns[i]] = sidecar->values[i];
}
