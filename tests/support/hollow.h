/* Checkpoints of full size without a number in them: names, types and shapes are real, the data is a hole in the file, which
 * takes no room. For what is decided by shapes alone. Asserts instead of failing. */
#ifndef TESTS_SUPPORT_HOLLOW_H
#define TESTS_SUPPORT_HOLLOW_H

#include <stdbool.h>

struct hollow {
    int layers, hidden, inner;
    int heads, kv_heads, head_dim;
    int vocab;
    bool tied;
    const char *embedding; /* type of embedding and head: "F32", "F16", "BF16" */
    int sidecar;           /* outliers of each matrix */
};

/* Writes config.json and model.safetensors into an existing directory. */
void hollow_write(const struct hollow *hollow, const char *directory);

#endif
