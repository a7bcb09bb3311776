/* Lines of a plain text: where they begin and end, whether anything stands on them, and copies of them.
 *
 * Pure functions; offsets are bytes, and none is larger than the text's size.
 */
#ifndef LSP_LINES_H
#define LSP_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/syntax.h"

/* Where the line of `at` begins. */
size_t lines_start(const char *text, size_t at);

/* Where its content ends: before its line end. */
size_t lines_content_end(const char *text, size_t bytes, size_t at);

/* Where the next one begins, or the text ends. */
size_t lines_end(const char *text, size_t bytes, size_t at);

/* White space that a line which begins at `at` begins with, in bytes. */
size_t lines_indent(const char *text, size_t bytes, size_t at);

/* Whether there is only white space from one offset to another. */
bool lines_are_blank(const char *text, size_t from, size_t to);

/* What a selection is about: `range` without white space at either end; of white space alone, and of a cursor, its start. So
 * whole lines do not reach into the next one, nor does the character that some editors select where others have a cursor. */
struct span lines_selected(const char *text, struct span range);

/* As many whole lines of `range`, which begins at a line's start, as `limit` bytes hold. */
struct span lines_cut(const char *text, struct span range, size_t limit);

/* A copy with '\n' for "\r\n" and a space for NUL, NUL-terminated, for the caller to free; NULL on exhausted memory. */
char *lines_copy(const char *text, struct span range);

#endif
