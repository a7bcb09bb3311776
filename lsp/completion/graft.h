/* What the parser says of a text put in at the cursor: does it bring errors that were not there?
 *
 * A graft is the text around a cursor, parsed once; every question costs a fraction of that. Where there is no grammar nothing
 * is ever wrong. Lives no longer than its context, or the tree that it borrows, and on one thread.
 */
#ifndef LSP_COMPLETION_GRAFT_H
#define LSP_COMPLETION_GRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "lsp/context.h"
#include "parsers/syntax.h"

struct graft;

/* NULL when memory is exhausted. */
struct graft *graft_create(const struct context *context);

/* The same where a tree that is up to date is there already, which spares the parse: a text is put in the place of `range`
 * behind `lead`, which is taken to stand there. All borrowed; `syntax` may be NULL. */
struct graft *graft_borrow(const struct syntax *syntax, const char *text, size_t bytes,
                           struct span range, const char *lead, size_t lead_bytes);

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

/* The longest beginning of the text that leaves as few errors as any does that ends at such a place; all of it where none
 * leaves fewer. */
size_t graft_best_bytes(const struct graft *graft, const char *text, size_t bytes);

#endif
