/* Partial results: the text of a request that is still being written, sent to an editor that asked to see it grow.
 *
 * An editor asks with a `partialResultToken` among the parameters of its request, and then hears `$/progress` with that token.
 * Unlike the arrays of LSP, whose pieces add up, every piece holds the whole text so far and takes the place of the one
 * before, because a text that is trimmed and indented while it grows may also change; and the reply is complete whether or
 * not pieces were sent. PROTOCOL.md is the editor's side of this.
 *
 * A partial is made on the loop's thread, for one request. The thread that writes pushes text; the loop's thread sends it,
 * only the newest where it falls behind. In this order, on the loop's thread: create, end just before the reply, destroy once
 * nobody pushes any more (a job's `done`). NULL stands for an editor that did not ask: every function takes it.
 */
#ifndef LSP_PROTOCOL_PARTIAL_H
#define LSP_PROTOCOL_PARTIAL_H

#include "lsp/client.h"

struct partial;

/* Makes the `value` of a `$/progress` from the text so far, on the loop's thread; a new reference. */
typedef json_t *(*partial_write)(void *user, const char *text, size_t bytes);

/* The request's token, borrowed from `params`; NULL where it has none that is a string or an integer. */
json_t *partial_token(const json_t *params);

/* Sends one piece, on the loop's thread; `value` is stolen. */
void partial_send(struct client *client, json_t *token, json_t *value);

/* NULL where `params` has no token, and when memory is exhausted: pieces are a courtesy. `write` NULL gives {"text": ...}. */
struct partial *partial_create(struct client *client, const json_t *params, partial_write write,
                               void *user);

/* Any thread, one at a time: the whole text so far, UTF-8, copied. What was pushed before is not sent again. */
void partial_push(struct partial *partial, const char *text, size_t bytes);

/* Nothing is sent from now on; may be called again. */
void partial_end(struct partial *partial);

/* Ends it too. */
void partial_destroy(struct partial *partial);

#endif
