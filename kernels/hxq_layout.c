/* Sorting by position with the order of appearance as tie-break makes "last one wins" a matter of looking at neighbours:
 * the original loader writes duplicates one after the other, so the last write is what counts. */
#include "kernels/hxq_layout.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    int64_t position, order;
};

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->position != b->position)
        return a->position < b->position ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Entries in order of position, duplicates still in; NULL when memory is exhausted. */
static struct entry *sorted_entries(const struct matrix_source *source)
{
    struct entry *entries = malloc(((size_t)source->sidecar_count + 1) * sizeof *entries);
    if (!entries)
        return NULL;

    for (int64_t i = 0; i < source->sidecar_count; i++)
        entries[i] = (struct entry){source->sidecar_positions[i], i};
    qsort(entries, (size_t)source->sidecar_count, sizeof *entries, compare_entries);
    return entries;
}

bool sidecar_rows_init(struct sidecar_rows *sidecar, const struct matrix_source *source)
{
    const size_t count = (size_t)source->sidecar_count;
    struct entry *entries = sorted_entries(source);

    sidecar->starts = calloc((size_t)source->rows + 1, sizeof *sidecar->starts);
    sidecar->columns = malloc((count + 1) * sizeof *sidecar->columns);
    sidecar->values = malloc((count + 1) * sizeof *sidecar->values);
    sidecar->deltas = malloc((count + 1) * sizeof *sidecar->deltas);
    if (!entries || !sidecar->starts || !sidecar->columns || !sidecar->values || !sidecar->deltas) {
        free(entries);
        sidecar_rows_finish(sidecar);
        return false;
    }

    /* keep the last of equal positions, count entries per row */
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && entries[i + 1].position == entries[i].position)
            continue;
        sidecar->starts[entries[i].position / source->cols + 1]++;
        sidecar->columns[kept] = (int32_t)(entries[i].position % source->cols);
        const float value = source->sidecar_values[entries[i].order];
        const uint8_t index = ((const uint8_t *)source->data)[entries[i].position];
        sidecar->values[kept] = value;
        sidecar->deltas[kept++] = value - source->codebook[index];
    }

    /* counts become starts */
    for (int64_t row = 0; row < source->rows; row++)
        sidecar->starts[row + 1] += sidecar->starts[row];
    free(entries);
    return true;
}

void sidecar_rows_finish(struct sidecar_rows *sidecar)
{
    free(sidecar->starts);
    free(sidecar->columns);
    free(sidecar->values);
    free(sidecar->deltas);
    memset(sidecar, 0, sizeof *sidecar);
}
