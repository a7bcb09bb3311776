/* textDocument/codeAction and codeAction/resolve: what the model could do here, offered without asking it.
 *
 * An offer costs a look at the syntax, since editors ask at every move of the cursor. The edit is written when the user has
 * chosen: by codeAction/resolve where the editor can resolve edits, else by the command that the action then carries. What
 * the model cannot do here, and what only an instruct model can do, is not offered. Nothing is preferred: no key should start
 * a model unasked. */
#include <string.h>

#include "lsp/completion/surroundings.h"
#include "lsp/errand.h"
#include "lsp/handlers.h"

enum { ACTION_TITLE_BYTES = 160, ACTION_DIAGNOSTICS_MAX = 8 };

struct offer {
    enum writing_kind kind;
    const char *action_kind;    /* LSP CodeActionKind */
    const char *title, *titled; /* the second one has a place for a name */
};

static const struct offer offers[] = {
    {WRITING_FIX, "quickfix", "Correct this", NULL},
    {WRITING_GENERATE, "refactor.rewrite", "Write the code that this comment asks for", NULL},
    {WRITING_DOCUMENT, "refactor.rewrite", "Document this", "Document %.*s"},
    {WRITING_TEST, "refactor.rewrite", "Write a test", "Write a test of %.*s"},
    {WRITING_EXPLAIN, "hxqd.explain", "Explain this", "Explain %.*s"},
};

json_t *actions_kinds(void)
{
    return json_pack("[s, s, s]", "quickfix", "refactor.rewrite", "hxqd.explain");
}

/* Whether a kind is among those asked for: itself or below one of them (LSP, CodeActionContext.only). */
static bool is_asked(const json_t *only, const char *kind)
{
    if (!json_is_array(only))
        return true;
    for (size_t i = 0; i < json_array_size(only); i++) {
        const char *wanted = json_string_value(json_array_get(only, i));
        const size_t bytes = wanted ? strlen(wanted) : 0;
        if (wanted && (bytes == 0 || (strncmp(kind, wanted, bytes) == 0 &&
                                      (kind[bytes] == '\0' || kind[bytes] == '.'))))
            return true;
    }
    return false;
}

/* What both the command and the resolving of an action are told. */
static json_t *arguments_of(const struct offer *offer, const char *uri, const json_t *range,
                            const json_t *diagnostic)
{
    json_t *arguments = json_pack("{s:{s:s}, s:O, s:s}", "textDocument", "uri", uri, "range", range,
                                  "task", task_name(offer->kind));

    if (diagnostic)
        json_object_set(arguments, "diagnostic", (json_t *)(uintptr_t)diagnostic);
    if (offer->kind == WRITING_EXPLAIN)
        json_object_set_new(arguments, "show", json_true());
    return arguments;
}

/* A lazy action: an edit to be resolved, or a command where there is no edit or no resolving. */
static json_t *action_write(const struct client *client, const struct offer *offer,
                            const char *title, json_t *arguments, const json_t *diagnostic)
{
    json_t *action = json_pack("{s:o, s:s}", "title", rpc_text(title), "kind", offer->action_kind);

    if (diagnostic)
        json_object_set_new(action, "diagnostics", json_pack("[O]", diagnostic));
    if (client->abilities.resolves_edits && offer->kind != WRITING_EXPLAIN)
        json_object_set_new(action, "data", arguments);
    else
        json_object_set_new(action, "command",
                            json_pack("{s:o, s:o, s:[o]}", "title", rpc_text(title), "command",
                                      json_sprintf("hxqd.%s", task_name(offer->kind)), "arguments",
                                      arguments));
    return action;
}

/* One correction for each diagnostic that the editor names. */
static void offer_fixes(struct client *client, const struct offer *offer, const char *uri,
                        const json_t *diagnostics, json_t *actions)
{
    for (size_t i = 0; i < json_array_size(diagnostics) && i < ACTION_DIAGNOSTICS_MAX; i++) {
        const json_t *diagnostic = json_array_get(diagnostics, i);
        const json_t *range = json_object_get(diagnostic, "range");
        json_t *message = json_object_get(diagnostic, "message");
        if (json_is_object(range) && json_is_string(message))
            json_array_append_new(actions, action_write(client, offer, offer->title,
                                                        arguments_of(offer, uri, range, diagnostic),
                                                        diagnostic));
    }
}

static void offer_task(struct client *client, const struct offer *offer, struct document *document,
                       struct span range, const json_t *params, json_t *actions)
{
    const char *text = text_bytes(document_text(document));
    struct symbol symbol = {0};
    char title[ACTION_TITLE_BYTES];

    if (!task_fits(offer->kind, client, document, range, &symbol))
        return;
    const int bytes = (int)(symbol.name.end - symbol.name.start);
    if (!offer->titled || bytes == 0 || bytes + strlen(offer->titled) >= sizeof title)
        snprintf(title, sizeof title, "%s", offer->title);
    else
        snprintf(title, sizeof title, offer->titled, bytes, text + symbol.name.start);
    json_t *arguments =
        arguments_of(offer, document_uri(document), json_object_get(params, "range"), NULL);
    json_array_append_new(actions, action_write(client, offer, title, arguments, NULL));
}

void actions_request(struct client *client, const struct rpc_message *message)
{
    const json_t *params = message->params;
    const json_t *circumstances = json_object_get(params, "context");
    struct span range;
    struct document *document = client_locate(client, params, &range);
    const bool is_ready = client->model == CLIENT_MODEL_READY &&
                          client->abilities.action_literals && document &&
                          client_settings(client, document_uri(document))->enabled &&
                          surroundings_allow(client, document_uri(document));
    json_t *actions = json_array();

    for (size_t i = 0; is_ready && i < sizeof offers / sizeof *offers; i++) {
        const struct offer *offer = &offers[i];
        const struct language *language = document_language(document);
        if (!is_asked(json_object_get(circumstances, "only"), offer->action_kind) ||
            writing_refusal(offer->kind, client->engine->has_chat, language))
            continue;
        if (offer->kind == WRITING_FIX)
            offer_fixes(client, offer, document_uri(document),
                        json_object_get(circumstances, "diagnostics"), actions);
        else
            offer_task(client, offer, document, range, params, actions);
    }
    client_reply(client, message->id, actions);
}

void actions_resolve(struct client *client, const struct rpc_message *message)
{
    const json_t *arguments = json_object_get(message->params, "data");

    if (!json_is_object(message->params)) {
        client_fail(client, message->id, RPC_INVALID_PARAMS, "expected an action");
        return;
    }

    /* an action of ours that is complete, or somebody else's: as it came */
    if (!json_is_object(arguments)) {
        client_reply(client, message->id, json_copy((json_t *)(uintptr_t)message->params));
        return;
    }
    errand_start(client, message, task_kind(json_string_value(json_object_get(arguments, "task"))),
                 arguments, ERRAND_RESOLVE);
}
