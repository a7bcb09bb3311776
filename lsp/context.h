/* What a completion request is about: the text around the cursor that the model will see, and how far it may write.
 *
 * A context is a value: it owns copies of the text, so it can travel to the worker thread while the document goes on
 * changing. Made on the loop thread from a document, freed by whoever holds it last.
 */
#ifndef LSP_CONTEXT_H
#define LSP_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/scope.h"

/* Limits of what is copied around a cursor; the engine cuts further, by tokens. */
enum {
    CONTEXT_PREFIX_BYTES = 64 * 1024,
    CONTEXT_SUFFIX_BYTES = 16 * 1024,
};

struct context {
    const struct language *language; /* process lifetime; NULL for plain text */
    enum scope_extent extent;
    char *before; /* up to the cursor; begins at a line start */
    size_t before_bytes;
    char *after; /* from the cursor; ends at a line end */
    size_t after_bytes;
    /* The cursor stood on a line of white space only: the model continues from the line's start, and the white space that
     * it writes first is reconciled with this many bytes that the user already has. */
    size_t blank_bytes;
};

/* `syntax` may be NULL and must be up to date with `text`. False when memory is exhausted. */
bool context_init(struct context *context, const struct language *language,
                  const struct syntax *syntax, const char *text, size_t bytes, size_t cursor);
void context_finish(struct context *context);

/* The prefix that the model is given: `before`, less the white space of a blank cursor line. */
size_t context_prompt_bytes(const struct context *context);

#endif
