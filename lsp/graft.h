/* What the parser says of a text put in at the cursor: does it bring errors that were not there?
 *
 * A graft is the text around a cursor, parsed once; every question costs a fraction of that. Where there is no grammar nothing
 * is ever wrong. Lives no longer than its context and on one thread.
 */
#ifndef LSP_GRAFT_H
#define LSP_GRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "lsp/context.h"

struct graft;

/* NULL when memory is exhausted. */
struct graft *graft_create(const struct context *context);
void graft_destroy(struct graft *graft);

/* Errors that are left once the text stands in the place of the first `replaced_bytes` behind the cursor. */
size_t graft_errors(const struct graft *graft, size_t replaced_bytes, const char *text,
                    size_t bytes);

/* Whether those are no more than there were. */
bool graft_is_sound(const struct graft *graft, size_t replaced_bytes, const char *text,
                    size_t bytes);

/* The longest beginning of the text that is sound and ends where a line or a word ends; 0 where there is none. */
size_t graft_sound_bytes(const struct graft *graft, size_t replaced_bytes, const char *text,
                         size_t bytes);

#endif
