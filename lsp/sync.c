/* textDocument/didOpen, didChange, didClose: from JSON to plain values for documents.
 *
 * Notifications cannot be answered, so one that makes no sense is logged and dropped. A change that cannot be applied closes
 * the document: nothing is offered in it until the editor opens it again, which is better than completing a text that nobody
 * has. */
#include <stdint.h>
#include <stdlib.h>

#include <uv.h>

#include "lsp/completion/surroundings.h"
#include "lsp/handlers.h"
#include "lsp/log.h"

enum { SYNC_CHANGES_MAX = 64 * 1024 }; /* in one notification */

/* The uri of the notification's document, or NULL. */
static const char *uri_read(const struct rpc_message *message)
{
    const json_t *identifier = json_object_get(message->params, "textDocument");
    const char *uri = json_string_value(json_object_get(identifier, "uri"));
    if (!uri)
        log_write(LOG_LEVEL_WARN, "dropped: %s without a document", message->method);
    return uri;
}

/* On a thread of libuv's. */
static void prepare_run(uv_work_t *work)
{
    language_prepare(work->data);
}

static void prepare_done(uv_work_t *work, int status)
{
    (void)status;
    free(work);
}

/* Has a language of which nothing was open before made ready, so that the first completion need not wait for that. */
static void prepare(struct client *client, const char *uri)
{
    const struct document *document = documents_find(client->documents, uri);
    const struct language *language = document ? document_language(document) : NULL;
    if (!language || language_is_prepared(language) || !client_settings(client, uri)->enabled)
        return;

    uv_work_t *work = calloc(1, sizeof *work);
    if (!work)
        return;
    work->data = (void *)(uintptr_t)language;
    if (uv_queue_work(client->loop, work, prepare_run, prepare_done) != 0)
        free(work);
}

void sync_open(struct client *client, const struct rpc_message *message)
{
    const json_t *item = json_object_get(message->params, "textDocument");
    const json_t *text = json_object_get(item, "text");
    const json_t *version = json_object_get(item, "version");
    const char *uri = uri_read(message);
    struct error error = {0};
    if (!uri)
        return;
    if (!json_is_string(text)) {
        log_write(LOG_LEVEL_WARN, "dropped: %s without a text", message->method);
        return;
    }
    if (!documents_open(
            client->documents, uri, json_string_value(json_object_get(item, "languageId")),
            json_integer_value(version), json_string_value(text), json_string_length(text), &error))
        log_write(LOG_LEVEL_WARN, "document not opened: %s", error.text);
    prepare(client, uri);
    surroundings_note_documents(client);
}

/* One entry of contentChanges; `text` is borrowed from the message. */
static bool change_read(const json_t *value, struct document_change *change)
{
    const json_t *text = json_object_get(value, "text");
    const json_t *range = json_object_get(value, "range");
    if (!json_is_string(text))
        return false;

    *change = (struct document_change){
        .has_range = range && !json_is_null(range),
        .text = json_string_value(text),
        .bytes = json_string_length(text),
    };
    return !change->has_range || (position_parse(json_object_get(range, "start"), &change->start) &&
                                  position_parse(json_object_get(range, "end"), &change->end));
}

/* All of them; the caller frees the array. NULL where one cannot be read or memory is exhausted. */
static struct document_change *changes_read(const json_t *values, size_t count)
{
    struct document_change *changes =
        count <= SYNC_CHANGES_MAX ? calloc(count + 1, sizeof *changes) : NULL;
    for (size_t i = 0; changes && i < count; i++) {
        if (!change_read(json_array_get(values, i), &changes[i])) {
            free(changes);
            return NULL;
        }
    }
    return changes;
}

void sync_change(struct client *client, const struct rpc_message *message)
{
    const json_t *identifier = json_object_get(message->params, "textDocument");
    const json_t *values = json_object_get(message->params, "contentChanges");
    const char *uri = uri_read(message);
    if (!uri)
        return;

    size_t count = json_array_size(values);
    struct document_change *changes = changes_read(values, count);
    struct error error = {0};
    if (!changes) {
        documents_close(client->documents, uri);
        error_set(&error, ERROR_INPUT, "unreadable changes");
    } else {
        documents_change(client->documents, uri,
                         json_integer_value(json_object_get(identifier, "version")), changes, count,
                         &error);
        if (count > 0 && changes[count - 1].has_range)
            surroundings_note_edit(client, uri, changes[count - 1].start.line);
    }
    if (error.code != ERROR_NONE)
        log_write(LOG_LEVEL_WARN, "document given up: %s", error.text);
    free(changes);
}

void sync_close(struct client *client, const struct rpc_message *message)
{
    const char *uri = uri_read(message);
    if (uri)
        documents_close(client->documents, uri);
    surroundings_note_documents(client);
}
