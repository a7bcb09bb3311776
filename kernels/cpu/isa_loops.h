/* The loops of struct isa in C, compiled once per instruction set: the file that includes this one is built with that set's
 * compiler flags, and the compiler does the rest. Sums run over partial sums, then pairwise. Vectors are those of the compiler
 * (GCC's and Clang's vector extension), so that a tile's sums stay in registers on every processor.
 */
#ifndef KERNELS_CPU_ISA_LOOPS_H
#define KERNELS_CPU_ISA_LOOPS_H

#include <string.h>

#include "kernels/cpu/isa.h"
#include "kernels/dtype.h"

enum {
    ISA_LANES = 16, /* of a plain sum */
#ifdef __AVX2__
    VECTOR_LANES = 8,
#else
    VECTOR_LANES = 4,
#endif
    INPUTS_AT_ONCE = 3, /* of a tile: with twelve sums and a weight they fill sixteen registers */
    CARRY_FLOATS = ISA_CARRY_BYTES / sizeof(float),
    FETCH_AHEAD = 8192, /* bytes behind which memory is asked for */
};

typedef float vector __attribute__((vector_size(VECTOR_LANES * sizeof(float))));

static inline vector vector_load(const float *from)
{
    vector value;

    memcpy(&value, from, sizeof value);
    return value;
}

/* Adds up to ISA_LANES lanes pairwise. */
static inline float lanes_sum(const float *lanes, int count)
{
    float sums[ISA_LANES];

    memcpy(sums, lanes, (size_t)count * sizeof *sums);
    for (int width = count / 2; width > 0; width /= 2)
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
    return lanes_sum(lanes, ISA_LANES);
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

static inline float loop_exp_sum(float *values, int64_t count, float largest)
{
    float lanes[ISA_LANES] = {0};
    int64_t i = 0;

    for (int64_t j = 0; j < count; j++)
        values[j] = loop_exp(values[j] - largest);
    for (; i + ISA_LANES <= count; i += ISA_LANES)
        for (int lane = 0; lane < ISA_LANES; lane++)
            lanes[lane] += values[i + lane];
    for (int lane = 0; i + lane < count; lane++)
        lanes[lane] += values[i + lane];
    return lanes_sum(lanes, ISA_LANES);
}

static inline void loop_score(const float *q, const float *keys, int64_t stride, int dim,
                              int64_t count, float scale, float *scores)
{
    for (int64_t p = 0; p < count; p++)
        scores[p] = loop_dot(q, keys + p * stride, dim) * scale;
}

static inline void loop_mix(const float *weights, const float *restrict values, int64_t stride,
                            int dim, int64_t count, float factor, float *restrict out)
{
    for (int i = 0; i < dim; i++)
        out[i] *= factor;
    for (int64_t p = 0; p < count; p++)
        for (int i = 0; i < dim; i++)
            out[i] += weights[p] * values[p * stride + i];
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

static inline void loop_pack(const float *in, int64_t cols, bool is_looked_up, void *panel,
                             int64_t step)
{
    float *out = panel;

    (void)is_looked_up;
    for (int64_t i = 0; i < cols; i += ISA_STEP, out += step) {
        const int64_t count = cols - i < ISA_STEP ? cols - i : ISA_STEP;
        memcpy(out, in + i, (size_t)count * sizeof *out);
        memset(out + count, 0, (size_t)(ISA_STEP - count) * sizeof *out);
    }
}

static inline void loop_expand(const void *table, const uint8_t *indices, int64_t count,
                               void *numbers)
{
    const float *codebook = table;
    float *values = numbers;
    uint64_t eight;

    for (int64_t i = 0; i < count; i += sizeof eight) {
        if (i % ISA_STEP == 0)
            __builtin_prefetch(indices + i + FETCH_AHEAD);
        /* reading indices one by one would take half of what the processor can read */
        memcpy(&eight, indices + i, sizeof eight);
        for (size_t j = 0; j < sizeof eight; j++)
            values[i + (int64_t)j] = codebook[eight >> 8 * j & 0xff];
    }
}

/* `count` inputs of a tile from `first` on; the count is constant where this is expanded. */
static inline __attribute__((always_inline)) void loop_tile_inputs(const struct isa_tile *tile,
                                                                   int first, const int count)
{
    const float *rows = tile->rows;
    const float *x = (const float *)tile->panel + first * ISA_STEP;
    float *carried = (float *)tile->carried + first * ISA_TILE_ROWS * CARRY_FLOATS;
    vector total[INPUTS_AT_ONCE][ISA_TILE_ROWS];

    for (int t = 0; t < count; t++)
        for (int r = 0; r < ISA_TILE_ROWS; r++)
            total[t][r] = tile->is_first
                              ? (vector){0}
                              : vector_load(carried + (t * ISA_TILE_ROWS + r) * CARRY_FLOATS);

    for (int64_t i = 0; i < tile->cols; i += ISA_STEP) {
        for (int part = 0; part < ISA_STEP; part += VECTOR_LANES) {
            vector in[INPUTS_AT_ONCE];
            for (int t = 0; t < count; t++)
                in[t] = vector_load(x + t * ISA_STEP + part);
            for (int r = 0; r < ISA_TILE_ROWS; r++) {
                const vector weight = vector_load(rows + r * ISA_STEP + part);
                for (int t = 0; t < count; t++)
                    total[t][r] += weight * in[t];
            }
        }
        rows += ISA_TILE_ROWS * ISA_STEP;
        x += tile->inputs * ISA_STEP;
    }

    for (int t = 0; t < count; t++)
        for (int r = 0; r < ISA_TILE_ROWS; r++) {
            float lanes[VECTOR_LANES];
            memcpy(lanes, &total[t][r], sizeof lanes);
            if (tile->is_last)
                tile->sums[(first + t) * tile->sums_stride + r] = lanes_sum(lanes, VECTOR_LANES);
            else
                memcpy(carried + (t * ISA_TILE_ROWS + r) * CARRY_FLOATS, lanes, sizeof lanes);
        }
}

static inline void loop_tile(const struct isa_tile *tile)
{
    int first = 0;

    for (; first + INPUTS_AT_ONCE <= tile->inputs; first += INPUTS_AT_ONCE)
        loop_tile_inputs(tile, first, INPUTS_AT_ONCE);
    if (tile->inputs - first == 2)
        loop_tile_inputs(tile, first, 2);
    else if (tile->inputs - first == 1)
        loop_tile_inputs(tile, first, 1);
}

static const struct number_format loop_f32 = {
    .name = "float32",
    .bytes = 4,
    .block_cols = 384,
    .pack = loop_pack,
    .prepare = loop_prepare,
    .expand = loop_expand,
    .tile = loop_tile,
};

/* Entries of struct isa: those that are loops in every set, and all of a set that has nothing of its own. */
#define LOOPS_OF_EVERY_SET                                                                         \
    .dot = loop_dot, .exp_sum = loop_exp_sum, .silu_mul = loop_silu_mul, .widen = loop_widen
#define LOOPS_ONLY LOOPS_OF_EVERY_SET, .exact = &loop_f32, .score = loop_score, .mix = loop_mix

#endif
