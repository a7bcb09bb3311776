/* Widening of 16-bit floats. Every float16 and bfloat16 is exactly a float32, so nothing rounds here. Sources are read
 * byte-wise because tensors in a file stand at any offset. */
#include "kernels/dtype.h"

#include "kernels/kernels.h"

size_t dtype_bytes(enum dtype dtype)
{
    return dtype == DTYPE_F32 ? 4 : 2;
}

void dtype_widen(enum dtype dtype, const void *source, float *destination, size_t count)
{
    const unsigned char *bytes = source;

    if (dtype == DTYPE_F32) {
        memcpy(destination, source, count * sizeof *destination);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, bytes + 2 * i, sizeof half);
        destination[i] = dtype == DTYPE_BF16 ? float_of_bf16(half) : float_of_f16(half);
    }
}
