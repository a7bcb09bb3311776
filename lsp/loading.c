/* The model as the client sees it: wanted, being loaded, ready, released while nobody needs it, lost with its device.
 *
 * It is loaded only after `initialized`, on the worker, because a server may not keep its client waiting in `initialize`. Until
 * it is there the first time, completions are answered as if there were nothing to say; when it has been released, the next
 * request has it loaded again and waits. A progress bar is shown if the editor can: it is asked to make one, and what happened
 * before it agreed is not told again.
 *
 * A GPU may fail at any time. Then the CPU takes over, if the settings allow that, else the user is asked. */
#include <stdlib.h>
#include <string.h>

#include "lsp/handlers.h"
#include "lsp/log.h"

enum {
    PROGRESS_REQUEST_FIRST = 1, /* ids of our requests to make a progress bar */
    PROGRESS_REQUESTS = 50,
    LOST_REQUEST = 60, /* of that what is to be done without the device */
};

static const char answer_cpu[] = "Use the CPU";
static const char answer_retry[] = "Try again";

/* --- progress --------------------------------------------------------------------------------------------------------- */

/* A token serves one progress bar: the first load's is "hxqd/load", then come "hxqd/load/2" and so on. */
static json_t *progress_token(int serial)
{
    return serial == 1 ? json_string("hxqd/load") : json_sprintf("hxqd/load/%d", serial);
}

/* `value` is stolen. */
static void progress_tell(struct client *client, json_t *value)
{
    client_notify(
        client, "$/progress",
        json_pack("{s:o, s:o}", "token", progress_token(client->progress_serial), "value", value));
}

static json_int_t progress_request(const struct client *client)
{
    return PROGRESS_REQUEST_FIRST + (client->progress_serial - 1) % PROGRESS_REQUESTS;
}

static void progress_ask(struct client *client)
{
    client->progress_serial++;
    client->progress = CLIENT_PROGRESS_ASKED;
    client_ask(client, progress_request(client), "window/workDoneProgress/create",
               json_pack("{s:o}", "token", progress_token(client->progress_serial)));
}

static void progress_end(struct client *client)
{
    if (client->progress == CLIENT_PROGRESS_SHOWN)
        progress_tell(client, json_pack("{s:s}", "kind", "end"));
    client->progress = CLIENT_PROGRESS_NONE;
}

/* The editor has made the bar that it was asked for `age` bars ago, or will not. */
static void progress_answer(struct client *client, int age, bool has_agreed)
{
    const bool is_awaited = age == 0 && client->progress == CLIENT_PROGRESS_ASKED;
    if (is_awaited)
        client->progress = has_agreed ? CLIENT_PROGRESS_SHOWN : CLIENT_PROGRESS_NONE;
    if (is_awaited && has_agreed)
        progress_tell(client,
                      json_pack("{s:s, s:s, s:i}", "kind", "begin", "title", "Loading the model",
                                "percentage", client->progress_percent));
    else if (has_agreed && (age > 0 || client->progress == CLIENT_PROGRESS_NONE))
        client_withdraw_progress(client, progress_token(client->progress_serial - age));
}

/* --- the worker's news ------------------------------------------------------------------------------------------------ */

