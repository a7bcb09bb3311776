/* Three folders under one root, so that nothing of a test stays behind. */
#include "tests/support/place.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#undef NDEBUG /* the asserts are what this file does */
#include <assert.h>

void place_make(struct place *place)
{
    scratch_create(place->root);
    snprintf(place->source, sizeof place->source, "%s/source", place->root);
    snprintf(place->destination, sizeof place->destination, "%s/out", place->root);
    snprintf(place->partial, sizeof place->partial, "%s/out.partial", place->root);
    assert(mkdir(place->source, 0777) == 0);
}

void place_remove(const struct place *place)
{
    const char *const folders[] = {place->source, place->destination, place->partial};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (access(folders[i], F_OK) == 0)
            scratch_remove(folders[i]);
    scratch_remove(place->root);
}

void place_fill(const struct place *place, void (*edit)(struct checkpoint *checkpoint), int shards)
{
    struct checkpoint checkpoint;

    checkpoint_read(&checkpoint, PLACE_DENSE);
    if (edit)
        edit(&checkpoint);
    checkpoint_write(&checkpoint, place->source, shards);
    checkpoint_finish(&checkpoint);
}
