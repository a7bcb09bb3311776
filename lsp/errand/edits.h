/* Edits that were made for a text which may have changed since.
 *
 * Whoever computes an edit for seconds keeps the text it was computed for. When it is done, the two texts are compared: what
 * they have in common at both ends is what nobody touched, and an edit there still means what it meant, at its new place.
 * Pure functions, but for the JSON at the end; any thread.
 */
#ifndef LSP_ERRAND_EDITS_H
#define LSP_ERRAND_EDITS_H

#include <stdbool.h>
#include <stddef.h>

#include "lsp/client.h"
#include "parsers/syntax.h"

/* Moves `range`, bytes of `before`, to where the same bytes stand in `now`. False where the change touches the range or the
 * bytes beside it. */
bool edits_rebase(const char *before, size_t before_bytes, const char *now, size_t now_bytes,
                  struct span *range);

/* Takes whole lines off both ends that `range` of `text` and its replacement share, if the range begins at a line's start;
 * *replacement and *bytes become the part in the middle. Both empty: nothing would change. */
void edits_narrow(const char *text, struct span *range, const char **replacement, size_t *bytes);

/* LSP WorkspaceEdit with one TextEdit, so that one undo takes it back; with the document's version where the editor can check
 * it. A new reference; NULL on exhausted memory and for text that is not UTF-8. */
json_t *edits_write(const struct client *client, const struct document *document, struct span range,
                    const char *replacement, size_t bytes);

#endif
