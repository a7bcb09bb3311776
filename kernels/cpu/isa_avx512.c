/* AVX-512 with VBMI and BF16.
 *
 * A codebook of 256 values fits the registers as byte planes: plane b holds byte b of every value in four registers, and two
 * two-register permutations plus a blend on the index's top bit look 64 indices up at once. Planes are then interleaved to
 * numbers. Float32 needs four planes; bfloat16 needs two and multiplies 32 numbers per instruction. Indices are first put in
 * an order that makes the interleaving, which works within quarters of a register, come out straight. */
#include <immintrin.h>

#include "kernels/cpu/isa_loops.h"

/* Loops over register arrays must vanish, or the arrays go through memory. */
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

enum { PLANE_REGISTERS = 4, STEP = ISA_EXPAND_STEP };

static bool is_supported(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bf16");
}

/* One byte of each of the 256 values. */
struct plane {
    __m512i part[PLANE_REGISTERS];
};

static inline struct plane plane_load(const uint8_t *bytes)
{
    struct plane plane;

    for (int i = 0; i < PLANE_REGISTERS; i++)
        plane.part[i] = _mm512_loadu_si512(bytes + i * 64);
    return plane;
}

/* Splits the lowest `count` bytes of 256 values into planes [count, 256]. */
static void planes_fill(const uint32_t *values, int count, uint8_t *planes)
{
    for (int b = 0; b < count; b++)
        for (int i = 0; i < 256; i++)
            planes[b * 256 + i] = (uint8_t)(values[i] >> 8 * b);
}

/* The plane's byte for each of 64 indices. */
static inline __m512i plane_look_up(const struct plane *plane, __m512i indices, __mmask64 upper)
{
    const __m512i below = _mm512_permutex2var_epi8(plane->part[0], indices, plane->part[1]);
    const __m512i above = _mm512_permutex2var_epi8(plane->part[2], indices, plane->part[3]);

    return _mm512_mask_blend_epi8(upper, below, above);
}

/* Next 64 indices, fewer at a row's end: the rest become index 0. */
static inline __m512i load_indices(const uint8_t *indices, int64_t left)
{
    return left >= STEP ? _mm512_loadu_si512(indices)
                        : _mm512_maskz_loadu_epi8(((__mmask64)1 << left) - 1, indices);
}

/* Asks for the next `lines` cache lines of what comes after the rows at hand. Rows are read side by side, which hides from the
 * processor that they follow one another in memory; without this, the bus idles half the time. */
static inline __attribute__((always_inline)) void fetch_ahead(const void *address, const int lines)
{
    UNROLL
    for (int i = 0; i < lines; i++)
        _mm_prefetch((const char *)address + 64 * i, _MM_HINT_T1);
}

/* --- float32 ---------------------------------------------------------------------------------------------------------- */

/* Interleaving bytes, then words, gives register z the numbers 4z..4z+3 of each quarter; number 16z + 4q + j must come from
 * there, so the index for it is moved to place 16q + 4z + j first. */
static inline __m512i order_for_words(void)
{
    return _mm512_setr_epi32(0x03020100, 0x13121110, 0x23222120, 0x33323130, 0x07060504, 0x17161514,
                             0x27262524, 0x37363534, 0x0b0a0908, 0x1b1a1918, 0x2b2a2928, 0x3b3a3938,
                             0x0f0e0d0c, 0x1f1e1d1c, 0x2f2e2d2c, 0x3f3e3d3c);
}

static void prepare_f32(const float *codebook, void *table)
{
    uint32_t values[256];

    memcpy(values, codebook, sizeof values);
    planes_fill(values, 4, table);
}

static void expand_f32(const void *table, const uint8_t *indices, int64_t cols, void *row)
{
    const uint8_t *planes = table;
    float *out = row;

    const struct plane p0 = plane_load(planes), p1 = plane_load(planes + 256);
    const struct plane p2 = plane_load(planes + 512), p3 = plane_load(planes + 768);
    const __m512i order = order_for_words();
    for (int64_t i = 0; i < cols; i += STEP) {
        const __m512i at = _mm512_permutexvar_epi8(order, load_indices(indices + i, cols - i));
        const __mmask64 upper = _mm512_movepi8_mask(at);
        const __m512i b0 = plane_look_up(&p0, at, upper), b1 = plane_look_up(&p1, at, upper);
        const __m512i b2 = plane_look_up(&p2, at, upper), b3 = plane_look_up(&p3, at, upper);
        const __m512i low0 = _mm512_unpacklo_epi8(b0, b1), low1 = _mm512_unpackhi_epi8(b0, b1);
        const __m512i high0 = _mm512_unpacklo_epi8(b2, b3), high1 = _mm512_unpackhi_epi8(b2, b3);
        _mm512_storeu_si512(out + i, _mm512_unpacklo_epi16(low0, high0));
        _mm512_storeu_si512(out + i + 16, _mm512_unpackhi_epi16(low0, high0));
        _mm512_storeu_si512(out + i + 32, _mm512_unpacklo_epi16(low1, high1));
        _mm512_storeu_si512(out + i + 48, _mm512_unpackhi_epi16(low1, high1));
    }
}

