/* Memory, matrices and the table of operations of the CPU backend. Operations run at once, so there is no queue: `read`
 * only copies. */
#include "kernels/cpu/cpu_backend.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { NARROW_GRAIN = 64 }; /* rows that a thread is woken for */

bool scratch_reserve(struct cpu_backend *backend, struct scratch *scratch, size_t size)
{
    if (backend->base.status != BACKEND_OK)
        return false;
    if (size <= scratch->size)
        return true;

    size = (size + CPU_ALIGNMENT - 1) / CPU_ALIGNMENT * CPU_ALIGNMENT;
    free(scratch->bytes);
    scratch->bytes = aligned_alloc(CPU_ALIGNMENT, size);
    scratch->size = scratch->bytes ? size : 0;
    if (!scratch->bytes)
        backend->base.status = BACKEND_OUT_OF_MEMORY;
    return scratch->bytes != NULL;
}

bool members_reserve(struct cpu_backend *backend, size_t size)
{
    for (int i = 0; i < threads_count(backend->threads); i++)
        if (!scratch_reserve(backend, &backend->members[i], size))
            return false;
    return true;
}

static void destroy(struct backend *base)
{
    if (!base)
        return;

    struct cpu_backend *backend = cpu_backend_of(base);
    threads_destroy(backend->threads);
    for (int i = 0; i < THREADS_MAX; i++)
        free(backend->members[i].bytes);
    free(backend->packed.bytes);
    free(backend->normed.bytes);
    free(backend->up.bytes);
    free(backend);
}

static void describe(const struct backend *base, struct backend_info *info)
{
    const struct cpu_backend *backend = (const struct cpu_backend *)base;

    *info = (struct backend_info){
        .device = "cpu",
        .hardware = "",
        .kernels = backend->isa->name,
        .threads = threads_count(backend->threads),
        .is_exact = backend->is_exact || !backend->isa->fast,
        .borrows = true,
    };
}

static struct buffer *buffer_create(struct backend *backend, size_t count)
{
    struct buffer *buffer = NULL;

    /* fresh pages from the system are zero and cost nothing until they are touched */
    if (count <= (SIZE_MAX / 2 - sizeof *buffer) / sizeof(float))
        buffer = mmap(NULL, sizeof *buffer + count * sizeof(float), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!buffer || buffer == MAP_FAILED) {
        backend->status = BACKEND_OUT_OF_MEMORY;
        return NULL;
    }
    buffer->count = count;
    return buffer;
}

static void buffer_destroy(struct buffer *buffer)
{
    if (buffer)
        munmap(buffer, sizeof *buffer + buffer->count * sizeof(float));
}

static void write_values(struct backend *backend, struct slice to, const float *from, size_t count)
{
    if (backend->status == BACKEND_OK)
        memcpy(slice_values(to), from, count * sizeof *from);
}

static void read_values(struct backend *backend, struct slice from, float *to, size_t count)
{
    if (backend->status == BACKEND_OK)
        memcpy(to, slice_values(from), count * sizeof *to);
}

static void matrix_destroy(struct matrix *matrix)
{
    if (!matrix)
        return;
    sidecar_rows_finish(&matrix->sidecar);
    free(matrix->owned);
    free(matrix);
}

/* Narrowing of a dense float32 matrix whose numbers all are bfloat16. */
struct narrowing {
    const struct matrix *matrix;
    uint16_t *halves;     /* [rows, cols] */
    atomic_bool is_lossy; /* some number is not */
};

static void narrow_rows(void *argument, int member, int64_t first, int64_t last)
{
    struct narrowing *job = argument;
    const int64_t cols = job->matrix->cols;
    uint32_t lost = 0;

    (void)member;
    for (int64_t row = first; row < last && !atomic_load(&job->is_lossy); row++) {
        const unsigned char *source = job->matrix->data + (size_t)(row * cols) * sizeof lost;
        for (int64_t i = 0; i < cols; i++) {
            uint32_t bits;
            memcpy(&bits, source + (size_t)i * sizeof bits, sizeof bits);
            lost |= bits & 0xffff;
            job->halves[row * cols + i] = (uint16_t)(bits >> 16);
        }
        if (lost)
            atomic_store(&job->is_lossy, true);
    }
}

