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

/* Line ends of the copies are '\n' where the document has "\r\n": so models have learnt to write, and editors turn the '\n'
 * of an insertion into their own. */
struct context {
    const struct language *language; /* process lifetime; NULL for plain text */
    enum scope_extent extent;
    char *
        before; /* up to the cursor; begins at a line start, within a longer line at a code point */
    size_t before_bytes;
    char *after; /* from the cursor; ends behind a line end, within a longer line at a code point */
    size_t after_bytes;
    /* The cursor stood on a line of white space only: the model continues from the line's start, and the white space that
     * it writes first is reconciled with this many bytes that the user already has. */
    size_t blank_bytes;
    bool is_blank_line; /* such a line, be there white space before the cursor or none */
};

/* `syntax` may be NULL and must be up to date with `text`; a `cursor` behind the text means its end. False when memory is
 * exhausted. */
bool context_init(struct context *context, const struct language *language,
                  const struct syntax *syntax, const char *text, size_t bytes, size_t cursor);
void context_finish(struct context *context);

/* The prefix that the model is given: `before`, less the white space of a blank cursor line. */
size_t context_prompt_bytes(const struct context *context);

/* The cursor line's beginning, as far as the model is given it: offset in `before`. */
size_t context_line_start(const struct context *context);

/* The rest of the cursor's line without white space around it; *start is its offset in `after`. */
size_t context_rest(const struct context *context, size_t *start);

#endif
