/* Everything is noted when the editor says it and looked at only when a completion is asked for, so that a user who never
 * completes pays nothing, and neither does one whose model cannot be shown other files. */
#include "lsp/completion/surroundings.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/context/snippets.h"
#include "lsp/context/workspace.h"
#include "lsp/log.h"
#include "lsp/protocol/uri.h"
#include "lsp/secrets.h"

enum { WATCH_REQUEST = 100 }; /* the id of our request to watch files */

struct surroundings {
    struct workspace *workspace;
    struct snippets *snippets;
    bool can_watch; /* files, for us */

    /* The last prompt. */
    const char *purpose; /* NULL: none yet */
    struct given given;
    struct snippet_list shown; /* files in the order of the counts */
};

/* --- what the editor says --------------------------------------------------------------------------------------------- */

static void folder_add(struct surroundings *surroundings, const json_t *uri)
{
    char *path = json_is_string(uri) ? uri_path(json_string_value(uri)) : NULL;

    if (path && !workspace_add(surroundings->workspace, path))
        log_write(LOG_LEVEL_DEBUG, "a folder of the workspace is not looked through");
    free(path);
}

static void folder_remove(struct surroundings *surroundings, const json_t *uri)
{
    char *path = json_is_string(uri) ? uri_path(json_string_value(uri)) : NULL;

    if (path)
        workspace_remove(surroundings->workspace, path);
    free(path);
}

/* The newest of the three ways in which clients name their folders (LSP, InitializeParams). */
static void folders_read(struct surroundings *surroundings, const json_t *params)
{
    const json_t *folders = json_object_get(params, "workspaceFolders");
    const json_t *root = json_object_get(params, "rootUri");
    const json_t *folder;
    size_t i;

    if (json_is_array(folders)) {
        json_array_foreach((json_t *)(uintptr_t)folders, i, folder)
            folder_add(surroundings, json_object_get(folder, "uri"));
        return;
    }
    folder_add(surroundings, json_is_string(root) ? root : json_object_get(params, "rootPath"));
}

struct surroundings *surroundings_create(struct client *client, const json_t *params)
{
    struct surroundings *surroundings = calloc(1, sizeof *surroundings);
    const json_t *workspace = json_object_get(json_object_get(params, "capabilities"), "workspace");
    const json_t *watching = json_object_get(workspace, "didChangeWatchedFiles");

    if (!surroundings)
        return NULL;
    surroundings->workspace = workspace_create(client->loop);
    surroundings->snippets = snippets_create();
    if (!surroundings->workspace || !surroundings->snippets) {
        surroundings_destroy(surroundings);
        return NULL;
    }
    surroundings->can_watch = json_is_true(json_object_get(watching, "dynamicRegistration"));
    folders_read(surroundings, params);
    return surroundings;
}

void surroundings_destroy(struct surroundings *surroundings)
{
    if (!surroundings)
        return;
    workspace_destroy(surroundings->workspace);
    snippets_destroy(surroundings->snippets);
    snippet_list_finish(&surroundings->shown);
    given_finish(&surroundings->given);
    free(surroundings);
}

void surroundings_start(struct client *client)
{
    if (!client->surroundings || !client->surroundings->can_watch)
        return;
    client_ask(client, WATCH_REQUEST, "client/registerCapability",
               json_pack("{s:[{s:s, s:s, s:{s:[{s:s}]}}]}", "registrations", "id", "hxqd/watch",
                         "method", "workspace/didChangeWatchedFiles", "registerOptions", "watchers",
                         "globPattern", "**/*"));
}

bool surroundings_answer(struct client *client, const struct rpc_message *message)
{
    if (!json_is_integer(message->id) || json_integer_value(message->id) != WATCH_REQUEST)
        return false;
    /* one that refuses tells nothing: files are looked at now and then, as if it could not watch */
    if (client->surroundings && message->result)
        workspace_set_watched(client->surroundings->workspace, true);
    return true;
}

void surroundings_files_changed(struct client *client, const struct rpc_message *message)
{
    (void)message;
    if (client->surroundings)
        workspace_touch(client->surroundings->workspace);
}

void surroundings_folders_changed(struct client *client, const struct rpc_message *message)
{
    const json_t *event = json_object_get(message->params, "event");
    const json_t *folder;
    size_t i;

    if (!client->surroundings)
        return;
    json_array_foreach(json_object_get(event, "removed"), i, folder)
        folder_remove(client->surroundings, json_object_get(folder, "uri"));
    json_array_foreach(json_object_get(event, "added"), i, folder)
        folder_add(client->surroundings, json_object_get(folder, "uri"));
}

void surroundings_yanked(struct client *client, const struct rpc_message *message)
{
    const json_t *text = json_object_get(message->params, "text");
    const char *uri = json_string_value(json_object_get(message->params, "uri"));

    if (!client->surroundings || !json_is_string(text)) {
        log_write(LOG_LEVEL_WARN, "dropped: %s without a text", message->method);
        return;
    }
    snippets_note_yank(client->surroundings->snippets, client->documents,
                       client->surroundings->workspace, uri, json_string_value(text),
                       json_string_length(text));
}

