/* Everything that goes to the editor passes client_send, the one place that knows what a message that could not be built
 * means. */
#include "lsp/client.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/log.h"

bool client_init(struct client *client, const struct settings *settings, uv_loop_t *loop,
                 struct worker *worker, const struct client_door *door)
{
    *client = (struct client){
        .door = *door,
        .loop = loop,
        .worker = worker,
    };
    return settings_copy(&client->settings, settings);
}

void client_finish(struct client *client)
{
    documents_destroy(client->documents);
    preferences_destroy(client->preferences);
    settings_finish(&client->settings);
    free(client->workspace_file);
    free(client->wanted_model);
}

const struct settings *client_settings(const struct client *client, const char *uri)
{
    const struct document *document = uri ? documents_find(client->documents, uri) : NULL;
    return settings_for(&client->settings, document ? document_language_id(document) : NULL);
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

void client_withdraw_progress(struct client *client, json_t *token)
{
    client_notify(client, "$/progress",
                  json_pack("{s:O, s:{s:s, s:s}}", "token", token, "value", "kind", "begin",
                            "title", "Done"));
    client_notify(client, "$/progress",
                  json_pack("{s:o, s:{s:s}}", "token", token, "value", "kind", "end"));
}

void client_tell(struct client *client, const char *method, enum client_message type,
                 const char *sentence)
{
    client_notify(client, method,
                  json_pack("{s:i, s:o}", "type", (int)type, "message", rpc_text(sentence)));
}

/* Whether an array holds a string. */
static bool lists(const json_t *array, const char *wanted)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *value = json_string_value(json_array_get(array, i));
        if (value && strcmp(value, wanted) == 0)
            return true;
    }
    return false;
}

void client_read_abilities(struct client *client, const json_t *capabilities)
{
    const json_t *editing = json_object_get(capabilities, "textDocument");
    const json_t *action = json_object_get(editing, "codeAction");
    const json_t *workspace = json_object_get(capabilities, "workspace");
    const json_t *resolved = json_object_get(action, "resolveSupport");
    const json_t *formats = json_object_get(json_object_get(editing, "hover"), "contentFormat");

    client->abilities = (struct client_abilities){
        .hover_markdown = lists(formats, "markdown"),
        .action_literals = json_is_object(json_object_get(action, "codeActionLiteralSupport")),
        .resolves_edits = lists(json_object_get(resolved, "properties"), "edit"),
        .versioned_edits = json_is_true(
            json_object_get(json_object_get(workspace, "workspaceEdit"), "documentChanges")),
    };
}

struct document *client_locate(struct client *client, const json_t *params, struct span *range)
{
    const json_t *identifier = json_object_get(params, "textDocument");
    const json_t *wanted = json_object_get(params, "range");
    const json_t *position = json_object_get(params, "position");
    const char *uri = json_string_value(json_object_get(identifier, "uri"));
    struct document *document = uri ? documents_find(client->documents, uri) : NULL;
    struct text_position start, end;

    if (!document ||
        !position_parse(position ? position : json_object_get(wanted, "start"), &start) ||
        !position_parse(position ? position : json_object_get(wanted, "end"), &end))
        return NULL;
    const enum text_encoding encoding = documents_encoding(client->documents);
    const struct text *text = document_text(document);
    range->start = text_offset(text, encoding, start);
    range->end = text_offset(text, encoding, end);
    if (range->end < range->start)
        range->end = range->start;
    return document;
}

json_t *client_range(const struct client *client, const struct document *document,
                     struct span range)
{
    const enum text_encoding encoding = documents_encoding(client->documents);
    const struct text *text = document_text(document);

    return json_pack("{s:o, s:o}", "start",
                     position_write(text_position_at(text, encoding, range.start)), "end",
                     position_write(text_position_at(text, encoding, range.end)));
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
