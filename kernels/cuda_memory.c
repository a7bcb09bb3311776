/* How much of a device's memory the CUDA backend takes, in plain C: plans are made on machines without CUDA too. The backend
 * lays its memory out by the same rules; a test holds what it has taken against what this file says. */
#include "kernels/kernels.h"

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
