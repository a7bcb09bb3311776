/* The sets that were compiled in, and the choice among them. */
#include "kernels/cpu/isa.h"

#include <stdlib.h>
#include <string.h>

extern const struct isa isa_portable;
#ifdef KERNELS_X86
extern const struct isa isa_avx2, isa_avx512, isa_avx512vbmi;
#endif

static const struct isa *const sets[] = {
#ifdef KERNELS_X86
    &isa_avx512,
    &isa_avx512vbmi,
    &isa_avx2,
#endif
    &isa_portable,
};

enum { SET_COUNT = sizeof sets / sizeof *sets };

const struct isa *isa_choose(void)
{
    const char *wanted = getenv("HXQD_ISA");

    for (int i = 0; wanted && i < SET_COUNT; i++)
        if (strcmp(sets[i]->name, wanted) == 0 && sets[i]->is_supported())
            return sets[i];
    for (int i = 0; i < SET_COUNT; i++)
        if (sets[i]->is_supported())
            return sets[i];
    return &isa_portable;
}
