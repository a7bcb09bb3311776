/* One textDocument/inlineCompletion request: where it asks, and what an answer to it looks like.
 *
 * A question owns copies of all it needs, so the document may go on changing. Loop thread.
 *
 * Protocol: LSP 3.18, "Inline Completion Request".
 */
#ifndef LSP_COMPLETION_QUESTION_H
#define LSP_COMPLETION_QUESTION_H

#include "lsp/client.h"
#include "lsp/completion/graft.h"
#include "lsp/completion/place.h"
#include "lsp/context.h"

struct question {
    json_t *id;         /* NULL: nothing is asked */
    json_t *range;      /* what the texts replace, as sent to the editor */
    struct span target; /* the same in bytes of the document */
    json_t *token;      /* for partial results; NULL where the editor wants none */
    size_t shown_bytes; /* of the last partial result */
    char *uri;
    uint64_t stamp; /* of the document that is asked about */
    char
        *lead; /* what every text begins with: the selected entry of the editor's own list, or "" */
    bool is_invoked;        /* by the user, not by typing */
    int wanted;             /* texts */
    struct context context; /* as if the lead were in the document already */
    uint64_t asked_ns;
};

/* Reads a request about a document at `position`. False when memory is exhausted; finish it all the same. */
bool question_init(struct question *question, const struct client *client,
                   const struct rpc_message *message, struct document *document,
                   struct text_position position);

/* What the parser says of texts at the question's place, in the document as it is; it must not change meanwhile. NULL where it
 * is not what was asked about any more, or memory is exhausted. */
struct graft *question_graft(const struct question *question, const struct client *client);

/* Leaves no question. */
void question_finish(struct question *question);

/* Whether the document still is what was asked about. */
bool question_is_current(const struct question *question, const struct client *client);

/* Adds an item that inserts a text to an array of items. One that is not UTF-8 cannot be sent and is left out. */
void question_item(const struct question *question, json_t *items, const struct place_text *text);

#endif
