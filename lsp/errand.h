/* A request that the model writes the answer to, from the moment it is understood to its one reply.
 *
 * An errand shows progress that can be cancelled, sends partial results to whoever asks for them, and sees to it that what was
 * written for one version of a document is not put blindly into another: an edit is moved along when the user has changed the
 * text elsewhere, and given up, with a sentence, when he has changed it there. Edits leave as one WorkspaceEdit: one undo.
 *
 * Loop thread; an errand belongs to the client's list until it has been answered and its job is back.
 */
#ifndef LSP_ERRAND_H
#define LSP_ERRAND_H

#include "lsp/client.h"
#include "lsp/errand/task.h"
#include "lsp/protocol/rpc.h"

enum { ERRANDS_MAX = 8 }; /* at the same time; more are refused */

/* What becomes of the text. */
enum errand_end {
    ERRAND_TELL,    /* the reply is {"text"} */
    ERRAND_SHOW,    /* as well, and window/showMessage shows it */
    ERRAND_APPLY,   /* workspace/applyEdit, then the reply is {"text", "applied"} */
    ERRAND_RESOLVE, /* the reply is the code action of the parameters with its edit */
};

/* Takes a request over and sees to its reply. `arguments` is an object: "textDocument", "position" or "range", and, as the kind
 * needs it, "instruction" or "diagnostic". */
void errand_start(struct client *client, const struct rpc_message *message, enum writing_kind kind,
                  const json_t *arguments, enum errand_end end);

/* $/cancelRequest; false where no errand has that id. */
bool errand_cancel(struct client *client, const json_t *id);

/* window/workDoneProgress/cancel. */
void errand_cancel_progress(struct client *client, const json_t *token);

/* The editor's answer to one of our requests; false where it is not an errand's. */
bool errand_answer(struct client *client, const struct rpc_message *message);

/* Answers all as cancelled: the server is stopping. */
void errands_abandon(struct client *client);

#endif
