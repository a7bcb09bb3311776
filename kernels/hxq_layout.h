/* The sidecar of an HXQ matrix, sorted into rows.
 *
 * A checkpoint lists exceptions by flat position in any order; a kernel walks a row at a time. This layout is shared by all
 * backends. Plain memory, owned by the struct; filled once, then read by any thread.
 */
#ifndef KERNELS_HXQ_LAYOUT_H
#define KERNELS_HXQ_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/kernels.h"

struct sidecar_rows {
    int64_t *starts;  /* [rows + 1] first entry of each row */
    int32_t *columns; /* [starts[rows]] ascending within a row */
    float *values;    /* [starts[rows]] what stands there instead of the codebook's value */
    float *deltas;    /* [starts[rows]] by how much it is more than the codebook's value */
};

/* Sorts a source's sidecar; of entries with one position the last given stays. False when memory is exhausted. */
bool sidecar_rows_init(struct sidecar_rows *sidecar, const struct matrix_source *source);
void sidecar_rows_finish(struct sidecar_rows *sidecar);

#endif
