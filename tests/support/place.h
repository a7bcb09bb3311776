/* A scratch folder for a run of the encoder: its source, and where its destination will be. Asserts instead of failing. */
#ifndef TESTS_SUPPORT_PLACE_H
#define TESTS_SUPPORT_PLACE_H

#include "tests/support/checkpoint.h"

#define PLACE_DENSE "tests/golden/qwen2-tied-dense"

struct place {
    char root[64], source[80], destination[80], partial[96];
};

void place_make(struct place *place);
void place_remove(const struct place *place);

/* Makes the source: the dense golden checkpoint as `edit` (may be NULL) leaves it. */
void place_fill(const struct place *place, void (*edit)(struct checkpoint *checkpoint), int shards);

#endif
