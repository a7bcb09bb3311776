/* AVX2 and FMA: the loops, compiled for eight lanes. Looking the codebook up one value at a time beats gather instructions on
 * most processors that have this set and nothing better, so the expansion is the plain one as well. */
#include "kernels/cpu/isa_loops.h"

static bool is_supported(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

extern const struct isa isa_avx2;
const struct isa isa_avx2 = {.name = "avx2", .is_supported = is_supported, LOOPS_ONLY};
