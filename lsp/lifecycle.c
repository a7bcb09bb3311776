/* The beginning and the end of a conversation, and the model in between.
 *
 * The model is loaded only after `initialized`, on the worker, because a server may not keep its client waiting in
 * `initialize`. Until it is there, completions are answered as if there were nothing to say. A progress bar is shown if the
 * editor can: it is asked to make one, and what happened before it agreed is not told again. */
#include <stdlib.h>
#include <string.h>

#include "lsp/errand.h"
#include "lsp/handlers.h"
#include "lsp/log.h"
#include "lsp/surroundings.h"

static const char load_token[] = "hxqd/load";
enum { LOAD_TOKEN_REQUEST = 1 }; /* the id of our request to create it */

/* The first encoding of the client's list that we know; the protocol's default without one. */
static enum text_encoding encoding_choose(const json_t *capabilities)
{
    const json_t *offered =
        json_object_get(json_object_get(capabilities, "general"), "positionEncodings");
    size_t index;
    json_t *value;
    json_array_foreach((json_t *)(uintptr_t)offered, index, value)
    {
        const char *name = json_string_value(value);
        if (name && strcmp(name, "utf-8") == 0)
            return TEXT_UTF8;
        if (name && strcmp(name, "utf-16") == 0)
            return TEXT_UTF16;
        if (name && strcmp(name, "utf-32") == 0)
            return TEXT_UTF32;
    }
    return TEXT_UTF16;
}

/* Neovim counts a lone '\r' as a character of its line, unlike the protocol. */
static enum text_lines lines_choose(const json_t *params)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(params, "clientInfo"), "name"));
    return name && strcmp(name, "Neovim") == 0 ? TEXT_LINES_NEWLINE : TEXT_LINES_PROTOCOL;
}

static json_t *capabilities(enum text_encoding encoding)
{
    static const char *const names[] = {
        [TEXT_UTF8] = "utf-8", [TEXT_UTF16] = "utf-16", [TEXT_UTF32] = "utf-32"};
    enum { SYNC_INCREMENTAL = 2 };
    json_t *synchronized = json_pack("{s:b, s:i}", "openClose", true, "change", SYNC_INCREMENTAL);
    json_t *actions =
        json_pack("{s:o, s:b}", "codeActionKinds", actions_kinds(), "resolveProvider", true);
    json_t *commands =
        json_pack("{s:o, s:b}", "commands", commands_names(), "workDoneProgress", true);

    json_t *workspace = json_pack("{s:{s:b, s:b}}", "workspaceFolders", "supported", true,
                                  "changeNotifications", true);

    /* a name and its value to a line: */
    /* clang-format off */
    json_t *provided = json_pack("{s:s, s:o, s:b, s:b, s:o, s:o, s:o}",
                                 "positionEncoding", names[encoding],
                                 "textDocumentSync", synchronized,
                                 "inlineCompletionProvider", true,
                                 "hoverProvider", true,
                                 "codeActionProvider", actions,
                                 "executeCommandProvider", commands,
                                 "workspace", workspace);
    /* clang-format on */
    return json_pack("{s:o, s:{s:s, s:s}}", "capabilities", provided, "serverInfo", "name", "hxqd",
                     "version", HXQD_VERSION);
}

static void on_problem(void *user, const char *sentence)
{
    log_write(LOG_LEVEL_WARN, "%s", sentence);
    client_tell(user, "window/logMessage", CLIENT_WARNING, sentence);
}

void lifecycle_initialize(struct client *client, const struct rpc_message *message)
{
    const json_t *params = message->params;
    const json_t *offered = json_object_get(params, "capabilities");
    const json_t *process_id = json_object_get(params, "processId");

    enum text_encoding encoding = encoding_choose(offered);
    client->can_show_progress =
        json_is_true(json_object_get(json_object_get(offered, "window"), "workDoneProgress"));
    client_read_abilities(client, offered);
    client->documents = documents_create(encoding, lines_choose(params));
    settings_apply_json(&client->settings, json_object_get(params, "initializationOptions"),
                        on_problem, client);
    client->surroundings = surroundings_create(client, params);
    if (json_is_integer(process_id))
        client->door.watch(client->door.user, json_integer_value(process_id));

    client->phase = CLIENT_INITIALIZED;
    client_reply(client, message->id, client->documents ? capabilities(encoding) : NULL);
}

/* `value` is stolen. */
static void progress_tell(struct client *client, json_t *value)
{
    client_notify(client, "$/progress",
                  json_pack("{s:s, s:o}", "token", load_token, "value", value));
}

