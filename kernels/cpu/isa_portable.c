/* Plain C: the set that every processor has. */
#include "kernels/cpu/isa_loops.h"

static bool is_supported(void)
{
    return true;
}

extern const struct isa isa_portable;
const struct isa isa_portable = {.name = "portable", .is_supported = is_supported, LOOPS_ONLY};
