/* Comments and strings: where they stand, and what comments say without their marks.
 *
 * Pure functions of tree and text; the tree must be up to date with the text, and where there is none everything counts as
 * code.
 */
#ifndef PARSERS_COMMENTS_H
#define PARSERS_COMMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/syntax.h"

enum place {
    PLACE_CODE,
    PLACE_COMMENT,
    PLACE_STRING,
};

/* What `cursor` stands in. A place at the very start of a comment or string is code, at the end of a string too; at the end of
 * a comment it is still the comment, unless that has a mark which ends it. *range, which may be NULL, becomes the whole
 * comment or string. */
enum place place_at(const struct syntax *syntax, const char *text, size_t cursor,
                    struct span *range);

/* The comment that ends on the line before that of `offset`, or before it on the same one: lines of comments with nothing but
 * one line end between them are one. An empty range if none. */
struct span comment_above(const struct syntax *syntax, const char *text, size_t offset);

/* Writes to `prose`, which has room for the bytes of `range`, what the comment there says: without marks, without the lines'
 * common indentation, without empty lines at either end. Returns how many bytes it wrote; there is no terminating zero. */
size_t comment_prose(const struct language *language, const char *text, struct span range,
                     char *prose);

#endif
