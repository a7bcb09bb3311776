/* From what a model wrote to what a user is shown.
 *
 * Pure functions of a context and the text generated so far; used on the worker thread while text arrives (to stop as soon
 * as more cannot help) and once at the end.
 */
#ifndef LSP_TRIM_H
#define LSP_TRIM_H

#include <stdbool.h>
#include <stddef.h>

#include "lsp/context.h"

/* Whether generation can stop: the line or syntax node has ended, the model repeats itself, or it has begun to write the
 * text after the cursor. */
bool trim_is_complete(const struct context *context, const char *text, size_t bytes);

/* The text to insert at the cursor, NUL-terminated, owned by the caller; "" when nothing is worth showing; NULL when memory
 * is exhausted. Line ends are '\n', a duplicate of what follows the cursor and closers that are already there are gone. */
char *trim_finish(const struct context *context, const char *text, size_t bytes);

#endif