/* ISA_TILE_ROWS rows times `count` inputs, sums in registers. `count` and `are_in_memory` are constant where this is
 * expanded. */
static inline __attribute__((always_inline)) void
tile_step_f32(const float *const *rows, const float *packed, int64_t stride, int64_t cols,
              const int count, const bool are_in_memory, float *sums)
{
    __m512 total[6][ISA_TILE_ROWS];

    UNROLL
    for (int t = 0; t < count; t++)
        UNROLL
    for (int r = 0; r < ISA_TILE_ROWS; r++)
        total[t][r] = _mm512_setzero_ps();
    for (int64_t i = 0; i < cols; i += 16) {
        if (are_in_memory)
            fetch_ahead(rows[0] + ISA_TILE_ROWS * (cols + i), ISA_TILE_ROWS);
        const __mmask16 mask = cols - i >= 16 ? 0xffff : (__mmask16)((1u << (cols - i)) - 1);
        __m512 weights[ISA_TILE_ROWS];
        UNROLL
        for (int r = 0; r < ISA_TILE_ROWS; r++)
            weights[r] = _mm512_maskz_loadu_ps(mask, rows[r] + i);
        UNROLL
        for (int t = 0; t < count; t++) {
            const __m512 x = _mm512_maskz_loadu_ps(mask, packed + t * stride + i);
            UNROLL
            for (int r = 0; r < ISA_TILE_ROWS; r++)
                total[t][r] = _mm512_fmadd_ps(weights[r], x, total[t][r]);
        }
    }
    UNROLL
    for (int t = 0; t < count; t++)
        UNROLL
    for (int r = 0; r < ISA_TILE_ROWS; r++)
        sums[t * ISA_TILE_ROWS + r] = _mm512_reduce_add_ps(total[t][r]);
}

static void tile_f32(const void *const *rows, const void *packed, int64_t stride, int64_t cols,
                     int n, bool are_in_memory, float *sums)
{
    const float *const floats[ISA_TILE_ROWS] = {rows[0], rows[1], rows[2], rows[3]};
    const float *x = packed;

    for (; n >= 6; n -= 6, x += 6 * stride, sums += 6 * ISA_TILE_ROWS)
        tile_step_f32(floats, x, stride, cols, 6, false, sums);
    for (; n >= 2; n -= 2, x += 2 * stride, sums += 2 * ISA_TILE_ROWS)
        tile_step_f32(floats, x, stride, cols, 2, false, sums);
    if (n)
        tile_step_f32(floats, x, stride, cols, 1, are_in_memory, sums);
}

/* --- bfloat16 --------------------------------------------------------------------------------------------------------- */

/* As order_for_words, but only bytes are interleaved: register z gets the numbers 8z..8z+7 of each quarter. */
static inline __m512i order_for_halves(void)
{
    return _mm512_setr_epi64(0x0706050403020100, 0x2726252423222120, 0x0f0e0d0c0b0a0908,
                             0x2f2e2d2c2b2a2928, 0x1716151413121110, 0x3736353433323130,
                             0x1f1e1d1c1b1a1918, 0x3f3e3d3c3b3a3938);
}

/* Rounds to the nearest bfloat16, ties to even; sources are finite. */
static inline uint32_t bf16_of(uint32_t bits)
{
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

static void pack_bf16(const float *in, int64_t cols, void *packed)
{
    uint16_t *out = packed;

    for (int64_t i = 0; i < cols; i += 16) {
        const __mmask16 mask = cols - i >= 16 ? 0xffff : (__mmask16)((1u << (cols - i)) - 1);
        const __m256bh half = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, in + i));
        _mm256_mask_storeu_epi16(out + i, mask, (__m256i)half);
    }
}

static void prepare_bf16(const float *codebook, void *table)
{
    uint32_t values[256];

    memcpy(values, codebook, sizeof values);
    for (int i = 0; i < 256; i++)
        values[i] = bf16_of(values[i]);
    planes_fill(values, 2, table);
}

