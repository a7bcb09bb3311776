/* The handlers of the protocol's methods, one file per subject.
 *
 * Each takes the client and a message that names its method; a request's handler sees to its reply. Called by dispatch on
 * the loop's thread and only in the phase that allows it. Messages are borrowed for the call.
 */
#ifndef LSP_HANDLERS_H
#define LSP_HANDLERS_H

#include "lsp/client.h"
#include "lsp/protocol/rpc.h"

/* lifecycle.c */
void lifecycle_initialize(struct client *client, const struct rpc_message *message);
void lifecycle_initialized(struct client *client, const struct rpc_message *message);
void lifecycle_shutdown(struct client *client, const struct rpc_message *message);
void lifecycle_exit(struct client *client, const struct rpc_message *message);
/* The editor's answer to one of our requests. */
void lifecycle_answer(struct client *client, const struct rpc_message *message);

/* configure.c */
/* `initialize` has come: reads files and the editor's options. */
void configure_begin(struct client *client, const json_t *params);
/* `initialized` has come: asks for the editor's configuration, if it has any, and sees to the model. */
void configure_start(struct client *client);
void configure_changed(struct client *client, const struct rpc_message *message);
void configure_files_changed(struct client *client, const struct rpc_message *message);
/* False where the answer belongs to others. */
bool configure_answer(struct client *client, const struct rpc_message *message);

/* loading.c */
/* Sees to it that the model which the settings want is loaded, or none where nothing is switched on. */
void loading_start(struct client *client);
/* Somebody wants the model: it waits no longer for a configuration that the editor owes. */
void loading_remind(struct client *client);
/* False where the answer belongs to others. */
bool loading_answer(struct client *client, const struct rpc_message *message);

/* sync.c */
void sync_open(struct client *client, const struct rpc_message *message);
void sync_change(struct client *client, const struct rpc_message *message);
void sync_close(struct client *client, const struct rpc_message *message);

/* complete.c */
void complete_request(struct client *client, const struct rpc_message *message);
void complete_cancel(struct client *client, const struct rpc_message *message);
/* Answers what is not answered yet as cancelled. */
void complete_abandon(struct client *client);
/* Forgets what was completed: the settings have changed. */
void complete_reset(struct client *client);
/* Frees all that completing needed, once the worker has given back every job. */
void complete_close(struct client *client);

/* commands.c */
void commands_execute(struct client *client, const struct rpc_message *message);

/* Names for the capabilities; a new reference. */
json_t *commands_names(void);

/* actions.c */
void actions_request(struct client *client, const struct rpc_message *message);
void actions_resolve(struct client *client, const struct rpc_message *message);
/* Kinds for the capabilities; a new reference. */
json_t *actions_kinds(void);

/* hover.c */
void hover_request(struct client *client, const struct rpc_message *message);
/* $/cancelRequest; false where the request that waits has another id. */
bool hover_cancel(struct client *client, const json_t *id);
/* Answers what is not answered yet as cancelled. */
void hover_abandon(struct client *client);
/* Forgets explanations: the model or the settings have changed. */
void hover_reset(struct client *client);
/* Frees all that hovering needed, once the worker has given back every job. */
void hover_close(struct client *client);

#endif
