/* What the files below some folders define.
 *
 * An index is a value that never changes once built. Building walks the folders, passes over what is ignored, secret, hidden
 * or reached by a link, and reads only files that are new or have changed since the index before; the other entries are
 * shared. Where there are more files than it may hold, those of the languages that the user works in come first, then those
 * the fewest folders away from there, then the newest. It runs on a thread of its caller's choosing, and nobody may destroy the
 * index before while it does.
 *
 * Process lifetime; definitions that are lent live as long as their index.
 */
#ifndef LSP_CONTEXT_INDEX_H
#define LSP_CONTEXT_INDEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "lsp/context/definitions.h"

/* What lies beyond is not in the index. */
enum {
    INDEX_FILES_MAX = 8 * 1024,
    INDEX_VISITS_MAX = 256 * 1024, /* names read from folders */
    INDEX_DEPTH_MAX = 32,
    INDEX_TEXT_BYTES = 32 * 1024 * 1024, /* of all definitions */
};

struct index;

/* Counts for the curious. */
struct index_counts {
    size_t files, definitions, bytes;
    size_t read; /* files that were read for this index */
};

/* What an index is made of; borrowed while it is built. */
struct index_source {
    const char *const *folders; /* [count], absolute paths without '/' at the end */
    size_t count;
    const char *rules;       /* patterns like a .gitignore, holding in each of the folders */
    const char *const *near; /* [near_count], files that the user works in */
    size_t near_count;
    size_t files_max; /* 0: INDEX_FILES_MAX */
};

/* `before` may be NULL. NULL when cancelled or memory is exhausted. */
struct index *index_build(const struct index *before, const struct index_source *source,
                          const atomic_bool *cancel);

/* NULL is accepted. */
void index_destroy(struct index *index);

/* Whether there was more than it may hold. */
bool index_is_full(const struct index *index);

/* Whether it holds the same files in the same states as the one it was built after. */
bool index_is_unchanged(const struct index *index);

/* Writes up to `limit` definitions of a name into `found`, ordered by path, and returns how many there are. */
size_t index_find(const struct index *index, const char *name, size_t bytes,
                  const struct definition **found, size_t limit);

void index_count(const struct index *index, struct index_counts *counts);

#endif
