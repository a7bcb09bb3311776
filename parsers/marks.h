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

#include "parsers/comments.h"
#include "parsers/tree.h"

/* In the order in which marks of one token are sorted: "else" first ends a block, then opens one. */
enum mark_kind {
    MARK_COMMENT,       /* @comment: a whole one */
    MARK_STRING,        /* @string: a whole one, whatever it contains */
    MARK_CODE,          /* @code: what is code again within one */
    MARK_TEXT,          /* @text: prose, in which quotation marks begin nothing */
    MARK_FOREIGN,       /* @foreign: text in a language of its own */
    MARK_LOOSE,         /* @loose: begins a line whose indentation says nothing */
    MARK_HEADER,        /* @header: first on its line, makes it the header of an indented block */
    MARK_HEADER_END,    /* @header.end: where such a header ends */
    MARK_BRANCH,        /* @branch: ends a block without being part of it */
    MARK_CLOSE,         /* @close: ends a block and is part of it */
    MARK_OPEN,          /* @open: begins a block that a close or branch ends */
    MARK_FLUSH,         /* @flush: such a block whose contents stand no deeper than its header */
    MARK_BRACKET_CLOSE, /* @bracket.close */
    MARK_BRACKET_OPEN,  /* @bracket.open: till closed, line starts and indentation mean nothing */
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

enum {
    MARKS_ALL = (1 << MARK_KINDS) - 1,
    MARKS_LITERALS = 1 << MARK_COMMENT | 1 << MARK_STRING | 1 << MARK_CODE
};

/* The marks of `tree` that begin within `range` of `text`, or reach into it; `kinds` has a bit for each kind that is wanted.
 * False when memory is exhausted; then there is nothing to finish. */
bool marks_init(struct marks *marks, const struct language *language, const TSTree *tree,
                const char *text, struct span range, unsigned kinds);
void marks_finish(struct marks *marks);

/* What `at` stands in, as place_at has it: marks must reach around it. */
enum place marks_place(const struct marks *marks, const struct language *language, const char *text,
                       size_t at, struct span *range);

/* As comment_above. */
struct span marks_comment_above(const struct marks *marks, const char *text, size_t offset);

/* Index of the first mark that starts at or after `offset`. */
size_t marks_from(const struct marks *marks, size_t offset);

#endif
