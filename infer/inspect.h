/* What a checkpoint directory holds, without loading it: modules, how they are stored, what they cost.
 *
 * Whoever opens an inspection closes it; names and modules are valid until then.
 */
#ifndef INFER_INSPECT_H
#define INFER_INSPECT_H

#include <stdint.h>

#include "infer/error.h"

struct inspection;

/* One HXQ matrix, or one exact tensor (codebook_size 0). */
struct inspected_module {
    const char *name;
    const char *storage; /* "HXQ", "F32", "F16", "BF16", ... */
    int rank;
    int64_t shape[8];
    int64_t numbers;       /* weights it stands for */
    int64_t bytes;         /* as stored */
    int codebook_size;     /* 0: stored as it is */
    int64_t sidecar_count; /* exact outliers */
};

struct inspection_totals {
    int compressed_count, exact_count;
    int64_t numbers;
    int64_t compressed_bytes, exact_bytes;
    int64_t dense_bytes; /* the same numbers in 16 bits each */
    int64_t file_bytes;
};

/* NULL with an error that names file and tensor. Headers and shapes are checked; weights are not read. */
struct inspection *inspection_open(const char *directory, struct error *error);
void inspection_close(struct inspection *inspection);

int inspection_count(const struct inspection *inspection);
const struct inspected_module *inspection_at(const struct inspection *inspection, int index);
void inspection_total(const struct inspection *inspection, struct inspection_totals *totals);

#endif
