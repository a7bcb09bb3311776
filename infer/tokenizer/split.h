/* The split expression of a tokenizer: cuts text into the pieces that are merged on their own.
 *
 * Private to the infer room. The expression comes from a tokenizer.json, whose dialect is Oniguruma's; it runs on PCRE2.
 * Only what means the same in both is accepted: literals, classes, alternation, groups, look-ahead, quantifiers, \r \n \t
 * \s \S and general categories such as \p{L}. Immutable once created; any thread may use it.
 */
#ifndef INFER_TOKENIZER_SPLIT_H
#define INFER_TOKENIZER_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "infer/error.h"

struct split;

enum { SPLIT_EXPRESSION_MAX_BYTES = 4096 };

/* NULL with an error that begins with `path`, the file the expression was read from. */
struct split *split_create(const char *expression, const char *path, struct error *error);
void split_destroy(struct split *split);

/* Called with each piece, never empty, in order; false ends the walk. */
typedef bool (*split_visit)(void *user, const char *piece, size_t bytes);

/* Visits the matches and what lies between them ("Isolated"). `text` is valid UTF-8. False when the visitor said so, when
 * memory is exhausted, or when the expression needs more steps than a text of this length may take. */
bool split_each(const struct split *split, const char *text, size_t bytes, split_visit visit,
                void *user, struct error *error);

#endif
