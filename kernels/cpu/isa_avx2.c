/* AVX2 and FMA: the loops, compiled for eight lanes. Looking the codebook up one value at a time beats gather instructions on
 * most processors that have this set and nothing better, so the expansion is the plain one as well. */
#include "kernels/cpu/isa_loops.h"

static bool is_supported(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static const struct number_format exact = {
    .name = "float32",
    .bytes = 4,
    .block_cols = 384,
    .pack = loop_pack,
    .prepare = loop_prepare,
    .expand = loop_expand,
    .tile = loop_tile,
};

extern const struct isa isa_avx2;
const struct isa isa_avx2 = {
    .name = "avx2",
    .is_supported = is_supported,
    .exact = &exact,
    .dot = loop_dot,
    .score = loop_score,
    .mix = loop_mix,
    .exp_sum = loop_exp_sum,
    .silu_mul = loop_silu_mul,
    .widen = loop_widen,
};
