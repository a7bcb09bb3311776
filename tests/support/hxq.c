/* Codes are looked up, then outliers are laid over them. */
#include "tests/support/hxq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef NDEBUG /* the asserts are what this file does */
#include <assert.h>

struct edited_tensor *hxq_part(struct checkpoint *checkpoint, const char *module,
                               const char *suffix)
{
    char name[256];

    snprintf(name, sizeof name, "%s%s", module, suffix);
    return checkpoint_has(checkpoint, name) ? checkpoint_find(checkpoint, name) : NULL;
}

float *hxq_decode(struct checkpoint *checkpoint, const char *module, size_t *count,
                  size_t *outliers)
{
    const struct edited_tensor *codebook = hxq_part(checkpoint, module, ".codebook");
    const struct edited_tensor *indices = hxq_part(checkpoint, module, ".indices");
    const struct edited_tensor *positions = hxq_part(checkpoint, module, ".sidecar_positions");
    const struct edited_tensor *values = hxq_part(checkpoint, module, ".sidecar_values");
    int64_t last = -1;

    assert(strcmp(codebook->dtype, "F32") == 0);
    assert(strcmp(indices->dtype, "U8") == 0);
    assert(indices->rank == 2);
    assert(!positions == !values);
    *count = indices->bytes;
    *outliers = positions ? (size_t)positions->shape[0] : 0;
    float *numbers = malloc(*count * sizeof *numbers);
    assert(numbers);
    for (size_t i = 0; i < *count; i++) {
        assert(indices->data[i] < codebook->shape[0]);
        memcpy(&numbers[i], codebook->data + 4 * indices->data[i], 4);
    }
    for (size_t i = 0; i < *outliers; i++) {
        int64_t position;
        memcpy(&position, positions->data + 8 * i, 8);
        assert(position > last && position < (int64_t)*count);
        memcpy(&numbers[position], values->data + 4 * i, 4);
        last = position;
    }
    return numbers;
}
