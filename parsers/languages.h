/* The languages whose syntax we can read: names, file endings, grammar, queries.
 *
 * A table built into the program; everything in it lives for the process and may be read by any thread.
 */
#ifndef PARSERS_LANGUAGES_H
#define PARSERS_LANGUAGES_H

#include <stddef.h>

struct language;

/* By LSP language id ("c", "python", "javascript", "javascriptreact", "lua"), else by the path's ending; NULL where we have
 * no grammar: such files are plain text. A language id that we do not know is not overruled by the path, except one that says
 * nothing ("", "plaintext"). Either argument may be NULL; `path` may be a URI. */
const struct language *language_find(const char *language_id, const char *path);

/* "c", "python", ... */
const char *language_name(const struct language *language);

/* Number of languages, and the i-th in alphabetical order. */
size_t language_count(void);
const struct language *language_at(size_t index);

#endif
