/* The beginning and the end of a conversation: what the editor can do is read, what the server can do is told. */
#include <stdlib.h>
#include <string.h>

#include "lsp/completion/surroundings.h"
#include "lsp/errand.h"
#include "lsp/handlers.h"
#include "lsp/log.h"

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
    configure_begin(client, params);
    client->surroundings = surroundings_create(client, params);
    if (json_is_integer(process_id))
        client->door.watch(client->door.user, json_integer_value(process_id));

    client->phase = CLIENT_INITIALIZED;
    client_reply(client, message->id, client->documents ? capabilities(encoding) : NULL);
}

void lifecycle_initialized(struct client *client, const struct rpc_message *message)
{
    (void)message;
    if (client->has_started)
        return;

    client->has_started = true;
    surroundings_start(client);
    configure_start(client);
}

void lifecycle_answer(struct client *client, const struct rpc_message *message)
{
    if (!configure_answer(client, message) && !surroundings_answer(client, message))
        loading_answer(client, message);
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