static void expand_bf16(const void *table, const uint8_t *indices, int64_t cols, void *row)
{
    const uint8_t *planes = table;
    uint16_t *out = row;

    const struct plane p0 = plane_load(planes), p1 = plane_load(planes + 256);
    const __m512i order = order_for_halves();
    for (int64_t i = 0; i < cols; i += STEP) {
        const __m512i at = _mm512_permutexvar_epi8(order, load_indices(indices + i, cols - i));
        const __mmask64 upper = _mm512_movepi8_mask(at);
        const __m512i b0 = plane_look_up(&p0, at, upper), b1 = plane_look_up(&p1, at, upper);
        _mm512_storeu_si512(out + i, _mm512_unpacklo_epi8(b0, b1));
        _mm512_storeu_si512(out + i + 32, _mm512_unpackhi_epi8(b0, b1));
    }
}

/* As multiply_f32, 32 numbers at a time. */
static inline __attribute__((always_inline)) void
tile_step_bf16(const uint16_t *const *rows, const uint16_t *packed, int64_t stride, int64_t cols,
               const int count, const bool are_in_memory, float *sums)
{
    __m512 total[6][ISA_TILE_ROWS];

    UNROLL
    for (int t = 0; t < count; t++)
        UNROLL
    for (int r = 0; r < ISA_TILE_ROWS; r++)
        total[t][r] = _mm512_setzero_ps();
    for (int64_t i = 0; i < cols; i += 32) {
        if (are_in_memory)
            fetch_ahead(rows[0] + ISA_TILE_ROWS * (cols + i), ISA_TILE_ROWS);
        const __mmask32 mask = cols - i >= 32 ? 0xffffffff : (1u << (cols - i)) - 1;
        __m512i weights[ISA_TILE_ROWS];
        UNROLL
        for (int r = 0; r < ISA_TILE_ROWS; r++)
            weights[r] = _mm512_maskz_loadu_epi16(mask, rows[r] + i);
        UNROLL
        for (int t = 0; t < count; t++) {
            const __m512i x = _mm512_maskz_loadu_epi16(mask, packed + t * stride + i);
            UNROLL
            for (int r = 0; r < ISA_TILE_ROWS; r++)
                total[t][r] = _mm512_dpbf16_ps(total[t][r], (__m512bh)weights[r], (__m512bh)x);
        }
    }
    UNROLL
    for (int t = 0; t < count; t++)
        UNROLL
    for (int r = 0; r < ISA_TILE_ROWS; r++)
        sums[t * ISA_TILE_ROWS + r] = _mm512_reduce_add_ps(total[t][r]);
}

static void tile_bf16(const void *const *rows, const void *packed, int64_t stride, int64_t cols,
                      int n, bool are_in_memory, float *sums)
{
    const uint16_t *const halves[ISA_TILE_ROWS] = {rows[0], rows[1], rows[2], rows[3]};
    const uint16_t *x = packed;

    for (; n >= 6; n -= 6, x += 6 * stride, sums += 6 * ISA_TILE_ROWS)
        tile_step_bf16(halves, x, stride, cols, 6, false, sums);
    for (; n >= 2; n -= 2, x += 2 * stride, sums += 2 * ISA_TILE_ROWS)
        tile_step_bf16(halves, x, stride, cols, 2, false, sums);
    if (n)
        tile_step_bf16(halves, x, stride, cols, 1, are_in_memory, sums);
}

/* --- straight from the indices ---------------------------------------------------------------------------------------- */

/* Looks up 64 indices of `row_count` rows and multiplies them with `count` inputs while they are in registers; fewer than 64
 * with a mask at a row's end. The counts and `is_whole` are constant where this is expanded. Each sum sees its products in the
 * order in which tile_step_bf16 adds them. */