/* Some checkpoints store the embedding in float32 although it was trained in bfloat16: half the bytes say the same. */
static bool narrow(struct cpu_backend *backend, struct matrix *matrix)
{
    struct narrowing job = {
        .matrix = matrix,
        .halves = malloc((size_t)(matrix->rows * matrix->cols) * sizeof *job.halves),
    };
    if (!job.halves)
        return false;

    threads_run(backend->threads, narrow_rows, &job, matrix->rows, NARROW_GRAIN);
    if (atomic_load(&job.is_lossy)) {
        free(job.halves);
        return true;
    }
    matrix->owned = job.halves;
    matrix->data = (const unsigned char *)job.halves;
    matrix->dtype = DTYPE_BF16;
    return true;
}

static struct matrix *matrix_create(struct backend *backend, const struct matrix_source *source)
{
    struct matrix *matrix = calloc(1, sizeof *matrix);
    if (!matrix)
        goto exhausted;

    matrix->rows = source->rows;
    matrix->cols = source->cols;
    matrix->dtype = source->dtype;
    matrix->data = source->data;
    matrix->compressed = source->codebook != NULL;
    if (matrix->compressed) {
        memcpy(matrix->codebook, source->codebook,
               (size_t)source->codebook_size * sizeof *source->codebook);
        const struct isa *isa = cpu_backend_of(backend)->isa;
        isa->exact->prepare(matrix->codebook, matrix->exact_table);
        if (isa->fast)
            isa->fast->prepare(matrix->codebook, matrix->fast_table);
        if (!sidecar_rows_init(&matrix->sidecar, source))
            goto exhausted;
    }
    if (!matrix->compressed && matrix->dtype == DTYPE_F32 &&
        !narrow(cpu_backend_of(backend), matrix))
        goto exhausted;
    return matrix;

exhausted:
    backend->status = BACKEND_OUT_OF_MEMORY;
    matrix_destroy(matrix);
    return NULL;
}

void matrix_expand_row(const struct matrix *matrix, int64_t row, float *values)
{
    const int64_t first = row * matrix->cols;

    if (matrix->compressed)
        hxq_expand_row(matrix->data + first, matrix->codebook, &matrix->sidecar, row, matrix->cols,
                       values);
    else
        dtype_widen(matrix->dtype, matrix->data + (size_t)first * dtype_bytes(matrix->dtype),
                    values, (size_t)matrix->cols);
}

static const struct ops cpu_ops = {
    .name = "cpu",
    .destroy = destroy,
    .describe = describe,
    .read_bandwidth = cpu_read_bandwidth,
    .buffer_create = buffer_create,
    .buffer_destroy = buffer_destroy,
    .write = write_values,
    .read = read_values,
    .matrix_create = matrix_create,
    .matrix_destroy = matrix_destroy,
    .embed = cpu_embed,
    .rms_norm = cpu_rms_norm,
    .matmul = cpu_matmul,
    .rope = cpu_rope,
    .attention = cpu_attention,
    .silu_mul = cpu_silu_mul,
    .project_qkv = cpu_project_qkv,
    .gate_up = cpu_gate_up,
};

struct backend *cpu_backend_create(int threads, bool exact)
{
    struct cpu_backend *backend = calloc(1, sizeof *backend);
    if (!backend)
        return NULL;

    backend->base.ops = &cpu_ops;
    backend->isa = isa_choose();
    backend->is_exact = exact;
    backend->threads = threads_create(threads);
    if (!backend->threads) {
        free(backend);
        return NULL;
    }
    return &backend->base;
}
