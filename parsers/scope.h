/* Questions about a place in a program that completion needs answered: may more than one line be written here, and where
 * must a completion end?
 *
 * Pure functions of text and language; offsets are bytes; `language` NULL means plain text, for which the answers fall back
 * to indentation. Nothing is kept between calls, so any thread may ask.
 */
#ifndef PARSERS_SCOPE_H
#define PARSERS_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/syntax.h"

enum scope_extent {
    SCOPE_LINE,  /* finish the cursor's line */
    SCOPE_BLOCK, /* an empty block or body has just been opened here: fill it */
};

/* How far around the cursor is looked at, and how much of an insertion; what is longer has ended. */
enum {
    SCOPE_BEFORE_BYTES = 4 * 1024,
    SCOPE_INSERTED_BYTES = 16 * 1024,
};

/* What may be written at `cursor`. `syntax` may be NULL (plain text); its tree must be up to date with `text`, and without one
 * the text counts as plain. */
enum scope_extent scope_extent_at(const struct syntax *syntax, const char *text, size_t bytes,
                                  size_t cursor);

/* Text around an insertion: `before` ends at the cursor, `after` begins there; neither is NULL. */
struct scope_gap {
    const struct language *language; /* may be NULL */
    const char *before;
    size_t before_bytes;
    const char *after;
    size_t after_bytes;
};

/* How many bytes of `inserted` still belong where the cursor stood: for SCOPE_LINE up to the end of its line, for SCOPE_BLOCK
 * up to the end of the block that was opened before the cursor, with what closes it unless `after` does that already. Equal
 * to `inserted_bytes` while nothing has ended yet, so it serves both to stop a growing completion (*ended true) and to trim a
 * finished one. A line that may still grow decides nothing that could turn out wrong: whoever knows that no more comes passes
 * a last line with its '\n'. */
size_t scope_end(const struct scope_gap *gap, enum scope_extent extent, const char *inserted,
                 size_t inserted_bytes, bool *ended);

#endif
