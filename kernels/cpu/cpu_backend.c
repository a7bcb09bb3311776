/* Memory and the table of operations of the CPU backend. Operations run at once, so there is no queue: `read`
 * only copies. */
#include "kernels/cpu/cpu_backend.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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
    arena_finish(&backend->weights);
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
        .is_host = true,
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

static const struct ops cpu_ops = {
    .name = "cpu",
    .destroy = destroy,
    .describe = describe,
    .read_bandwidth = cpu_read_bandwidth,
    .buffer_create = buffer_create,
    .buffer_destroy = buffer_destroy,
    .write = write_values,
    .read = read_values,
    .matrix_create = cpu_matrix_create,
    .matrix_destroy = cpu_matrix_destroy,
    .matrix_bytes = cpu_matrix_bytes,
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
