/* From tensors in files to weights on a backend, checked.
 *
 * Knows how a module is stored: HXQ (`M.codebook`, `M.indices`, sidecar) or dense (`M.weight`), and that vectors are dense
 * of any float type. Refuses by name what is malformed, not finite, or stored in a way that is not implemented; never guesses.
 * Remembers which tensors were used, so that the rest can be listed. Lives while a model is being loaded; one thread.
 */
#ifndef INFER_WEIGHTS_H
#define INFER_WEIGHTS_H

#include "infer/safetensors.h"
#include "kernels/kernels.h"

struct weights {
    const struct safetensors *files;
    struct backend *backend;
    struct error *error;
    bool *used;    /* [safetensors_count] */
    void *numbers; /* [capacity] bytes: of the tensor that is being brought over */
    size_t capacity;
    int64_t parameters; /* numbers that the weights loaded so far stand for */
    int64_t bytes;      /* as stored */
};

bool weights_init(struct weights *weights, const struct safetensors *files, struct backend *backend,
                  struct error *error);
void weights_finish(struct weights *weights);

/* Whether a module is present in either form. */
bool weights_has(const struct weights *weights, const char *module);

/* Module `module` as a matrix [rows, cols]. NULL with an error. */
struct matrix *weights_matrix(struct weights *weights, const char *module, int64_t rows,
                              int64_t cols);

/* Tensor `name` as float32 [count]. NULL with an error. */
struct buffer *weights_vector(struct weights *weights, const char *name, int64_t count);

/* The storage of a module as the tensors' shapes tell it; names follow the original encoder. */
struct module_tensors {
    const struct tensor *codebook, *indices, *sidecar_positions, *sidecar_values; /* HXQ */
    const struct tensor *dense;
    const struct tensor
        *unsupported; /* an addition that changes results: SVD factors, channel scales */
};

/* Looks a module up; fields without a tensor are NULL. */
void module_tensors_find(struct module_tensors *found, const struct safetensors *files,
                         const char *module);

#endif
