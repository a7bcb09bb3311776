/* A text that is looked through for secrets, and how one reads in it: what stands at a place, what is passed over, how far a
 * value goes.
 *
 * Pure functions on borrowed text; places lie between the beginning of the passage and its end. Any thread may ask.
 */
#ifndef LSP_SECRETS_PASSAGE_H
#define LSP_SECRETS_PASSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "lsp/byte.h"

enum {
    PASSAGE_LINE_BYTES = 1024,  /* of a line, looked at before a place */
    PASSAGE_VALUE_BYTES = 4096, /* the longest value */
};

/* `end` is behind the last byte. */
struct passage {
    const char *text, *end;
};

/* A part of one; empty for nothing. */
struct stretch {
    const char *start, *end;
};

/* What is at `at`; '\n' at the end of the passage. */
static inline char peek(const struct passage *passage, const char *at)
{
    return at < passage->end ? *at : '\n';
}

/* What stands before `at`; '\n' at the beginning of the passage. */
static inline char peek_back(const struct passage *passage, const char *at)
{
    return at > passage->text ? at[-1] : '\n';
}

const char *skip_blank(const struct passage *passage, const char *at);

/* Behind `word`, in letters of any size, where it stands at `at`; NULL where it does not. */
const char *skip_word(const struct passage *passage, const char *at, const char *word);

/* The beginning of the line of `at`, or PASSAGE_LINE_BYTES before it. */
const char *line_start(const struct passage *passage, const char *at);

/* Whether `word` stands in a stretch, in letters as they are. */
bool stretch_has(struct stretch stretch, const char *word);
bool stretch_has_digit(struct stretch stretch);
size_t stretch_bytes(struct stretch stretch);

/* Whether it only says where a value comes from, as "${PASSWORD}" and "<password>" do. */
bool stretch_is_reference(struct stretch stretch);

/* From `at` up to white space, and what no sign of a programming language ends of that. */
struct stretch word_from(const struct passage *passage, const char *at);
struct stretch plain_from(const struct passage *passage, const char *at);

/* The opening quote at `at`, behind the letters and signs that say of what kind the text is, such as in r"a"; NULL for none. */
const char *find_quote(const struct passage *passage, const char *at);

/* What the quote at `at` opens, up to the end of its line at most. */
struct stretch quoted_from(const struct passage *passage, const char *at);

#endif
