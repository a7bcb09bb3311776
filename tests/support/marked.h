/* Cases of a document with a place in it, as text that a reader can see: the "¦" is the cursor.
 *
 * Pure; the caller owns what is returned.
 */
#ifndef TESTS_SUPPORT_MARKED_H
#define TESTS_SUPPORT_MARKED_H

#include <stddef.h>

/* A copy of the text without its "¦", NUL-terminated; *cursor is where that stood. Aborts where it is missing. */
char *marked_text(const char *marked, size_t *bytes, size_t *cursor);

#endif
