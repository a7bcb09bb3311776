/* Everything that goes to the editor passes client_send, the one place that knows what a message that could not be built
 * means. */
#include "lsp/client.h"

#include "lsp/log.h"

bool client_init(struct client *client, const struct settings *settings, uv_loop_t *loop,
                 struct worker *worker, const struct client_door *door)
{
    *client = (struct client){
        .door = *door,
        .loop = loop,
        .worker = worker,
        .settings = *settings,
    };
    client->settings.model = client->settings.log_path = client->settings.ignore = NULL;
    return settings_set_string(&client->settings.model, settings->model) &&
           settings_set_string(&client->settings.log_path, settings->log_path);
}

void client_finish(struct client *client)
{
    documents_destroy(client->documents);
    settings_finish(&client->settings);
}

/* Sends a message and drops it. */
static void client_send(struct client *client, json_t *message)
{
    if (message) {
        client->door.send(client->door.user, message);
    } else {
        log_write(LOG_LEVEL_ERROR, "no memory for a message to the editor");
        client->door.stop(client->door.user);
    }
    json_decref(message);
}

void client_reply(struct client *client, const json_t *id, json_t *result)
{
    client_send(client, rpc_result(id, result));
}

void client_fail(struct client *client, const json_t *id, enum rpc_code code, const char *text)
{
    client_send(client, rpc_failure(id, code, text));
}

void client_notify(struct client *client, const char *method, json_t *params)
{
    client_send(client, rpc_notification(method, params));
}

void client_ask(struct client *client, json_int_t id, const char *method, json_t *params)
{
    client_send(client, rpc_request(id, method, params));
}

void client_tell(struct client *client, const char *method, enum client_message type,
                 const char *sentence)
{
    client_notify(client, method,
                  json_pack("{s:i, s:o}", "type", (int)type, "message", rpc_text(sentence)));
}

/* LSP uinteger: what does not fit is no position. */
static bool unsigned_parse(const json_t *value, size_t *number)
{
    json_int_t wanted = json_integer_value(value);
    if (!json_is_integer(value) || wanted < 0 || wanted > UINT32_MAX)
        return false;
    *number = (size_t)wanted;
    return true;
}

bool position_parse(const json_t *value, struct text_position *position)
{
    return unsigned_parse(json_object_get(value, "line"), &position->line) &&
           unsigned_parse(json_object_get(value, "character"), &position->column);
}

json_t *position_write(struct text_position position)
{
    return json_pack("{s:I, s:I}", "line", (json_int_t)position.line, "character",
                     (json_int_t)position.column);
}
