/* Where each tensor of a safetensors file will lie, before any of it is written.
 *
 * Tensors are placed by the width of their numbers, the widest first, so that each is aligned, without holes, as the
 * format's readers want it. Whoever makes a layout finishes it; constant, and good for several threads, once placed.
 */
#ifndef INFER_COMPRESS_LAYOUT_H
#define INFER_COMPRESS_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/error.h"

struct layout_tensor {
    char *name;
    const char *type_name; /* as the format spells it; borrowed */
    int width;             /* bytes of one number */
    int rank;
    int64_t shape[8];
    int64_t bytes, offset; /* the offset counts from the data's beginning */
};

struct layout {
    struct layout_tensor *tensors; /* [count] in the order in which they were added */
    size_t count, capacity;
    char *header; /* [header_bytes] length and JSON: the file's beginning, once placed */
    size_t header_bytes;
    int64_t file_bytes;
};

/* Adds a tensor of the given shape under "module" + "suffix"; gives its number, or -1 when memory is exhausted. Zero-
 * initialise the layout before. */
int layout_add(struct layout *layout, const char *module, const char *suffix, const char *type_name,
               int width, int rank, const int64_t *shape);

/* Places all tensors and writes the header. */
bool layout_place(struct layout *layout, struct error *error);

/* Place in the file of a tensor that was placed. */
int64_t layout_at(const struct layout *layout, int tensor);

void layout_finish(struct layout *layout);

#endif
