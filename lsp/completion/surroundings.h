/* What surrounds the cursor beyond its own file: how the editor tells of it, how a completion gets it, and how the user sees
 * what became of it.
 *
 * Ties the workspace and the snippets to a client, and keeps the last prompt for `hxqd.showPrompt`, in memory only. Client
 * lifetime, on the loop's thread.
 */
#ifndef LSP_COMPLETION_SURROUNDINGS_H
#define LSP_COMPLETION_SURROUNDINGS_H

#include "lsp/client.h"
#include "lsp/completion/given.h"
#include "lsp/context.h"
#include "lsp/context/index.h"

struct surroundings;

/* Out of the parameters of `initialize`: the folders, and whether the client can watch files. NULL when memory is exhausted. */
struct surroundings *surroundings_create(struct client *client, const json_t *params);

/* Gives up what hangs on the loop, whose last turns free the rest. NULL is accepted. */
void surroundings_destroy(struct surroundings *surroundings);

/* `initialized` has come: asks the client to watch files. Then its answer, if `message` is it. */
void surroundings_start(struct client *client);
bool surroundings_answer(struct client *client, const struct rpc_message *message);

/* workspace/didChangeWatchedFiles, workspace/didChangeWorkspaceFolders, and our own hxqd/didYank (PROTOCOL.md). */
void surroundings_files_changed(struct client *client, const struct rpc_message *message);
void surroundings_folders_changed(struct client *client, const struct rpc_message *message);
void surroundings_yanked(struct client *client, const struct rpc_message *message);

/* A document was opened or closed; one was edited around a line. */
void surroundings_note_documents(struct client *client);
void surroundings_note_edit(struct client *client, const char *uri, size_t line);

/* Whether a model may be given anything of a document: not of one that holds secrets by its name, unless the user wants it. */
bool surroundings_allow(const struct client *client, const char *uri);

/* Whether a model may be given anything of the file at `path` for the sake of the document `uri`. */
bool surroundings_share(struct client *client, const char *uri, const char *path);

/* Adds to a context what is shown of other files for a cursor in a document; nothing where the settings or the model do not
 * allow it. */
void surroundings_show(struct client *client, struct document *document, size_t cursor,
                       struct context *context);

/* The newest index of the workspace, NULL where there is none yet; valid until the loop runs on. `uri`: whose settings say what
 * it leaves out. */
const struct index *surroundings_index(struct client *client, const char *uri);

/* Keeps what a model was given, if anything, and what was shown of other files in it (NULL: nothing); taken from both.
 * `purpose` is a literal. */
void surroundings_record(struct client *client, const char *purpose, struct given *given,
                         struct snippet_list *shown);

/* The last prompt as hxqd.showPrompt answers it (PROTOCOL.md); a new reference. */
json_t *surroundings_prompt(const struct client *client);

#endif
