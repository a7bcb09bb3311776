/* What all backends share: their status and how it reads to a user. */
#include "kernels/kernels.h"

#include <stdio.h>

enum backend_status backend_status(const struct backend *backend)
{
    return backend->status;
}

const char *backend_status_text(enum backend_status status)
{
    switch (status) {
    case BACKEND_OK:
        return "no failure";
    case BACKEND_OUT_OF_MEMORY:
        return "not enough memory on the computing device; use a smaller --context or model";
    case BACKEND_DEVICE_LOST:
        return "the computing device stopped answering; restart hxqd or use --device cpu";
    }
    return "unknown failure";
}

const char *backend_problem(const struct backend *backend)
{
    return backend->problem[0] ? backend->problem : backend_status_text(backend->status);
}

void backend_describe(const struct backend *backend, struct backend_info *info)
{
    *info = (struct backend_info){0};
    backend->ops->describe(backend, info);
}

/* --- CUDA ------------------------------------------------------------------------------------------------------------- */

/* Allocations are cut from large pieces, each at a multiple of this. */
enum { CUDA_ALIGNMENT = 256, CUDA_WORKSPACE = 32 << 20 };

static int64_t aligned(int64_t bytes)
{
    return (bytes + CUDA_ALIGNMENT - 1) / CUDA_ALIGNMENT * CUDA_ALIGNMENT;
}

/* Indices and codebook, and of the sidecar a start per row, a column and a difference per entry. */
int64_t cuda_matrix_bytes(int64_t rows, int64_t cols, enum dtype dtype, int codebook_size,
                          int64_t sidecar_count)
{
    if (codebook_size == 0)
        return aligned(rows * cols * (int64_t)dtype_bytes(dtype));
    return aligned(rows * cols) + aligned(256 * (int64_t)sizeof(float)) +
           aligned((rows + 1) * (int64_t)sizeof(int32_t)) +
           aligned(sidecar_count * (int64_t)sizeof(int32_t)) +
           aligned(sidecar_count * (int64_t)sizeof(float));
}

int64_t cuda_buffer_bytes(size_t count)
{
    return aligned((int64_t)(count * sizeof(float)));
}

int64_t cuda_workspace_bytes(void)
{
    return CUDA_WORKSPACE;
}

#ifndef KERNELS_CUDA
static const char not_built[] = "this build has no CUDA backend";

bool cuda_device_find(struct cuda_device *device, char problem[BACKEND_PROBLEM_BYTES])
{
    *device = (struct cuda_device){0};
    snprintf(problem, BACKEND_PROBLEM_BYTES, "%s", not_built);
    return false;
}

struct backend *cuda_backend_create(bool exact, int64_t memory_bytes,
                                    char problem[BACKEND_PROBLEM_BYTES])
{
    (void)exact;
    (void)memory_bytes;
    snprintf(problem, BACKEND_PROBLEM_BYTES, "%s", not_built);
    return NULL;
}
#endif
