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

/* Bytes [start, end) of a text. */
struct span {
    size_t start, end;
};

/* Beyond these a parse is given up: a text so large, or processor time spent on one call. */
enum { SYNTAX_LIMIT_BYTES = 4 * 1024 * 1024, SYNTAX_LIMIT_MS = 1000 };

/* NULL when memory is exhausted. There is no tree before the first syntax_parse. */
struct syntax *syntax_create(const struct language *language);
void syntax_destroy(struct syntax *syntax);

/* Says that bytes [start, end) of `text` are about to become the `count` bytes of `inserted`; called before the text changes.
 * Cheap: the tree is brought up to date by the next syntax_parse. */
void syntax_edit(struct syntax *syntax, const char *text, size_t start, size_t end,
                 const char *inserted, size_t count);

/* Forgets the tree: the text is about to become another one. */
void syntax_reset(struct syntax *syntax);

/* Brings the tree up to date with `text`, reusing what edits left untouched; nothing to do costs nothing. False when parsing
 * was given up: the old tree is dropped, questions answer as for plain text, and only after some edits it is tried again. */
bool syntax_parse(struct syntax *syntax, const char *text, size_t bytes);

const struct language *syntax_language(const struct syntax *syntax);

/* Errors and missing tokens in the tree of `text`, and elements of HTML and JSX that do not end as they must, counted up to a
 * limit; 0 where there is no tree. */
enum { SYNTAX_ERROR_LIMIT = 1000 };
size_t syntax_error_count(const struct syntax *syntax, const char *text, size_t bytes);

/* What syntax_error_count would say if bytes `range` of `text` became the `count` bytes of `inserted`; syntax and text stay as
 * they are. Costs a fraction of a parse: all that the change leaves untouched is reused. SYNTAX_ERROR_LIMIT when it had to be
 * given up, 0 where there is no tree. */
size_t syntax_error_count_with(const struct syntax *syntax, const char *text, size_t bytes,
                               struct span range, const char *inserted, size_t count);

#endif
