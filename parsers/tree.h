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

/* queries/<language>/blocks.scm, compiled at first use, by whichever thread comes first; NULL when it cannot be. */
const TSQuery *language_blocks(const struct language *language);

/* NULL where there is no tree: before the first parse, and after one that was given up. */
const TSTree *syntax_tree(const struct syntax *syntax);

#endif
