/* Widening of 16-bit floats. Every float16 and bfloat16 is exactly a float32, so nothing rounds here. Sources are read
 * byte-wise because tensors in a file stand at any offset. */
#include "kernels/kernels.h"

#include <string.h>

size_t dtype_bytes(enum dtype dtype)
{
    return dtype == DTYPE_F32 ? 4 : 2;
}

static inline float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16: moved into float32's fields, exponent and mantissa read as a number 2^112 too small; the product with
 * 2^112 is exact and gives subnormals their value. Infinities and NaNs get float32's largest exponent. */
static inline float float_of_half(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;

    if (magnitude >= 0x7c00u << 13)
        return float_of_bits(sign | magnitude | 0x7f800000u);
    const float value = float_of_bits(magnitude) * 0x1p112f;
    return sign ? -value : value;
}

void dtype_widen(enum dtype dtype, const void *source, float *destination, size_t count)
{
    const unsigned char *bytes = source;

    if (dtype == DTYPE_F32) {
        memcpy(destination, source, count * sizeof *destination);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint16_t bits;
        memcpy(&bits, bytes + 2 * i, sizeof bits);
        destination[i] =
            dtype == DTYPE_BF16 ? float_of_bits((uint32_t)bits << 16) : float_of_half(bits);
    }
}
