/* Single numbers of 16 bits, for loops that widen many. Private to the room; inline so that compilers can vectorise them. */
#ifndef KERNELS_DTYPE_H
#define KERNELS_DTYPE_H

#include <stdint.h>
#include <string.h>

static inline float float_of_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of_float(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* bfloat16 is the upper half of a float32. */
static inline float float_of_bf16(uint16_t half)
{
    return float_of_bits((uint32_t)half << 16);
}

/* IEEE 754 binary16: moved into float32's fields, exponent and mantissa read as a number 2^112 too small; the product with
 * 2^112 is exact and gives subnormals their value. Infinities and NaNs get float32's largest exponent. */
static inline float float_of_f16(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    const uint32_t finite = bits_of_float(float_of_bits(magnitude) * 0x1p112f);
    const uint32_t special = magnitude | 0x7f800000u;

    return float_of_bits(sign | (magnitude >= 0x7c00u << 13 ? special : finite));
}

#endif
