/* AVX-512 with VBMI, and with BF16 where there is that.
 *
 * A codebook of 256 values fits the registers as byte planes: plane b holds byte b of every value in four registers, and two
 * two-register permutations plus a blend on the index's top bit look 64 indices up at once. Planes are then interleaved to
 * numbers, which works within quarters of a register. Float32 needs four planes, and indices are first put in an order that
 * makes the interleaving come out straight. Bfloat16 needs two planes and multiplies 32 numbers per instruction; there the
 * inputs are brought into the order that comes out, which costs nothing per row. */
#include <immintrin.h>

#include "kernels/cpu/isa_loops.h"

/* Loops over register arrays must vanish, or the arrays go through memory. */
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

enum { PLANE_REGISTERS = 4 };

static bool has_vbmi(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vbmi");
}

static bool has_bf16(void)
{
    return has_vbmi() && __builtin_cpu_supports("avx512bf16");
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

/* Asks for what stands `bytes` behind: far enough to be there in time, near enough to be there still. Always inlined, since
 * compilers take a function that only fetches for one that does nothing. */
static inline __attribute__((always_inline)) void fetch_ahead(const void *address, int64_t bytes)
{
    _mm_prefetch((const char *)address + bytes, _MM_HINT_T0);
}

/* Adds up the lanes of ISA_TILE_ROWS registers: sums [ISA_TILE_ROWS]. */
static inline __attribute__((always_inline)) void sums_store(const __m512 total[ISA_TILE_ROWS],
                                                             float *sums)
{
    const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(total[0], total[1]),
                                    _mm512_unpackhi_ps(total[0], total[1]));
    const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(total[2], total[3]),
                                    _mm512_unpackhi_ps(total[2], total[3]));
    const __m512d low = _mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
    const __m512d high = _mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
    const __m512 quarters = _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
    const __m256 halves =
        _mm256_add_ps(_mm512_castps512_ps256(quarters), _mm512_extractf32x8_ps(quarters, 1));

    _mm_storeu_ps(sums,
                  _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1)));
}

/* 16 numbers of a row that has `left` more, filled up with zeros. */
static inline __m512 load_inputs(const float *in, int64_t left)
{
    const __mmask16 mask = left >= 16 ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);

    return _mm512_maskz_loadu_ps(mask, in);
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

static void pack_f32(const float *in, int64_t cols, bool is_looked_up, void *panel, int64_t step)
{
    float *out = panel;

    (void)is_looked_up;
    for (int64_t i = 0; i < cols; i += ISA_STEP, out += step)
        for (int64_t j = 0; j < ISA_STEP; j += 16)
            _mm512_storeu_ps(out + j, load_inputs(in + i + j, cols - i - j));
}

