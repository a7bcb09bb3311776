/* Plain C: the set that every processor has. */
#include "kernels/cpu/isa_loops.h"

static bool is_supported(void)
{
    return true;
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

extern const struct isa isa_portable;
const struct isa isa_portable = {
    .name = "portable",
    .is_supported = is_supported,
    .exact = &exact,
    .dot = loop_dot,
    .score = loop_score,
    .mix = loop_mix,
    .exp_sum = loop_exp_sum,
    .silu_mul = loop_silu_mul,
    .widen = loop_widen,
};
