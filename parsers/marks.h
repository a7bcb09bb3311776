/* The tokens of a text that tell where blocks begin and end, in order.
 *
 * Each language names them in queries/<language>/blocks.scm by captures; what follows from them is decided in scope.c alike
 * for all languages. They are tokens and not whole nodes because a buffer is mostly half-written: around an error the
 * parser's tree has any shape, but its tokens are still told from what strings and comments contain.
 *
 * A value owned by whoever collected it; private to this room.
 */
#ifndef PARSERS_MARKS_H
#define PARSERS_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parsers/tree.h"

/* In the order in which marks of one token are sorted: "else" first ends a block, then opens one. */
enum mark_kind {
    MARK_COMMENT,       /* @comment: a whole one */
    MARK_STRING,        /* @string: a whole one, whatever it contains */
    MARK_LOOSE,         /* @loose: begins a line whose indentation says nothing */
    MARK_HEADER,        /* @header: first on its line, makes it the header of an indented block */
    MARK_HEADER_END,    /* @header.end: where such a header ends */
    MARK_BRANCH,        /* @branch: ends a block without being part of it */
    MARK_CLOSE,         /* @close: ends a block and is part of it */
    MARK_OPEN,          /* @open: begins a block that a close or branch ends */
    MARK_BRACKET_CLOSE, /* @bracket.close */
    MARK_BRACKET_OPEN, /* @bracket.open: till it is closed, line starts and indentation mean nothing */
    MARK_KINDS,
};

struct mark {
    enum mark_kind kind;
    uint32_t start, end; /* bytes of the text */
};

struct marks {
    struct mark *items; /* [count], by start, then kind */
    size_t count;
};

/* A limit of what is collected; the marks behind it are missing. */
enum { MARKS_LIMIT = 32 * 1024 };

/* The marks of `tree` that begin within [from, to) of `text`, or reach into it. False when memory is exhausted. */
bool marks_init(struct marks *marks, const struct language *language, const TSTree *tree,
                const char *text, size_t from, size_t to);
void marks_finish(struct marks *marks);

#endif