static inline __attribute__((always_inline)) void
look_up_step_bf16(const struct plane *p0, const struct plane *p1, const uint8_t *const *indices,
                  const uint16_t *packed, int64_t stride, int64_t i, __mmask64 mask,
                  const bool is_whole, const int row_count, const int count,
                  __m512 total[ISA_DIRECT_MAX][ISA_TILE_ROWS])
{
    const __m512i order = order_for_halves();
    __m512bh weights[ISA_TILE_ROWS][2];

    UNROLL
    for (int r = 0; r < row_count; r++) {
        const __m512i raw = is_whole ? _mm512_loadu_si512(indices[r] + i)
                                     : _mm512_maskz_loadu_epi8(mask, indices[r] + i);
        const __m512i at = _mm512_permutexvar_epi8(order, raw);
        const __mmask64 upper = _mm512_movepi8_mask(at);
        const __m512i b0 = plane_look_up(p0, at, upper), b1 = plane_look_up(p1, at, upper);
        weights[r][0] = (__m512bh)_mm512_unpacklo_epi8(b0, b1);
        weights[r][1] = (__m512bh)_mm512_unpackhi_epi8(b0, b1);
    }
    UNROLL
    for (int t = 0; t < count; t++) {
        const uint16_t *x = packed + t * stride + i;
        const __m512i x0 =
            is_whole ? _mm512_loadu_si512(x) : _mm512_maskz_loadu_epi16((__mmask32)mask, x);
        const __m512i x1 = is_whole ? _mm512_loadu_si512(x + 32)
                                    : _mm512_maskz_loadu_epi16((__mmask32)(mask >> 32), x + 32);
        UNROLL
        for (int r = 0; r < row_count; r++) {
            total[t][r] = _mm512_dpbf16_ps(total[t][r], weights[r][0], (__m512bh)x0);
            total[t][r] = _mm512_dpbf16_ps(total[t][r], weights[r][1], (__m512bh)x1);
        }
    }
}

static inline __attribute__((always_inline)) void
look_up_bf16(const uint8_t *planes, const uint8_t *const *indices, const uint16_t *packed,
             int64_t stride, int64_t cols, const int row_count, const int count, float *sums)
{
    const struct plane p0 = plane_load(planes), p1 = plane_load(planes + 256);
    const uint8_t *ahead = indices[0] + ISA_TILE_ROWS * cols;
    __m512 total[ISA_DIRECT_MAX][ISA_TILE_ROWS];
    int64_t i = 0;

    UNROLL
    for (int t = 0; t < count; t++)
        UNROLL
    for (int r = 0; r < row_count; r++)
        total[t][r] = _mm512_setzero_ps();
    for (; i + STEP <= cols; i += STEP) {
        fetch_ahead(ahead + row_count * i, row_count);
        look_up_step_bf16(&p0, &p1, indices, packed, stride, i, 0, true, row_count, count, total);
    }
    if (i < cols)
        look_up_step_bf16(&p0, &p1, indices, packed, stride, i, ((__mmask64)1 << (cols - i)) - 1,
                          false, row_count, count, total);
    UNROLL
    for (int t = 0; t < count; t++)
        UNROLL
    for (int r = 0; r < row_count; r++)
        sums[t * ISA_TILE_ROWS + r] = _mm512_reduce_add_ps(total[t][r]);
}

/* As many sums as registers hold: four rows for up to four inputs, two rows and then two more for up to eight. */
static void multiply_bf16(const void *table, const uint8_t *const *indices, const void *packed,
                          int64_t stride, int64_t cols, int n, float *sums)
{
#define FOUR_ROWS(count)                                                                           \
    case count:                                                                                    \
        look_up_bf16(table, indices, packed, stride, cols, 4, count, sums);                        \
        break
#define TWO_ROWS_TWICE(count)                                                                      \
    case count:                                                                                    \
        look_up_bf16(table, indices, packed, stride, cols, 2, count, sums);                        \
        look_up_bf16(table, indices + 2, packed, stride, cols, 2, count, sums + 2);                \
        break

    switch (n) {
        FOUR_ROWS(1);
        FOUR_ROWS(2);
        FOUR_ROWS(3);
        FOUR_ROWS(4);
        TWO_ROWS_TWICE(5);
        TWO_ROWS_TWICE(6);
        TWO_ROWS_TWICE(7);
        TWO_ROWS_TWICE(8);
    }
#undef FOUR_ROWS
#undef TWO_ROWS_TWICE
}

static const struct number_format exact = {
    .name = "float32",
    .bytes = 4,
    .prepare = prepare_f32,
    .expand = expand_f32,
    .tile = tile_f32,
};
static const struct number_format fast = {
    .name = "bfloat16",
    .bytes = 2,
    .pack = pack_bf16,
    .prepare = prepare_bf16,
    .expand = expand_bf16,
    .multiply = multiply_bf16,
    .tile = tile_bf16,
};

extern const struct isa isa_avx512;
const struct isa isa_avx512 = {
    .name = "avx512",
    .is_supported = is_supported,
    .exact = &exact,
    .fast = &fast,
    .dot = loop_dot,
    .add_scaled = loop_add_scaled,
    .softmax = loop_softmax,
    .silu_mul = loop_silu_mul,
    .widen = loop_widen,
};
