/* Where the settings come from while the daemon serves, and what follows from their change.
 *
 * Files are read and options taken in `initialize`; the editor's configuration is asked for after `initialized` and whenever it
 * says that it has changed. An editor that cannot be asked pushes it (LSP, workspace/didChangeConfiguration). The model
 * waits for the answer, lest it be loaded only to be thrown away. What changes takes effect at once: completions begin anew,
 * and where the change is about the model it is loaded again. */
#include <stdlib.h>
#include <string.h>

#include "lsp/handlers.h"
#include "lsp/log.h"
#include "lsp/protocol/uri.h"

static const char section[] = "hxqd";
static const char file_name[] = "/.hxqd.json";

enum { CONFIGURATION_REQUEST = 70, REGISTRATION_REQUEST = 71 }; /* ids of our requests */

static void on_problem(void *user, const char *sentence)
{
    log_write(LOG_LEVEL_WARN, "%s", sentence);
    client_tell(user, "window/logMessage", CLIENT_WARNING, sentence);
}

/* The file of settings at the first root of the workspace; NULL without one. */
static char *workspace_file(const json_t *params)
{
    const json_t *folder = json_array_get(json_object_get(params, "workspaceFolders"), 0);
    const char *uri = json_string_value(folder ? json_object_get(folder, "uri")
                                               : json_object_get(params, "rootUri"));
    char *root = uri ? uri_path(uri) : NULL;
    char *path = NULL;
    if (root && asprintf(&path, "%s%s", root, file_name) < 0)
        path = NULL;
    free(root);
    return path;
}

/* Whether either file has changed. */
static bool files_read(struct client *client)
{
    const struct options_listener listener = {on_problem, client};
    char *user = preferences_user_path();
    bool is_changed = false;
    if (user)
        is_changed |= preferences_read(client->preferences, PREFERENCES_USER, user, &listener);
    if (client->workspace_file)
        is_changed |= preferences_read(client->preferences, PREFERENCES_WORKSPACE,
                                       client->workspace_file, &listener);
    free(user);
    return is_changed;
}

static void settings_renew(struct client *client)
{
    const struct options_listener listener = {on_problem, client};
    if (!preferences_resolve(client->preferences, &client->settings, &listener))
        log_write(LOG_LEVEL_ERROR, "no memory for settings that have changed");
    worker_set_idle(client->worker, client->settings.idle_seconds);
}

void configure_begin(struct client *client, const json_t *params)
{
    const json_t *workspace = json_object_get(json_object_get(params, "capabilities"), "workspace");
    const json_t *changes = json_object_get(workspace, "didChangeConfiguration");
    client->can_configure = json_is_true(json_object_get(workspace, "configuration"));
    client->can_register_changes = json_is_true(json_object_get(changes, "dynamicRegistration"));
    client->workspace_file = workspace_file(params);
    client->preferences = preferences_create(&client->settings);
    if (!client->preferences) {
        log_write(LOG_LEVEL_ERROR, "no memory for settings");
        return;
    }
    files_read(client);
    preferences_set(client->preferences, PREFERENCES_OPTIONS,
                    json_object_get(params, "initializationOptions"));
    settings_renew(client);
}

/* The settings that hold have changed, or are known at last. */
static void configure_apply(struct client *client)
{
    settings_renew(client);
    hover_reset(client);
    loading_start(client);
    complete_reset(client);
}

static void configuration_ask(struct client *client)
{
    client_ask(client, CONFIGURATION_REQUEST, "workspace/configuration",
               json_pack("{s:[{s:s}]}", "items", "section", section));
}

void configure_start(struct client *client)
{
    if (client->can_register_changes)
        client_ask(client, REGISTRATION_REQUEST, "client/registerCapability",
                   json_pack("{s:[{s:s, s:s, s:{s:s}}]}", "registrations", "id",
                             "hxqd/configuration", "method", "workspace/didChangeConfiguration",
                             "registerOptions", "section", section));
    if (client->can_configure && client->preferences)
        configuration_ask(client);
    else
        loading_start(client);
}

void configure_changed(struct client *client, const struct rpc_message *message)
{
    const json_t *pushed = json_object_get(json_object_get(message->params, "settings"), section);
    if (!client->preferences)
        return;
    bool is_changed = files_read(client);
    if (client->can_configure)
        configuration_ask(client);
    else if (pushed)
        is_changed |= preferences_set(client->preferences, PREFERENCES_CONFIGURATION, pushed);
    if (is_changed)
        configure_apply(client);
}

void configure_files_changed(struct client *client, const struct rpc_message *message)
{
    const json_t *change;
    size_t i;
    if (!client->preferences)
        return;
    json_array_foreach(json_object_get(message->params, "changes"), i, change)
    {
        const char *uri = json_string_value(json_object_get(change, "uri"));
        const size_t bytes = sizeof file_name - 1;
        if (uri && strlen(uri) >= bytes && strcmp(uri + strlen(uri) - bytes, file_name) == 0) {
            if (files_read(client))
                configure_apply(client);
            return;
        }
    }
}

bool configure_answer(struct client *client, const struct rpc_message *message)
{
    if (!json_is_integer(message->id) || json_integer_value(message->id) != CONFIGURATION_REQUEST ||
        !client->preferences)
        return false;
    const bool is_first = client->model == CLIENT_MODEL_UNASKED;
    const bool is_changed = preferences_set(client->preferences, PREFERENCES_CONFIGURATION,
                                            json_array_get(message->result, 0));
    if (is_changed || is_first)
        configure_apply(client);
    return true;
}