void surroundings_note_documents(struct client *client)
{
    struct surroundings *surroundings = client->surroundings;

    if (!surroundings)
        return;
    snippets_note_documents(surroundings->snippets);
    workspace_clear_near(surroundings->workspace);
    for (size_t i = 0; i < documents_count(client->documents); i++) {
        char *path = uri_path(document_uri(documents_at(client->documents, i)));
        if (path)
            workspace_add_near(surroundings->workspace, path);
        free(path);
    }
}

void surroundings_note_edit(struct client *client, const char *uri, size_t line)
{
    if (client->surroundings)
        snippets_note_edit(client->surroundings->snippets, uri, line);
}

/* --- what a completion gets ------------------------------------------------------------------------------------------- */

bool surroundings_allow(const struct client *client, const char *uri)
{
    char *path = uri_path(uri);
    const bool is_allowed = client->settings.secret_files || (path && !secrets_path(path));

    free(path);
    return is_allowed;
}

/* The workspace leaves out what the settings of `uri` say. False when memory is exhausted. */
static bool set_rules(struct client *client, const char *uri)
{
    const char *rules = client_settings(client, uri)->ignore;

    return workspace_set_rules(client->surroundings->workspace, rules ? rules : "");
}

bool surroundings_share(struct client *client, const char *uri, const char *path)
{
    if (!client->surroundings)
        return !secrets_path(path);
    return set_rules(client, uri) && !workspace_hides(client->surroundings->workspace, path);
}

void surroundings_show(struct client *client, struct document *document, size_t cursor,
                       struct context *context)
{
    struct surroundings *surroundings = client->surroundings;
    const struct settings *settings = client_settings(client, document_uri(document));
    const bool can_show = client->engine && client->engine->can_show && settings->cross_file;

    if (!surroundings || !can_show)
        return;
    snippet_list_finish(&context->shown);
    if (!set_rules(client, document_uri(document)) ||
        !snippets_choose(surroundings->snippets, client->documents, surroundings->workspace,
                         document, cursor, (size_t)settings->shown_tokens, &context->shown))
        log_write(LOG_LEVEL_WARN, "no memory to show the model other files");
}

/* --- what became of it ------------------------------------------------------------------------------------------------ */

void surroundings_record(struct client *client, const char *purpose, struct given *given,
                         struct snippet_list *shown)
{
    struct surroundings *surroundings = client->surroundings;

    if (!surroundings || !given->text)
        return;
    given_finish(&surroundings->given);
    snippet_list_finish(&surroundings->shown);
    surroundings->purpose = purpose;
    surroundings->given = *given;
    *given = (struct given){0};
    if (shown) {
        surroundings->shown = *shown;
        *shown = (struct snippet_list){0};
    }
}

/* The files that found room, with where they come from. */
static json_t *files_write(const struct surroundings *surroundings)
{
    json_t *files = json_array();

    for (size_t i = 0; i < surroundings->shown.count; i++) {
        const struct snippet *snippet = &surroundings->shown.items[i];
        if (surroundings->given.counts.files[i] > 0)
            json_array_append_new(files,
                                  json_pack("{s:o, s:s, s:i}", "path", rpc_text(snippet->path),
                                            "why", gather_why_name(snippet->why), "tokens",
                                            surroundings->given.counts.files[i]));
    }
    return files;
}

const struct index *surroundings_index(struct client *client, const char *uri)
{
    return client->surroundings && set_rules(client, uri)
               ? workspace_index(client->surroundings->workspace)
               : NULL;
}

/* What is known of the workspace's files. */
static json_t *workspace_write(const struct surroundings *surroundings)
{
    struct index_counts counts;

    workspace_count(surroundings->workspace, &counts);
    return json_pack("{s:I, s:I, s:b}", "files", (json_int_t)counts.files, "definitions",
                     (json_int_t)counts.definitions, "watched",
                     workspace_is_watched(surroundings->workspace));
}

json_t *surroundings_prompt(const struct client *client)
{
    const struct surroundings *surroundings = client->surroundings;

    if (!surroundings)
        return json_null();
    const struct given *given = &surroundings->given;
    const struct prompt_counts *counts = &given->counts;
    int files = 0;
    for (size_t i = 0; i < PROMPT_FILES_MAX; i++)
        files += counts->files[i];
    const int parts = files + counts->repository + counts->prefix + counts->suffix + counts->line;
    json_t *text = given->text ? json_stringn(given->text, given->bytes) : json_null();
    const int total = parts > 0 || given->tokens < 0 ? parts : given->tokens;
    json_t *reused = given->text && given->reused >= 0 ? json_integer(given->reused) : json_null();
    /* a name and its value to a line: */
    /* clang-format off */
    return json_pack("{s:s?, s:o, s:{s:i, s:i, s:i, s:i, s:i, s:i}, s:o, s:o, s:o}",
                     "for", surroundings->purpose,
                     "text", text,
                     "tokens", "total", total, "files", files, "repository", counts->repository,
                     "prefix", counts->prefix, "suffix", counts->suffix, "line", counts->line,
                     "reused", reused,
                     "files", files_write(surroundings),
                     "workspace", workspace_write(surroundings));
    /* clang-format on */
}
