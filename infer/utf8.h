/* UTF-8 as it comes from outside: telling good from bad, repairing it, composing it (Unicode NFC).
 *
 * Private to the infer room. Pure functions, any thread. Returned text is the caller's to free.
 */
#ifndef INFER_UTF8_H
#define INFER_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* What the `bytes` bytes at `text` begin with: n > 0, a code point of n bytes; n < 0, -n bytes that can never belong to one
 * (a "maximal subpart", Unicode 15 section 3.9, which a reader replaces by one U+FFFD); 0, nothing or the mere beginning
 * of a code point. */
int utf8_step(const char *text, size_t bytes);

bool utf8_is_valid(const char *text, size_t bytes);

/* A copy with every maximal subpart replaced by U+FFFD, as Python's bytes.decode("utf-8", "replace") does. NULL when memory
 * is exhausted. */
char *utf8_repair(const char *text, size_t bytes, size_t *repaired_bytes);

/* True where `text` is certainly in Unicode NFC; a false answer means "perhaps not". */
bool utf8_is_composed(const char *text, size_t bytes);

/* A copy of valid UTF-8 in Unicode NFC (UAX 15). NULL when memory is exhausted. */
char *utf8_compose(const char *text, size_t bytes, size_t *composed_bytes);

/* U+FFFD */
#define UTF8_REPLACEMENT "\xEF\xBF\xBD"
enum { UTF8_REPLACEMENT_BYTES = 3 };

#endif
