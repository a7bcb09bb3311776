/* Plain C: the set that every processor has. */
#include "kernels/cpu/isa_loops.h"

static bool is_supported(void)
{
    return true;
}

static const struct number_format exact = {
    .name = "float32",
    .bytes = 4,
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
    .add_scaled = loop_add_scaled,
    .softmax = loop_softmax,
    .silu_mul = loop_silu_mul,
    .widen = loop_widen,
};
