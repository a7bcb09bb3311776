/* The loops of struct isa in plain C, compiled once per instruction set: the file that includes this one is built with that
 * set's compiler flags, and the compiler does the rest. Sums run over ISA_LANES partial sums, then pairwise.
 */
#ifndef KERNELS_CPU_ISA_LOOPS_H
#define KERNELS_CPU_ISA_LOOPS_H

#include <string.h>

#include "kernels/cpu/isa.h"
#include "kernels/dtype.h"

enum { ISA_LANES = 16 };

/* Adds the lanes pairwise. */
static inline float lanes_sum(const float lanes[ISA_LANES])
{
    float sums[ISA_LANES];

    memcpy(sums, lanes, sizeof sums);
    for (int width = ISA_LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            sums[i] += sums[i + width];
    return sums[0];
}

static inline float loop_dot(const float *a, const float *b, int64_t count)
{
    float lanes[ISA_LANES] = {0};
    int64_t i = 0;

    for (; i + ISA_LANES <= count; i += ISA_LANES)
        for (int lane = 0; lane < ISA_LANES; lane++)
            lanes[lane] += a[i + lane] * b[i + lane];
    for (int lane = 0; i + lane < count; lane++)
        lanes[lane] += a[i + lane] * b[i + lane];
    return lanes_sum(lanes);
}

static inline void loop_add_scaled(float *restrict out, const float *restrict values, float weight,
                                   int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        out[i] += weight * values[i];
}

/* e^x to about two units in the last place, for x <= 88: 2^n times a polynomial in the rest, which is at most ln 2 / 2 away
 * from 0. Below -87 the result is 0. The coefficients are those of the Taylor series, whose error here is 1.2e-8. */
static inline float loop_exp(float x)
{
    const float clipped = x < -87.0f ? -87.0f : x;
    const float n =
        clipped * 1.44269504f + 12582912.0f; /* adding 1.5 * 2^23 rounds to a whole number */
    const float whole = n - 12582912.0f;
    const float r = clipped - whole * 0.693145752f - whole * 1.42860677e-6f;
    int32_t exponent;
    float scale;

    memcpy(&exponent, &n, sizeof exponent);
    exponent = (exponent - 0x4b400000 + 127) * (1 << 23);
    memcpy(&scale, &exponent, sizeof scale);
    const float series =
        1.0f +
        r * (1.0f +
             r * (0.5f + r * (1.66666667e-1f +
                              r * (4.16666667e-2f + r * (8.33333333e-3f + r * 1.38888889e-3f)))));
    return x < -87.0f ? 0.0f : scale * series;
}

static inline void loop_softmax(float *scores, int64_t count)
{
    float largest = scores[0];
    float lanes[ISA_LANES] = {0};
    int64_t i = 0;

    for (int64_t j = 1; j < count; j++)
        largest = scores[j] > largest ? scores[j] : largest;
    for (int64_t j = 0; j < count; j++)
        scores[j] = loop_exp(scores[j] - largest);
    for (; i + ISA_LANES <= count; i += ISA_LANES)
        for (int lane = 0; lane < ISA_LANES; lane++)
            lanes[lane] += scores[i + lane];
    for (int lane = 0; i + lane < count; lane++)
        lanes[lane] += scores[i + lane];

    const float scale = 1.0f / lanes_sum(lanes);
    for (int64_t j = 0; j < count; j++)
        scores[j] *= scale;
}

static inline void loop_silu_mul(float *restrict gate, const float *restrict up, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        /* e^-|x| never overflows */
        const float magnitude = gate[i] < 0.0f ? -gate[i] : gate[i];
        const float e = loop_exp(-magnitude);
        const float sigmoid = (gate[i] < 0.0f ? e : 1.0f) / (1.0f + e);
        gate[i] = gate[i] * sigmoid * up[i];
    }
}

static inline void loop_widen(enum dtype dtype, const void *source, float *values, size_t count)
{
    const unsigned char *bytes = source;
    uint16_t half;

    switch (dtype) {
    case DTYPE_F32:
        memcpy(values, source, count * sizeof *values);
        break;
    case DTYPE_F16:
        for (size_t i = 0; i < count; i++) {
            memcpy(&half, bytes + 2 * i, sizeof half);
            values[i] = float_of_f16(half);
        }
        break;
    case DTYPE_BF16:
        for (size_t i = 0; i < count; i++) {
            memcpy(&half, bytes + 2 * i, sizeof half);
            values[i] = float_of_bf16(half);
        }
        break;
    }
}

/* --- float32 products ------------------------------------------------------------------------------------------------- */

static inline void loop_prepare(const float *codebook, void *table)
{
    memcpy(table, codebook, 256 * sizeof *codebook);
}

static inline void loop_expand(const void *table, const uint8_t *indices, int64_t cols, void *row)
{
    const float *codebook = table;
    float *values = row;

    for (int64_t i = 0; i < cols; i++)
        values[i] = codebook[indices[i]];
}

static inline void loop_tile(const void *const *rows, const void *packed, int64_t stride,
                             int64_t cols, int n, bool are_in_memory, float *sums)
{
    (void)are_in_memory;
    for (int t = 0; t < n; t++)
        for (int r = 0; r < ISA_TILE_ROWS; r++)
            sums[t * ISA_TILE_ROWS + r] =
                loop_dot(rows[r], (const float *)packed + t * stride, cols);
}

#endif
