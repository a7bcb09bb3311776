/* One alphabetical table; the rules of the phases stand in front of it, so that handlers need not know them. */
#include "lsp/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/completion/surroundings.h"
#include "lsp/errand.h"
#include "lsp/handlers.h"
#include "lsp/log.h"

/* A request that has been answered, or never was, needs nothing. */
static void cancel_request(struct client *client, const struct rpc_message *message)
{
    const json_t *id = json_object_get(message->params, "id");

    if (!hover_cancel(client, id) && !errand_cancel(client, id))
        complete_cancel(client, message);
}

static void cancel_progress(struct client *client, const struct rpc_message *message)
{
    errand_cancel_progress(client, json_object_get(message->params, "token"));
}

static void change_files(struct client *client, const struct rpc_message *message)
{
    surroundings_files_changed(client, message);
    configure_files_changed(client, message);
}

struct method {
    const char *name;
    enum rpc_kind kind;
    void (*handle)(struct client *client, const struct rpc_message *message);
};

/* By strcmp. */
static const struct method methods[] = {
    {"$/cancelRequest", RPC_NOTIFICATION, cancel_request},
    {"codeAction/resolve", RPC_REQUEST, actions_resolve},
    {"exit", RPC_NOTIFICATION, lifecycle_exit},
    {"hxqd/didYank", RPC_NOTIFICATION, surroundings_yanked},
    {"initialize", RPC_REQUEST, lifecycle_initialize},
    {"initialized", RPC_NOTIFICATION, lifecycle_initialized},
    {"shutdown", RPC_REQUEST, lifecycle_shutdown},
    {"textDocument/codeAction", RPC_REQUEST, actions_request},
    {"textDocument/didChange", RPC_NOTIFICATION, sync_change},
    {"textDocument/didClose", RPC_NOTIFICATION, sync_close},
    {"textDocument/didOpen", RPC_NOTIFICATION, sync_open},
    {"textDocument/hover", RPC_REQUEST, hover_request},
    {"textDocument/inlineCompletion", RPC_REQUEST, complete_request},
    {"window/workDoneProgress/cancel", RPC_NOTIFICATION, cancel_progress},
    {"workspace/didChangeConfiguration", RPC_NOTIFICATION, configure_changed},
    {"workspace/didChangeWatchedFiles", RPC_NOTIFICATION, change_files},
    {"workspace/didChangeWorkspaceFolders", RPC_NOTIFICATION, surroundings_folders_changed},
    {"workspace/executeCommand", RPC_REQUEST, commands_execute},
};

static int method_compare(const void *name, const void *method)
{
    return strcmp(name, ((const struct method *)method)->name);
}

static const struct method *method_find(const char *name)
{
    return bsearch(name, methods, sizeof methods / sizeof *methods, sizeof *methods,
                   method_compare);
}

static void dispatch_request(struct client *client, const struct rpc_message *message)
{
    const struct method *method = method_find(message->method);
    bool is_initialize = strcmp(message->method, "initialize") == 0;
    const json_t *id = message->id;

    if (client->phase == CLIENT_SHUT_DOWN)
        client_fail(client, id, RPC_INVALID_REQUEST, "the server has been shut down");
    else if (client->phase == CLIENT_STARTED && !is_initialize)
        client_fail(client, id, RPC_SERVER_NOT_INITIALIZED, "the first request must be initialize");
    else if (client->phase == CLIENT_INITIALIZED && is_initialize)
        client_fail(client, id, RPC_INVALID_REQUEST, "initialize may come only once");
    else if (!method)
        client_fail(client, id, RPC_METHOD_NOT_FOUND, "unknown method");
    else if (method->kind != RPC_REQUEST)
        client_fail(client, id, RPC_INVALID_REQUEST, "this method is a notification: no id");
    else
        method->handle(client, message);
}

/* Nothing may be answered here: what does not fit is dropped. */
static void dispatch_notification(struct client *client, const struct rpc_message *message)
{
    const struct method *method = method_find(message->method);
    bool is_exit = strcmp(message->method, "exit") == 0;
    if (!method || method->kind != RPC_NOTIFICATION)
        log_write(LOG_LEVEL_DEBUG, "ignored: notification %s", message->method);
    else if (client->phase != CLIENT_INITIALIZED && !is_exit)
        log_write(LOG_LEVEL_WARN, "dropped: %s outside of initialize and shutdown", method->name);
    else
        method->handle(client, message);
}

void dispatch_message(struct client *client, char *body, size_t bytes)
{
    struct rpc_message message;
    struct error error = {0};
    enum rpc_code code;
    json_t *id = NULL;
    if (!rpc_message_parse(&message, body, bytes, &code, &id, &error)) {
        log_write(LOG_LEVEL_WARN, "refused a message of %zu bytes: %s", bytes, error.text);
        client_fail(client, id, code, error.text);
        json_decref(id);
        return;
    }

    log_write(LOG_LEVEL_DEBUG, "received %s, %zu bytes",
              message.method ? message.method : "a response", bytes);
    if (message.kind == RPC_REQUEST)
        dispatch_request(client, &message);
    else if (message.kind == RPC_NOTIFICATION)
        dispatch_notification(client, &message);
    else if (client->phase == CLIENT_INITIALIZED && !errand_answer(client, &message))
        lifecycle_answer(client, &message);
    rpc_message_finish(&message);
}

void dispatch_refuse(struct client *client, enum rpc_code code, const char *reason)
{
    log_write(LOG_LEVEL_WARN, "refused a message: %s", reason);
    json_t *id = json_null();
    client_fail(client, id, code, reason);
    json_decref(id);
}
