/* What a completion request is about: the text around the cursor that the model will see, and how far it may write.
 *
 * A context is a value: it owns copies of the text, so it can travel to the worker thread while the document goes on
 * changing. Made on the loop thread from a document, freed by whoever holds it last.
 */
#ifndef LSP_CONTEXT_H
#define LSP_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "lsp/context/snippets.h"
#include "parsers/scope.h"

/* Limits of what is copied around a cursor; the engine cuts further, by tokens. */
enum {
    CONTEXT_PREFIX_BYTES =
        64 * 1024, /* at most; the beginning moves on in steps of CONTEXT_PREFIX_STEP */
    CONTEXT_PREFIX_STEP = 8 * 1024,
    CONTEXT_SUFFIX_BYTES = 16 * 1024,
};

/* Nothing that travels to the model's thread has a secret in it: in the copies they are masked (secrets.h).
 *
 * Line ends of the copies are '\n' where the document has "\r\n": so models have learnt to write, and editors turn the '\n'
 * of an insertion into their own. */
struct context {
    const struct language *language; /* process lifetime; NULL for plain text */
    enum scope_extent extent;
    /* Up to the cursor; begins at a line start, within a longer line at a code point. */
    char *before;
    size_t before_bytes;
    /* From the cursor; ends behind a line end, within a longer line at a code point. */
    char *after;
    size_t after_bytes;
    bool is_blank_line; /* nothing but white space stands on the cursor's line, or nothing at all */
    size_t blank_bytes; /* of such a line, before the cursor */

    struct snippet_list shown; /* pieces of other files; none unless somebody adds them */
};

/* `syntax` may be NULL and must be up to date with `text`; a `cursor` behind the text means its end. False when memory is
 * exhausted. */
bool context_init(struct context *context, const struct language *language,
                  const struct syntax *syntax, const char *text, size_t bytes, size_t cursor);
void context_finish(struct context *context);

/* The context as it is once `text` stands in the place of the first `replaced_bytes` behind the cursor, line ends being '\n'
 * and the extent still that of `context`. False when memory is exhausted. */
bool context_advance(struct context *advanced, const struct context *context, const char *text,
                     size_t bytes, size_t replaced_bytes);

/* Decides the extent anew, out of the copies: for a context whose text no document has yet. Costs a parse; any thread. */
void context_parse(struct context *context);

/* Where the inserted text begins, offset in `before`: at the cursor, on a blank line at its start, since there the indentation
 * is reconciled with what the model means. */
size_t context_insertion_start(const struct context *context);

/* Where the line of that place begins, offset in `before`. */
size_t context_line_start(const struct context *context);

/* Whether anything but white space stands around the cursor. */
bool context_has_text(const struct context *context);

/* The rest of the cursor's line without white space around it; *start is its offset in `after`. */
size_t context_rest(const struct context *context, size_t *start);

#endif
