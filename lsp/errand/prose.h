/* Sentences and code out of what a model has written, and comments out of sentences.
 *
 * Pure functions of text; nothing is kept. Every text returned is NUL-terminated, has '\n' line ends and belongs to the caller;
 * NULL means exhausted memory.
 */
#ifndef LSP_ERRAND_PROSE_H
#define LSP_ERRAND_PROSE_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/languages.h"

enum {
    PROSE_LINES_MAX = 12, /* of a doc comment; models run on */
    PROSE_COLUMNS = 80,   /* comments are wrapped to these, indentation included */
    PROSE_COLUMNS_MIN = 40,
};

/* What of `text`, written by a model behind the beginning of a doc comment, still belongs to that comment, in bytes; *ended
 * says whether more text could not add to it. */
size_t prose_comment_end(const struct comment_style *style, const char *text, size_t bytes,
                         bool *ended);

/* The sentences of such a text: without marks, white space at line ends, lines that say again what one before said, and empty
 * lines at either end; "" where no word is left. */
char *prose_of_comment(const struct comment_style *style, const char *text, size_t bytes);

/* Sentences as an instruct model answers: without white space around them, and without the fence or quotation marks that some
 * put around the whole. */
char *prose_of_answer(const char *text, size_t bytes);

/* Where a text that ends in the same few words again and again began to do so, behind their first time; `bytes` where it does
 * not. Models that have nothing more to say stutter until they are stopped. */
size_t prose_stutter(const char *text, size_t bytes);

/* Where the last whole sentence of a text that broke off ends; 0 where there is none. */
size_t prose_sentence_end(const char *text, size_t bytes);

/* What of `text`, written behind the opening fence of a block of code, is code, in bytes; *ended as above. */
size_t prose_code_end(const char *text, size_t bytes, bool *ended);

/* How the first line of a doc comment begins, for a model to go on: marks and the space behind them, indented. */
char *prose_comment_opening(const struct comment_style *style, const char *indent);

/* A doc comment with these sentences: whole lines, indented, wrapped. What would end it early is taken apart by a space. */
char *prose_comment(const struct comment_style *style, const char *indent, const char *sentences);

/* The lines of `code` with `indent` in the place of the white space that they have in common; without empty lines at either
 * end and without a final line end. */
char *prose_indent(const char *code, size_t bytes, const char *indent);

#endif
