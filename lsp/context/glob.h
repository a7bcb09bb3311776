/* Patterns for paths, as gitignore and the protocol's watchers write them.
 *
 *     ?  one character but '/'     *  any number of them     [a-z] [!a-z] [[:digit:]]  a class     \x  the character x itself
 *     **\/  nothing or whole folders, also in the middle      /\**  all that is in a folder      elsewhere ** is *
 *
 * Pure functions on borrowed strings; any thread may ask. Bytes stand for characters.
 */
#ifndef LSP_CONTEXT_GLOB_H
#define LSP_CONTEXT_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the whole of `path` fits the first `bytes` bytes of `pattern`. Time grows with the product of the lengths at most. A
 * class without its "]" fits nothing. */
bool glob_fits(const char *pattern, size_t bytes, const char *path);

#endif
