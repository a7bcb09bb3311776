/* What a project does not want to be looked at: .gitignore files, and the user's own list.
 *
 * A chain of levels, one for each folder on the way down, made by whoever walks there and unmade on the way back; a level
 * borrows the one above it. The rules are Git's (gitignore(5)): the last rule that fits decides, deeper files before the ones
 * above, '!' takes back, a '/' inside anchors a rule to its folder, one at the end restricts it to folders. What is in an
 * ignored folder is ignored whatever the rules say of it. Written here rather than taken from libgit2, which brings a TLS and
 * an HTTP library along for these two hundred lines.
 *
 * Reads files, keeps nothing else: different threads may have chains of their own.
 */
#ifndef LSP_CONTEXT_IGNORE_H
#define LSP_CONTEXT_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

struct ignore;

/* Larger .gitignore files are read up to here; more rules than that are passed over. */
enum { IGNORE_FILE_BYTES = 64 * 1024, IGNORE_RULES_MAX = 4096 };

/* A level of rules given as text, one to a line, for what is below `folder` (an absolute path without '/' at its end; "" is the
 * root). Lines are those of a .gitignore file. NULL when memory is exhausted. */
struct ignore *ignore_create(const struct ignore *above, const char *folder, const char *text,
                             size_t bytes);

/* A level with the rules of folder/.gitignore, or none where there is no such file. */
struct ignore *ignore_enter(const struct ignore *above, const char *folder);

/* Unmakes one level; NULL is accepted. */
void ignore_destroy(struct ignore *level);

/* Whether the rules of a level and of those above it ignore `path` (absolute) itself. NULL ignores nothing. */
bool ignore_has(const struct ignore *level, const char *path, bool is_folder);

/* As above for a path below `root`, on the way from there: whether it or a folder that it is in is ignored. `root` gives the
 * rules that hold in it: those of its own .gitignore, of .git/info/exclude, and of folders above it up to the one with .git. */
bool ignore_covers(const struct ignore *above, const char *root, const char *path);

/* The chain of levels for `root`, as described; ignore_destroy_chain unmakes it down to `above`. NULL on exhausted memory. */
struct ignore *ignore_enter_root(const struct ignore *above, const char *root);
void ignore_destroy_chain(struct ignore *level, const struct ignore *above);

#endif
