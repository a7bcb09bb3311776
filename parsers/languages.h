/* The languages whose syntax we can read: names, file endings, grammar, queries.
 *
 * A table built into the program; everything in it lives for the process and may be read by any thread.
 */
#ifndef PARSERS_LANGUAGES_H
#define PARSERS_LANGUAGES_H

#include <stdbool.h>
#include <stddef.h>

struct language;

/* How a language marks its comments. A mark that it lacks is "". */
struct comment_style {
    const char *line; /* begins one that the line's end ends */
    const char *open; /* around one of any length */
    const char *close;
    const char *doc_open; /* around a doc comment; "" where doc_line does it alone */
    const char *doc_line; /* begins each line of it */
    const char *doc_close;
    bool doc_is_inside; /* it begins the body, as in Python, rather than stand above */
};

/* By LSP language id ("c", "python", "typescriptreact", "sh", ...), else by the path's ending; NULL where we have
 * no grammar: such files are plain text. A language id that we do not know is not overruled by the path, except one that says
 * nothing ("", "plaintext"). Either argument may be NULL; `path` may be a URI. */
const struct language *language_find(const char *language_id, const char *path);

/* "c", "python", ... */
const char *language_name(const struct language *language);

/* Never NULL; JSON, which has no comments, gets those of its relative with comments. */
const struct comment_style *language_comments(const struct language *language);

/* Does what the first use of a language would have to do, which takes up to a tenth of a second. Any thread. */
void language_prepare(const struct language *language);
bool language_is_prepared(const struct language *language);

/* Number of languages, and the i-th in alphabetical order. */
size_t language_count(void);
const struct language *language_at(size_t index);

#endif
