/* What a text defines and imports, as far as its syntax tells.
 *
 * Each language names its definitions in queries/<language>/symbols.scm; what belongs to a definition (its signature, its doc
 * comment, its owner) follows alike for all of them. Local variables do not count. Around an error the tree has any shape:
 * what is found there is what still looks like a definition.
 *
 * A pure function of tree and text. A value owned by whoever collected it; its ranges are bytes of that text.
 */
#ifndef PARSERS_SYMBOLS_H
#define PARSERS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/syntax.h"

enum symbol_kind {
    SYMBOL_FUNCTION,
    SYMBOL_METHOD,
    SYMBOL_TYPE, /* class, struct, enum, interface, alias; in CSS a selector */
    SYMBOL_VARIABLE,
    SYMBOL_CONSTANT, /* enumerators too */
    SYMBOL_MACRO,
    SYMBOL_MODULE, /* namespace, package */
    SYMBOL_FIELD,
    SYMBOL_KINDS,
};

struct symbol {
    enum symbol_kind kind;
    struct span name;
    struct span whole; /* with decorators and template heads, without the comment above */
    struct span
        signature; /* what of `whole` stands before the body; all of it where there is none */
    struct span
        doc; /* the comment directly above, or Python's docstring, with its marks; empty: none */
    struct span
        owner; /* name of the definition around it, a method's receiver or the type it is written for; empty: none */
};

struct symbols {
    struct symbol
        *items; /* [count], by start of whole; what encloses comes before what it contains */
    size_t count;
    struct span *
        imports; /* [import_count], by start: module names and paths without their quotation marks */
    size_t import_count;
};

/* Limits of what is collected; what lies behind is missing. */
enum { SYMBOLS_LIMIT = 8 * 1024, SYMBOLS_IMPORT_LIMIT = 512 };

/* All of the text. None of either where there is no tree, which must be up to date with `text`. False when memory is
 * exhausted; then there is nothing to finish. */
bool symbols_init(struct symbols *symbols, const struct syntax *syntax, const char *text,
                  size_t bytes);
void symbols_finish(struct symbols *symbols);

/* The innermost function, method, type, macro or module that contains `offset`, its ends included. NULL if none; lives as long
 * as `symbols`. */
const struct symbol *symbols_enclosing(const struct symbols *symbols, size_t offset);

/* "function", "method", "type", ... */
const char *symbol_kind_name(enum symbol_kind kind);

#endif
