/* Where an insertion writes what stands around the cursor already.
 *
 * Pure functions of a context and a text with '\n' line ends that is to be inserted (written by a model that saw the
 * context's prompt). But for overlap_hole and overlap_rest_end each returns the offset in that text from which on it repeats
 * what stands behind the cursor, or `bytes` where it does not. The text may still be growing: what they find does not change
 * with what is appended, but for overlap_tail. */
#ifndef LSP_COMPLETION_OVERLAP_H
#define LSP_COMPLETION_OVERLAP_H

#include <stddef.h>

#include "lsp/context.h"

/* How many bytes a text begins with that open once more the hole of a string or the shell's expansion in which the cursor
 * stands, directly behind its beginning: "${", or "{" of a format. 0 where it does not, or the language is unknown. */
size_t overlap_hole(const struct context *context, const char *text, size_t bytes);

/* The rest of the cursor's line, written again outside the brackets that the insertion itself opened; or a bracket or
 * quotation mark that closes what is closed behind the cursor, on its line or at the start of the next one. */
size_t overlap_rest(const struct context *context, const char *text, size_t bytes);

/* Where a text that writes the cursor's rest of line from `at` on has written all of it, one character after the other, with
 * others between them or not; `bytes` where it may still come to that; 0 where its line does not, and where the rest is more
 * than closers and separators. What the text adds behind them can only be had by replacing them. */
size_t overlap_rest_end(const struct context *context, const char *text, size_t bytes, size_t at);

/* A whole line equal to the next one that is not blank; the first line counts with what precedes the cursor. */
size_t overlap_lines(const struct context *context, const char *text, size_t bytes);

/* The beginning of the cursor's rest of line at the end of a text that is complete. */
size_t overlap_tail(const struct context *context, const char *text, size_t bytes);

#endif