static void expand_f32(const void *table, const uint8_t *indices, int64_t count, void *numbers)
{
    const uint8_t *planes = table;
    float *out = numbers;

    const struct plane p0 = plane_load(planes), p1 = plane_load(planes + 256);
    const struct plane p2 = plane_load(planes + 512), p3 = plane_load(planes + 768);
    const __m512i order = order_for_words();
    for (int64_t i = 0; i < count; i += ISA_STEP) {
        fetch_ahead(indices + i, FETCH_AHEAD);
        const __m512i at = _mm512_permutexvar_epi8(order, _mm512_load_si512(indices + i));
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

#define TILE                      tile_f32
#define TILE_NUMBER               float
#define TILE_LANES                16
#define TILE_VECTOR               __m512
#define TILE_LOAD(at)             _mm512_loadu_ps(at)
#define TILE_MULTIPLY(sums, a, b) _mm512_fmadd_ps(a, b, sums)
#include "kernels/cpu/isa_avx512_tile.inc"

/* --- bfloat16 --------------------------------------------------------------------------------------------------------- */

/* Rounds to the nearest bfloat16, ties to even; sources are finite. */
static inline uint32_t bf16_of(uint32_t bits)
{
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/* Interleaved planes give register z the numbers 8z..8z+7 of each quarter of a step. */
static void pack_bf16(const float *in, int64_t cols, bool is_looked_up, void *panel, int64_t step)
{
    const __m512i eighths[2] = {_mm512_setr_epi64(0, 1, 4, 5, 8, 9, 12, 13),
                                _mm512_setr_epi64(2, 3, 6, 7, 10, 11, 14, 15)};
    uint16_t *out = panel;

    for (int64_t i = 0; i < cols; i += ISA_STEP, out += step) {
        __m512i halves[2];
        for (int h = 0; h < 2; h++) {
            const int64_t j = i + 32 * h;
            halves[h] = (__m512i)_mm512_cvtne2ps_pbh(load_inputs(in + j + 16, cols - j - 16),
                                                     load_inputs(in + j, cols - j));
        }
        for (int h = 0; h < 2; h++)
            _mm512_storeu_si512(out + 32 * h, is_looked_up ? _mm512_permutex2var_epi64(
                                                                 halves[0], eighths[h], halves[1])
                                                           : halves[h]);
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

static void expand_bf16(const void *table, const uint8_t *indices, int64_t count, void *numbers)
{
    const uint8_t *planes = table;
    uint16_t *out = numbers;

    const struct plane p0 = plane_load(planes), p1 = plane_load(planes + 256);
    for (int64_t i = 0; i < count; i += ISA_STEP) {
        fetch_ahead(indices + i, FETCH_AHEAD);
        const __m512i at = _mm512_load_si512(indices + i);
        const __mmask64 upper = _mm512_movepi8_mask(at);
        const __m512i b0 = plane_look_up(&p0, at, upper), b1 = plane_look_up(&p1, at, upper);
        _mm512_storeu_si512(out + i, _mm512_unpacklo_epi8(b0, b1));
        _mm512_storeu_si512(out + i + 32, _mm512_unpackhi_epi8(b0, b1));
    }
}

#define TILE                      tile_bf16
#define TILE_NUMBER               uint16_t
#define TILE_LANES                32
#define TILE_VECTOR               __m512i
#define TILE_LOAD(at)             _mm512_loadu_si512(at)
#define TILE_MULTIPLY(sums, a, b) _mm512_dpbf16_ps(sums, (__m512bh)(a), (__m512bh)(b))
#include "kernels/cpu/isa_avx512_tile.inc"

/* --- straight from the indices ---------------------------------------------------------------------------------------- */

enum {
    DIRECT_STEP_BYTES = ISA_TILE_ROWS * ISA_STEP, /* of a tile's indices */
    DIRECT_INPUT_BYTES =
        32 << 10, /* of inputs that stay in a cache of 48 KB while tiles pass through */
};

/* Some columns of a tile. */
struct direct_part {
    const uint8_t *indices; /* [steps][ISA_TILE_ROWS][ISA_STEP] */
    const uint16_t *inputs; /* [steps][inputs][ISA_STEP] */
    int64_t steps;
    int64_t ahead; /* bytes behind which indices are asked for */
    bool is_first, is_last;
    __m512 (*carried)[ISA_TILE_ROWS]; /* [inputs] sums of parts that are not both */
    float *sums;                      /* of the last part */
    int64_t sums_stride;
};

/* Looks up a step of `row_count` rows and multiplies them with `count` inputs while they are in registers. The counts are
 * constant where this is expanded. Each sum sees its products in the order in which tile_bf16 adds them. */
static inline __attribute__((always_inline)) void
look_up_step_bf16(const struct plane *p0, const struct plane *p1, const uint8_t *indices,
                  const uint16_t *x, const int row_count, const int count,
                  __m512 total[ISA_DIRECT_INPUTS][ISA_TILE_ROWS])
{
    __m512bh weights[ISA_TILE_ROWS][2];

    UNROLL
    for (int r = 0; r < row_count; r++) {
        const __m512i at = _mm512_load_si512(indices + r * ISA_STEP);
        const __mmask64 upper = _mm512_movepi8_mask(at);
        const __m512i b0 = plane_look_up(p0, at, upper), b1 = plane_look_up(p1, at, upper);
        weights[r][0] = (__m512bh)_mm512_unpacklo_epi8(b0, b1);
        weights[r][1] = (__m512bh)_mm512_unpackhi_epi8(b0, b1);
    }
    UNROLL
    for (int t = 0; t < count; t++) {
        const __m512bh x0 = (__m512bh)_mm512_loadu_si512(x + t * ISA_STEP);
        const __m512bh x1 = (__m512bh)_mm512_loadu_si512(x + t * ISA_STEP + 32);
        UNROLL
        for (int r = 0; r < row_count; r++)
            total[t][r] = _mm512_dpbf16_ps(total[t][r], weights[r][0], x0);
        UNROLL
        for (int r = 0; r < row_count; r++)
            total[t][r] = _mm512_dpbf16_ps(total[t][r], weights[r][1], x1);
    }
}

/* Rows [row, row + row_count) of a part: `total`, and `carried` where sums go on. */
static inline __attribute__((always_inline)) void
look_up_rows_bf16(const struct plane *p0, const struct plane *p1, const struct direct_part *part,
                  const int row, const int row_count, const int count,
                  __m512 total[ISA_DIRECT_INPUTS][ISA_TILE_ROWS])
{
    const uint8_t *indices = part->indices + row * ISA_STEP;
    const uint16_t *x = part->inputs;
    const int64_t ahead = part->ahead;

    UNROLL
    for (int t = 0; t < count; t++)
        UNROLL
    for (int r = 0; r < row_count; r++)
        total[t][r] = part->is_first ? _mm512_setzero_ps() : part->carried[t][row + r];
    for (int64_t i = 0; i < part->steps; i++) {
        UNROLL
        for (int r = 0; r < row_count; r++)
            fetch_ahead(indices + r * ISA_STEP, ahead);
        look_up_step_bf16(p0, p1, indices, x, row_count, count, total);
        indices += DIRECT_STEP_BYTES;
        x += count * ISA_STEP;
    }
    if (part->is_last)
        return;
    UNROLL
    for (int t = 0; t < count; t++)
        UNROLL
    for (int r = 0; r < row_count; r++)
        part->carried[t][row + r] = total[t][r];
}

/* Four rows at once while their sums fit the registers, else two and two. */
static inline __attribute__((always_inline)) void look_up_part_bf16(const struct plane *p0,
                                                                    const struct plane *p1,
                                                                    const struct direct_part *part,
                                                                    const int count)
{
    const bool in_halves = count > ISA_DIRECT_INPUTS / 2;
    __m512 first[ISA_DIRECT_INPUTS][ISA_TILE_ROWS], second[ISA_DIRECT_INPUTS][ISA_TILE_ROWS];

    look_up_rows_bf16(p0, p1, part, 0, in_halves ? 2 : 4, count, first);
    if (in_halves)
        look_up_rows_bf16(p0, p1, part, 2, 2, count, second);
    if (!part->is_last)
        return;
    UNROLL
    for (int t = 0; t < count; t++) {
        const __m512 total[ISA_TILE_ROWS] = {first[t][0], first[t][1],
                                             in_halves ? second[t][0] : first[t][2],
                                             in_halves ? second[t][1] : first[t][3]};
        sums_store(total, part->sums + t * part->sums_stride);
    }
}

/* Several tiles, so that one's last sums are made while the next one's indices arrive. Where the inputs of whole rows would
 * not stay in the fastest cache, all tiles pass by a block of columns before the next block's turn: then what comes next,
 * and is asked for, is not what stands behind. */
static inline __attribute__((always_inline)) void
look_up_tiles_bf16(const uint8_t *planes, const uint8_t *indices, int tiles, const uint16_t *x,
                   int64_t cols, const int count, float *sums, int64_t sums_stride)
{
    const struct plane p0 = plane_load(planes), p1 = plane_load(planes + 256);
    const int64_t steps = cols / ISA_STEP;
    const int64_t steps_max = DIRECT_INPUT_BYTES / (count * ISA_STEP * (int64_t)sizeof *x);
    const int64_t blocks = (steps + steps_max - 1) / steps_max;
    const int64_t block_steps = (steps + blocks - 1) / blocks;
    __m512 carried[ISA_DIRECT_TILES][ISA_DIRECT_INPUTS][ISA_TILE_ROWS];

    for (int64_t first = 0; first < steps; first += block_steps) {
        const int64_t last = steps - first < block_steps ? steps : first + block_steps;
        for (int i = 0; i < tiles; i++) {
            const int64_t at = i * steps + first;
            const int64_t next = i + 1 < tiles ? at + steps : last < steps ? last : tiles * steps;
            const struct direct_part part = {
                .indices = indices + at * DIRECT_STEP_BYTES,
                .inputs = x + first * count * ISA_STEP,
                .steps = last - first,
                .ahead = blocks == 1 ? FETCH_AHEAD : (next - at) * DIRECT_STEP_BYTES,
                .is_first = first == 0,
                .is_last = last == steps,
                .carried = carried[i],
                .sums = sums + i * ISA_TILE_ROWS,
                .sums_stride = sums_stride,
            };
            look_up_part_bf16(&p0, &p1, &part, count);
        }
    }
}

static void multiply_bf16(const void *table, const uint8_t *indices, int tiles, const void *panel,
                          int64_t cols, int n, float *sums, int64_t sums_stride)
{
#define DIRECT_CASE(count)                                                                         \
    case count:                                                                                    \
        look_up_tiles_bf16(table, indices, tiles, panel, cols, count, sums, sums_stride);          \
        break

    switch (n) {
        DIRECT_CASE(1);
        DIRECT_CASE(2);
        DIRECT_CASE(3);
        DIRECT_CASE(4);
        DIRECT_CASE(5);
        DIRECT_CASE(6);
        DIRECT_CASE(7);
        DIRECT_CASE(8);
    }
#undef DIRECT_CASE
}

/* --- attention -------------------------------------------------------------------------------------------------------- */

/* 16 numbers, or what there is of them; `is_whole` is constant where this is expanded. */
static inline __attribute__((always_inline)) __m512 load_part(const float *in, int64_t left,
                                                              const bool is_whole)
{
    return is_whole ? _mm512_loadu_ps(in) : load_inputs(in, left);
}

/* Four positions at a time: their sums are added up together. */
static inline __attribute__((always_inline)) void score_rows(const float *q, const float *keys,
                                                             int64_t stride, int dim, int64_t count,
                                                             float scale, float *scores,
                                                             const bool is_whole)
{
    for (int64_t p = 0; p < count; p += 4) {
        const float *rows[4];
        __m512 total[4];
        UNROLL
        for (int r = 0; r < 4; r++) {
            rows[r] = keys + (p + r < count ? p + r : count - 1) * stride;
            total[r] = _mm512_setzero_ps();
        }
        for (int i = 0; i < dim; i += 16) {
            const __m512 part = load_part(q + i, dim - i, is_whole);
            UNROLL
            for (int r = 0; r < 4; r++)
                total[r] =
                    _mm512_fmadd_ps(part, load_part(rows[r] + i, dim - i, is_whole), total[r]);
        }
        float sums[4];
        sums_store(total, sums);
        for (int r = 0; r < 4 && p + r < count; r++)
            scores[p + r] = sums[r] * scale;
    }
}

static void score(const float *q, const float *keys, int64_t stride, int dim, int64_t count,
                  float scale, float *scores)
{
    if (dim % 16 == 0)
        score_rows(q, keys, stride, dim, count, scale, scores, true);
    else
        score_rows(q, keys, stride, dim, count, scale, scores, false);
}

/* 64 numbers of the output stay in registers. */
static inline __attribute__((always_inline)) void
mix_part(const float *weights, const float *values, int64_t stride, int64_t left, int64_t count,
         float factor, float *out, const bool is_whole)
{
    __m512 total[4];

    UNROLL
    for (int r = 0; r < 4; r++)
        total[r] =
            _mm512_mul_ps(load_part(out + 16 * r, left - 16 * r, is_whole), _mm512_set1_ps(factor));
    for (int64_t p = 0; p < count; p++) {
        const __m512 weight = _mm512_set1_ps(weights[p]);
        UNROLL
        for (int r = 0; r < 4; r++)
            total[r] = _mm512_fmadd_ps(
                weight, load_part(values + p * stride + 16 * r, left - 16 * r, is_whole), total[r]);
    }
    for (int r = 0; r < 4 && 16 * r < left; r++) {
        const int64_t count_left = left - 16 * r;
        _mm512_mask_storeu_ps(out + 16 * r,
                              count_left >= 16 ? 0xffff : (__mmask16)((1u << count_left) - 1),
                              total[r]);
    }
}

static void mix(const float *weights, const float *values, int64_t stride, int dim, int64_t count,
                float factor, float *out)
{
    int from = 0;

    for (; from + 64 <= dim; from += 64)
        mix_part(weights, values + from, stride, 64, count, factor, out + from, true);
    if (from < dim)
        mix_part(weights, values + from, stride, dim - from, count, factor, out + from, false);
}

static const struct number_format exact = {
    .name = "float32",
    .bytes = 4,
    .block_cols = 384,
    .pack = pack_f32,
    .prepare = prepare_f32,
    .expand = expand_f32,
    .tile = tile_f32,
};
static const struct number_format fast = {
    .name = "bfloat16",
    .bytes = 2,
    .block_cols = 768,
    .pack = pack_bf16,
    .prepare = prepare_bf16,
    .expand = expand_bf16,
    .multiply = multiply_bf16,
    .tile = tile_bf16,
};

#define ENTRIES_OF_BOTH LOOPS_OF_EVERY_SET, .exact = &exact, .score = score, .mix = mix

extern const struct isa isa_avx512, isa_avx512vbmi;
const struct isa isa_avx512 = {
    .name = "avx512",
    .is_supported = has_bf16,
    .fast = &fast,
    ENTRIES_OF_BOTH,
};

/* Processors without bfloat16: Ice Lake, Tiger Lake, Rocket Lake. */
const struct isa isa_avx512vbmi = {
    .name = "avx512vbmi",
    .is_supported = has_vbmi,
    ENTRIES_OF_BOTH,
};
