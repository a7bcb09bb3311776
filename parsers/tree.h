/* What the files of this room share about grammars and trees, and nobody outside it sees.
 *
 * The doors (languages.h, syntax.h, scope.h) keep tree-sitter to themselves; its types appear only from here on. Grammars and
 * queries live for the process; a tree lives until its syntax is edited, parsed or destroyed.
 */
#ifndef PARSERS_TREE_H
#define PARSERS_TREE_H

#include <tree_sitter/api.h>

#include "parsers/languages.h"
#include "parsers/syntax.h"

const TSLanguage *language_grammar(const struct language *language);

/* Which of the files in queries/<language>. */
enum query_kind {
    QUERY_BLOCKS,
    QUERY_SYMBOLS,
    QUERY_NAMES,
    QUERY_KINDS,
};

/* Compiled at first use, by whichever thread comes first; NULL when it cannot be. */
const TSQuery *language_query(const struct language *language, enum query_kind kind);

/* The quotation marks that begin strings. */
const char *language_quotes(const struct language *language);

/* What begins a string, or whatever else is no code, that goes on behind a line's end: a list that NULL ends. Comments and
 * tripled quotation marks, which do in every language, are not listed. */
const char *const *language_long_opens(const struct language *language);

/* NULL where there is no tree: before the first parse, and after one that was given up. */
const TSTree *syntax_tree(const struct syntax *syntax);

#endif
