/* How much of a device's memory the CUDA backend takes, in plain C: plans are made on machines without CUDA too. The backend
 * lays its memory out by the same rules; a test holds what it has taken against what this file says. */
#include "kernels/kernels.h"

/* Allocations are cut from large pieces, each at a multiple of this. */
enum { CUDA_ALIGNMENT = 256, ROW_STEP = 16, CODEBOOK_MAX = 256, CUDA_WORKSPACE = 32 << 20 };

static int64_t aligned(int64_t bytes)
{
    return (bytes + CUDA_ALIGNMENT - 1) / CUDA_ALIGNMENT * CUDA_ALIGNMENT;
}

/* Rows are lengthened to whole steps of 16 columns. Beside the indices lie the codebook and, of the sidecar, a start per row
 * and a column, a value and its difference from the codebook's per entry. */
int64_t cuda_matrix_bytes(int64_t rows, int64_t cols, enum dtype dtype, int codebook_size,
                          int64_t sidecar_count)
{
    const int64_t width = codebook_size > 0 ? 1 : (int64_t)dtype_bytes(dtype);
    const int64_t data = aligned(rows * ((cols + ROW_STEP - 1) / ROW_STEP * ROW_STEP) * width);

    if (codebook_size == 0)
        return data;
    return data + aligned(CODEBOOK_MAX * (int64_t)sizeof(float)) +
           aligned((rows + 1) * (int64_t)sizeof(int32_t)) +
           aligned(sidecar_count * (int64_t)sizeof(int32_t)) +
           2 * aligned(sidecar_count * (int64_t)sizeof(float));
}

int64_t cuda_buffer_bytes(size_t count)
{
    return aligned((int64_t)(count * sizeof(float)));
}

int64_t cuda_workspace_bytes(void)
{
    return CUDA_WORKSPACE;
}
