/* What is wrong in a tree: errors, missing tokens, and tags that do not belong together, which grammars let pass.
 *
 * Pure functions; the text behind a tree may lie in pieces. Private to this room.
 */
#ifndef PARSERS_FAULTS_H
#define PARSERS_FAULTS_H

#include <stddef.h>

#include "parsers/tree.h"

enum { PIECES_MAX = 3 };

/* A text in pieces that lie in a row, some of them empty. */
struct pieces {
    struct piece {
        const char *text;
        size_t bytes;
    } items[PIECES_MAX];
};

/* The faults of a tree and the text it stands for, at most SYNTAX_ERROR_LIMIT. A tag that closes nothing is one, and so are an
 * element of HTML that stays open though its end must be written, and one of JSX that ends under another name. */
size_t faults_count(const TSTree *tree, const struct pieces *text);

#endif
