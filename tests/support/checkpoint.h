/* Checkpoints that tests change: read one, edit tensors and config in memory, write it elsewhere.
 *
 * An editor of its own, not built on the engine's reader, so that it can write what the reader must refuse. Asserts instead of
 * failing: a test has nothing better to do.
 */
#ifndef TESTS_SUPPORT_CHECKPOINT_H
#define TESTS_SUPPORT_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "tests/support/scratch.h"

struct edited_tensor {
    char *name;
    char dtype[8];
    int rank;
    int64_t shape[8];
    unsigned char *data; /* malloc'ed; may be replaced */
    size_t bytes;
};

struct checkpoint {
    json_t *config;
    struct edited_tensor *tensors; /* [count] */
    size_t count;
};

/* Reads DIR/config.json and DIR/model.safetensors. */
void checkpoint_read(struct checkpoint *checkpoint, const char *directory);
void checkpoint_finish(struct checkpoint *checkpoint);

bool checkpoint_has(const struct checkpoint *checkpoint, const char *name);

/* Asserts that it is there. */
struct edited_tensor *checkpoint_find(struct checkpoint *checkpoint, const char *name);
void checkpoint_remove(struct checkpoint *checkpoint, const char *name);

/* Number `i` of a BF16 tensor. */
float edited_tensor_bf16(const struct edited_tensor *tensor, size_t i);

/* Writes an existing directory: one file, or `shards` files with an index. */
void checkpoint_write(const struct checkpoint *checkpoint, const char *directory, int shards);

#endif
