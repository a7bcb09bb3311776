/* Definitions as a language's symbols query matches them, before it is known what surrounds them.
 *
 * A match is a definition when a capture of queries/<language>/symbols.scm is named after its kind (@function ... @field) and
 * another gives its @name, or a @declarator of C, which is followed inwards to the name. Where it has a body, @body says where
 * that begins, @head what ends before it; @owner the type that a method is written for. Of several matches for one name the
 * earliest pattern wins. Captures that stand alone: @wrapper, to which a definition that is the @wrapped at its end is
 * extended; @attribute, to which one that follows is; @doc, a docstring where a body begins; @scope, a function without a
 * name; @import.
 *
 * A value owned by whoever collected it; private to this room.
 */
#ifndef PARSERS_DRAFTS_H
#define PARSERS_DRAFTS_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/symbols.h"

/* The kind of a function that has no name. */
enum { DRAFT_SCOPE = SYMBOL_KINDS };

struct draft {
    int kind;          /* enum symbol_kind or DRAFT_SCOPE */
    int pattern;       /* that matched */
    struct span whole; /* with what it is wrapped in and its attributes */
    struct span name;  /* empty for a scope */
    struct span owner; /* empty: not said by the definition itself */
    size_t body;       /* where it begins; 0: none */
    size_t head;       /* where what stands before the body ends; 0: not known */
};

/* A growing array of ranges, sorted by start. */
struct spans {
    struct span *items;
    size_t count;
};

struct drafts {
    struct draft *items; /* [count], by place, what encloses first */
    size_t count;
    struct spans imports, docs;
};

/* All of the text, whose tree must be there. False when memory is exhausted; then there is nothing to finish. */
bool drafts_init(struct drafts *drafts, const struct syntax *syntax, const char *text,
                 size_t bytes);
void drafts_finish(struct drafts *drafts);

/* Index of the first range that starts at or after `offset`. */
size_t spans_from(const struct spans *spans, size_t offset);

/* The capture of a kind, which is its name. */
const char *draft_kind_name(enum symbol_kind kind);

#endif
