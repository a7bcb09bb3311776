/* A syntax tree that follows a text as it is edited.
 *
 * Wraps one tree-sitter parser and tree. The text itself belongs to the caller: every call that needs it takes it again.
 * Offsets are bytes. One thread uses a syntax at a time. Whoever creates it destroys it; NULL is accepted.
 */
#ifndef PARSERS_SYNTAX_H
#define PARSERS_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/languages.h"

struct syntax;

/* NULL when memory is exhausted. The tree is that of an empty text. */
struct syntax *syntax_create(const struct language *language);
void syntax_destroy(struct syntax *syntax);

/* Says that bytes [start, old_end) of the text became [start, new_end). `text` is the text after the edit. Cheap: the tree is
 * brought up to date by the next syntax_parse. */
void syntax_edit(struct syntax *syntax, const char *text, size_t bytes, size_t start,
                 size_t old_end, size_t new_end);

/* Brings the tree up to date with `text`, reusing what edits left untouched. False when parsing was given up (time limit,
 * memory): the old tree is dropped and questions answer as for plain text. */
bool syntax_parse(struct syntax *syntax, const char *text, size_t bytes);

/* Errors and missing nodes in the tree, counted up to a limit. */
size_t syntax_error_count(const struct syntax *syntax);

#endif
