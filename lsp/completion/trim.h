/* From what a model wrote to what a user is shown.
 *
 * Pure functions of a context and the text generated so far; used on the worker thread while text arrives (to stop as soon
 * as more cannot help) and once at the end.
 */
#ifndef LSP_COMPLETION_TRIM_H
#define LSP_COMPLETION_TRIM_H

#include <stdbool.h>
#include <stddef.h>

#include "lsp/context.h"

/* Whether generation can stop: the line or syntax node has ended, the model repeats itself, or it has begun to write the
 * text after the cursor. */
bool trim_is_complete(const struct context *context, const char *text, size_t bytes);

/* What a user is shown of a text. */
struct trimmed {
    char *text; /* NUL-terminated, with '\n' line ends; "" when nothing is worth showing */
    size_t replaced_bytes; /* of what follows the cursor on its line, which `text` writes again */
    size_t
        line_bytes; /* of the model's text, up to the end of the first shown line with more than white space */
};

enum trim_option {
    TRIM_CUT_SHORT =
        1, /* the model would have gone on: an unfinished line behind whole ones is left out */
    TRIM_REPLACE =
        2, /* closers behind the cursor may be replaced, where the text goes on behind them */
};

/* Makes what is to be inserted at the cursor; a duplicate of what follows the cursor and closers that are already there are
 * gone. `options` are of enum trim_option. The caller frees the text; false when memory is exhausted. */
bool trim_take(struct trimmed *trimmed, const struct context *context, const char *text,
               size_t bytes, unsigned options);

/* The same without options, as text: "" when nothing is worth showing, NULL when memory is exhausted. */
char *trim_finish(const struct context *context, const char *text, size_t bytes);

/* Whether there is too little to show: not more than one punctuation mark. A single letter or digit may end an expression. */
bool trim_is_noise(const char *text, size_t bytes);

#endif
