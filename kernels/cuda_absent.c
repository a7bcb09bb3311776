/* What stands behind the door to CUDA in builds without it. */
#include <stdio.h>

#include "kernels/kernels.h"

static const char not_built[] = "this build has no CUDA backend";

bool cuda_device_find(struct cuda_device *device, char problem[BACKEND_PROBLEM_BYTES])
{
    *device = (struct cuda_device){0};
    snprintf(problem, BACKEND_PROBLEM_BYTES, "%s", not_built);
    return false;
}

struct backend *cuda_backend_create(bool exact, int64_t memory_bytes,
                                    char problem[BACKEND_PROBLEM_BYTES])
{
    (void)exact;
    (void)memory_bytes;
    snprintf(problem, BACKEND_PROBLEM_BYTES, "%s", not_built);
    return NULL;
}