static void on_loading(void *user, double fraction)
{
    struct client *client = user;
    const int percent = (int)(fraction * 100);
    if (client->phase != CLIENT_INITIALIZED)
        return;
    if (client->progress == CLIENT_PROGRESS_NONE && client->can_show_progress)
        progress_ask(client);
    else if (client->progress == CLIENT_PROGRESS_SHOWN && percent != client->progress_percent)
        progress_tell(client, json_pack("{s:s, s:i}", "kind", "report", "percentage", percent));
    client->progress_percent = percent;
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

/* There is no model: the user is told once, and nothing is tried until the settings change. */
static void loading_fail(struct client *client, const struct error *error)
{
    client->model = CLIENT_MODEL_FAILED;
    client->engine = NULL;
    log_write(LOG_LEVEL_ERROR, "%s", error->text);
    worker_unload(client->worker, error);
    if (client->phase != CLIENT_INITIALIZED)
        return;
    progress_end(client);
    client_tell(client, "window/showMessage", CLIENT_ERROR, error->text);
}

static void on_loaded(void *user, const struct engine_info *info, const struct error *failure)
{
    struct client *client = user;
    struct error error = {0};
    if (failure || !can_complete(info, &error)) {
        loading_fail(client, failure ? failure : &error);
        return;
    }
    client->model = CLIENT_MODEL_READY;
    client->engine = info;
    log_write(LOG_LEVEL_INFO, "model %s: %d layers on %s (%s; %s), context %d, %.0f ms",
              info->model, info->layers, info->device, info->isa, info->device_reason,
              info->context_tokens, info->load_ms);
    if (client->phase == CLIENT_INITIALIZED)
        progress_end(client);
}

static void on_released(void *user)
{
    (void)user;
    log_write(LOG_LEVEL_INFO, "the model's memory is released until it is needed again");
}

/* Loads what the settings name, on the CPU if the device has been given up. */
static void loading_begin(struct client *client);

static void on_lost(void *user, const struct error *error)
{
    struct client *client = user;
    if (client->phase != CLIENT_INITIALIZED)
        return;
    if (client->settings.gpu_fallback) {
        struct error told = {0};
        error_set(&told, ERROR_DEVICE, "%s; the CPU takes over", error->text);
        log_write(LOG_LEVEL_WARN, "%s", told.text);
        client_tell(client, "window/showMessage", CLIENT_WARNING, told.text);
        client->is_device_lost = true;
        loading_begin(client);
        return;
    }

    log_write(LOG_LEVEL_ERROR, "%s", error->text);
    client->model = CLIENT_MODEL_FAILED;
    worker_unload(client->worker, error);
    client_ask(client, LOST_REQUEST, "window/showMessageRequest",
               json_pack("{s:i, s:o, s:[{s:s}, {s:s}]}", "type", (int)CLIENT_ERROR, "message",
                         rpc_text(error->text), "actions", "title", answer_cpu, "title",
                         answer_retry));
}

static void lost_answer(struct client *client, const json_t *result)
{
    const char *title = json_string_value(json_object_get(result, "title"));
    if (!title || client->model != CLIENT_MODEL_FAILED)
        return;
    client->is_device_lost = strcmp(title, answer_cpu) == 0;
    loading_begin(client);
}

/* --- what is wanted --------------------------------------------------------------------------------------------------- */

static void loading_begin(struct client *client)
{
    const struct settings *settings = &client->settings;
    const struct worker_events events = {on_loading, on_loaded, on_released, on_lost, client};
    struct error error = {0};
    char *path = settings_model_path(settings, &error);
    struct engine_options options = settings_engine_options(settings, path);
    if (client->is_device_lost)
        options.device = ENGINE_DEVICE_CPU;
    client->model = CLIENT_MODEL_LOADING;
    if (path && !worker_load(client->worker, &options, &events))
        error_set(&error, ERROR_MEMORY, "no memory to load the model");
    free(path);
    if (error.code != ERROR_NONE)
        loading_fail(client, &error);
}

/* All that a loaded model depends on, in words; NULL when memory is exhausted. */
static char *model_words(const struct settings *settings)
{
    char *words = NULL;
    if (asprintf(&words, "%s\n%s\n%d %d %d %lld %d %d", settings->model ? settings->model : "",
                 settings->draft_model ? settings->draft_model : "", (int)settings->device,
                 settings->threads, settings->context_tokens, (long long)settings->gpu_memory_bytes,
                 settings->gpu_fallback, settings->exact) < 0)
        return NULL;
    return words;
}

void loading_start(struct client *client)
{
    const bool is_on = settings_any_enabled(&client->settings);
    char *words = is_on ? model_words(&client->settings) : NULL;
    const bool is_same = words && client->wanted_model && strcmp(words, client->wanted_model) == 0;
    free(client->wanted_model);
    client->wanted_model = words;
    if (is_same)
        return;
    if (is_on) {
        client->is_device_lost = false;
        loading_begin(client);
        return;
    }

    struct error why = {0};
    error_set(&why, ERROR_INPUT, "completions are switched off");
    client->model = CLIENT_MODEL_OFF;
    client->engine = NULL;
    worker_unload(client->worker, &why);
    progress_end(client);
}

void loading_remind(struct client *client)
{
    if (client->has_started && client->model == CLIENT_MODEL_UNASKED)
        loading_start(client);
}

bool loading_answer(struct client *client, const struct rpc_message *message)
{
    const json_int_t id = json_integer_value(message->id);
    if (!json_is_integer(message->id))
        return false;
    const json_int_t age = (progress_request(client) - id + PROGRESS_REQUESTS) % PROGRESS_REQUESTS;
    const bool is_progress = id >= PROGRESS_REQUEST_FIRST && age < client->progress_serial &&
                             id < PROGRESS_REQUEST_FIRST + PROGRESS_REQUESTS;
    if (id == LOST_REQUEST)
        lost_answer(client, message->result);
    else if (is_progress)
        progress_answer(client, (int)age, message->result != NULL);
    return id == LOST_REQUEST || is_progress;
}
