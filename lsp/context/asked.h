/* Names that the code at the cursor asks about: those that stand complete on its line before it, or in the call around it that
 * an earlier line began.
 *
 * Remembers which of them were met already, so that a key costs a look at a line and a new name is told of once. A value;
 * zero has met none.
 */
#ifndef LSP_CONTEXT_ASKED_H
#define LSP_CONTEXT_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parsers/syntax.h"

enum {
    ASKED_BYTES = 1024, /* so far before the cursor a call may begin */
    ASKED_NAMES = 64,   /* that are remembered; with so many met, further ones are not told of */
};

struct asked {
    uint64_t hashes[ASKED_NAMES]; /* [count] */
    size_t count;
};

/* Whether there is a name that was not met before; all are met then. *range is where they stand, and ends before the name that
 * is being typed. False also where there is no tree or no memory; `syntax` may be NULL and is up to date with `text`. */
bool asked_meet(struct asked *asked, const struct syntax *syntax, const char *text, size_t cursor,
                struct span *range);

#endif