static void on_progress(void *user, double fraction)
{
    struct client *client = user;
    int percent = (int)(fraction * 100);
    if (percent == client->progress_percent || client->phase != CLIENT_INITIALIZED)
        return;

    client->progress_percent = percent;
    if (client->progress == CLIENT_PROGRESS_SHOWN)
        progress_tell(client, json_pack("{s:s, s:i}", "kind", "report", "percentage", percent));
}

/* Whether a model that has been loaded can complete; else says in `error` what it lacks. */
static bool can_complete(const struct engine_info *info, struct error *error)
{
    if (!info->has_tokenizer)
        return error_set(error, ERROR_INPUT,
                         "%s: tokenizer.json is missing; copy it beside the weights", info->model);
    if (!info->has_fim)
        return error_set(error, ERROR_INPUT,
                         "%s: no fill-in-the-middle markers; use a Qwen2.5-Coder model",
                         info->model);
    return true;
}

/* The worker's news, or the failure to ask it. */
static void on_loaded(void *user, const struct engine_info *info, const struct error *failure)
{
    struct client *client = user;
    struct error error = {0};
    if (failure || !can_complete(info, &error)) {
        error = failure ? *failure : error;
        info = NULL;
    }
    client->model = info ? CLIENT_MODEL_READY : CLIENT_MODEL_FAILED;
    client->engine = info;
    if (info)
        log_write(LOG_LEVEL_INFO, "model %s: %d layers on %s (%s; %s), context %d, %.0f ms",
                  info->model, info->layers, info->device, info->isa, info->device_reason,
                  info->context_tokens, info->load_ms);
    else
        log_write(LOG_LEVEL_ERROR, "%s", error.text);
    if (client->phase != CLIENT_INITIALIZED)
        return;

    if (client->progress == CLIENT_PROGRESS_SHOWN)
        progress_tell(client, json_pack("{s:s}", "kind", "end"));
    client->progress = CLIENT_PROGRESS_NONE;
    if (!info)
        client_tell(client, "window/showMessage", CLIENT_ERROR, error.text);
}

void lifecycle_initialized(struct client *client, const struct rpc_message *message)
{
    (void)message;
    if (client->model != CLIENT_MODEL_UNASKED)
        return;

    surroundings_start(client);
    struct error error = {0};
    char *path = settings_model_path(&client->settings, &error);
    struct engine_options options = {
        .model = path,
        .draft_model = client->settings.draft_model,
        .device = client->settings.device,
        .threads = client->settings.threads,
        .context_tokens = client->settings.context_tokens,
        .gpu_memory_bytes = client->settings.gpu_memory_bytes,
        .no_fallback = !client->settings.gpu_fallback,
        .exact = client->settings.exact,
    };
    struct worker_events events = {on_progress, on_loaded, client};
    client->model = CLIENT_MODEL_LOADING;
    if (path && !worker_load(client->worker, &options, &events))
        error_set(&error, ERROR_MEMORY, "no memory to load the model");
    free(path);
    if (error.code != ERROR_NONE) {
        on_loaded(client, NULL, &error);
        return;
    }

    if (client->can_show_progress) {
        client->progress = CLIENT_PROGRESS_ASKED;
        client_ask(client, LOAD_TOKEN_REQUEST, "window/workDoneProgress/create",
                   json_pack("{s:s}", "token", load_token));
    }
}

void lifecycle_answer(struct client *client, const struct rpc_message *message)
{
    bool is_ours = json_is_integer(message->id) &&
                   json_integer_value(message->id) == LOAD_TOKEN_REQUEST &&
                   client->progress == CLIENT_PROGRESS_ASKED;
    if (!is_ours)
        return;
    if (!message->result) {
        client->progress = CLIENT_PROGRESS_NONE;
        return;
    }

    client->progress = CLIENT_PROGRESS_SHOWN;
    progress_tell(client, json_pack("{s:s, s:s, s:i}", "kind", "begin", "title",
                                    "Loading the model", "percentage", client->progress_percent));
}

void lifecycle_shutdown(struct client *client, const struct rpc_message *message)
{
    complete_abandon(client);
    hover_abandon(client);
    errands_abandon(client);
    client->phase = CLIENT_SHUT_DOWN;
    client_reply(client, message->id, json_null());
}

void lifecycle_exit(struct client *client, const struct rpc_message *message)
{
    (void)message;
    client->door.stop(client->door.user);
}
